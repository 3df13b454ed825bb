/** Actions of mixed kinds, by hand. */
import { describe, expect, it } from 'vitest';
import { createActionMapping } from '../../src/acting/action-mapping.ts';
import { inspectRow } from '../../src/policy/inspection.ts';
import { mlpParameterLayout } from '../../src/policy/networks/mlp-parameters.ts';
import { parsePolicySpec, policySpecToJson } from '../../src/policy/policy-schema.ts';
import {
  actionDtype,
  actionSize,
  alternativesOf,
  distributionSize,
  freeLogStdSize,
  noiseSize,
  type ProductSpec,
} from '../../src/policy/policy-spec.ts';
import { sampleActions } from '../../src/policy/sample-actions.ts';
import { makeSpec } from '../reference/policy-specs.ts';

/** A choice of three, then a number in [0, 2], then a bit, then a choice of two, then an unbounded number. */
const PRODUCT: ProductSpec = {
  kind: 'product',
  heads: [
    { kind: 'categorical', sizes: [3] },
    { kind: 'gaussian', size: 1, squash: false, low: [0], high: [2] },
    { kind: 'bernoulli', size: 1 },
    { kind: 'categorical', sizes: [2] },
    { kind: 'gaussian', size: 1, squash: false, low: [-Infinity], high: [Infinity] },
  ],
};
const SPEC = makeSpec(PRODUCT, { hiddenSizes: [4], masks: true });
const OUTPUTS = [Math.log(2), 0, Math.log(3), 0.5, Math.log(4), 0, 0, -1]; // logits 3, mean, logit, logits 2, mean
const LOG_STD = [0, Math.log(0.5)];

function act(noise: number[], masks: number[] | null, deterministic = false) {
  const actions = new Float32Array(5);
  const logProbs = new Float32Array(1);
  sampleActions(SPEC, {
    numRows: 1,
    distributionParameters: Float32Array.from(OUTPUTS),
    latent: null,
    logStd: Float32Array.from(LOG_STD),
    masks: masks === null ? null : Uint8Array.from(masks),
    noise: Float32Array.from(noise),
    deterministic,
    actions,
    logProbs,
  });
  return { actions: [...actions], logProb: logProbs[0] };
}

describe('a product of heads', () => {
  it('has the sizes of all of them together', () => {
    expect([distributionSize(PRODUCT), actionSize(PRODUCT), noiseSize(SPEC)]).toEqual([8, 5, 5]);
    expect([actionDtype(PRODUCT), freeLogStdSize(PRODUCT), alternativesOf(PRODUCT)]).toEqual([
      'float32',
      2,
      [3, 0, 2, 2, 0],
    ]);
    const layout = mlpParameterLayout(SPEC).entries.map(({ name, shape }) => [name, shape]);
    expect(layout).toContainEqual(['actor/head/kernel', [4, 8]]);
    expect(layout).toContainEqual(['logStd', [2]]);
    expect(SPEC.actionMaskSize).toBe(5);
  });

  it('samples each head from its own noise, and adds up log-probabilities', () => {
    // choice: probabilities 2/6, 1/6, 3/6; bit: 4/5; second choice: 1/2 each
    const { actions, logProb } = act([0.6, 1, 0.79, 0.4, 2], null);
    expect(actions).toEqual([2, 1.5, 1, 0, expect.closeTo(0, 6)]);
    const normal = -0.5 * Math.log(2 * Math.PI);
    const expected =
      Math.log(3 / 6) + (normal - 0.5) + Math.log(4 / 5) + Math.log(1 / 2) + (normal - Math.log(0.5) - 2);
    expect(logProb).toBeCloseTo(expected, 5);
  });

  it('lays a mask over the choices alone', () => {
    // without the third: 2/3, 1/3; the second choice has but its second left
    const { actions, logProb } = act([0.6, 0, 0.81, 0.1, 0], [1, 1, 0, 0, 1]);
    expect(actions).toEqual([0, 0.5, 0, 1, -1]);
    const normals = -Math.log(2 * Math.PI) - Math.log(0.5);
    expect(logProb).toBeCloseTo(Math.log(2 / 3) + Math.log(1 / 5) + normals, 5);
  });

  it('takes the mode of each head, without noise', () => {
    const noise = new Array<number>(5).fill(Number.NaN);
    expect(act(noise, null, true).actions).toEqual([2, 0.5, 1, 0, -1]);
    expect(act(noise, [0, 1, 0, 1, 0], true).actions).toEqual([1, 0.5, 1, 0, -1]);
  });

  it('clips numbers into their bounds for the environment, and nothing else', () => {
    const out = new Float32Array(6);
    createActionMapping(SPEC)(Float32Array.of(2, 3.5, 1, 1, -7), 0, out, 1);
    expect([...out]).toEqual([0, 2, 2, 1, 1, -7]);
  });

  it('is told of head by head', () => {
    const row = {
      outputs: Float32Array.from(OUTPUTS),
      latent: new Float64Array(0),
      logStd: Float32Array.from(LOG_STD),
    };
    const { distribution } = inspectRow(PRODUCT, { ...row, value: null }, [1, 1, 0, 1, 1]);
    if (distribution.kind !== 'product') throw new Error('Expected a product.');
    const [first, number, bit, second, last] = distribution.parts;
    expect(first).toEqual({
      kind: 'categorical',
      probabilities: [[2 / 3, 1 / 3, 0].map((p) => expect.closeTo(p, 5))],
    });
    expect(number).toEqual({ kind: 'gaussian', mean: [0.5], std: [1], isSquashed: false });
    expect(bit).toEqual({ kind: 'bernoulli', probabilities: [expect.closeTo(0.8, 5)] });
    expect(second).toEqual({ kind: 'categorical', probabilities: [[0.5, 0.5]] });
    expect(last).toEqual({ kind: 'gaussian', mean: [-1], std: [expect.closeTo(0.5, 6)], isSquashed: false });
  });

  it('is written and read, unbounded numbers too, and refused where a head is none', () => {
    const json = JSON.parse(JSON.stringify(policySpecToJson(SPEC)));
    expect(parsePolicySpec(json)).toEqual({ spec: SPEC });
    const broken = structuredClone(json);
    broken.distribution.heads[1].low = [0, 1];
    expect(parsePolicySpec(broken)).toEqual({ problem: 'distribution.heads.1.low' });
    broken.distribution.heads[0].kind = 'product';
    expect(parsePolicySpec(broken)).toEqual({ problem: 'distribution.heads' });
  });
});
