import { describe, expect, it } from 'vitest';
import { actionSize, distributionSize, noiseSize, type PolicySpec } from '../../src/policy/policy-spec.ts';
import { sampleActions } from '../../src/policy/sample-actions.ts';
import { openStream } from '../../src/random/streams.ts';
import { DISTRIBUTIONS, randomBatch, specFor } from '../algorithms/ppo/random-batch.ts';
import { referenceLogProbAndEntropy } from '../algorithms/ppo/reference-loss.ts';
import { drawNoise } from '../reference/policy-specs.ts';

/** Acts once on one row with given distribution parameters, for many draws of noise. */
function drawOne(spec: PolicySpec, parameters: number[], numDraws: number, masks: number[] | null = null) {
  const A = actionSize(spec.distribution);
  const stream = openStream(11, 'sample');
  const discrete = spec.distribution.kind === 'categorical' || spec.distribution.kind === 'bernoulli';
  const noise = Float32Array.from({ length: numDraws * noiseSize(spec) }, () =>
    discrete ? stream.uniform() : stream.normal(),
  );
  const repeat = (row: number[]) => Array.from({ length: numDraws }, () => row).flat();
  const actions = discrete ? new Int32Array(numDraws * A) : new Float32Array(numDraws * A);
  const logProbs = new Float32Array(numDraws);
  sampleActions(spec, {
    numRows: numDraws,
    distributionParameters: Float32Array.from(repeat(parameters)),
    latent: spec.distribution.kind === 'gsde' ? Float32Array.from(repeat([0.5, -1, 0, 2, 0.3, -0.2])) : null,
    logStd: Float32Array.from(
      { length: spec.distribution.kind === 'gsde' ? 12 : A },
      (_, i) => -0.5 + 0.05 * i,
    ),
    masks: masks === null ? null : Uint8Array.from(repeat(masks)),
    noise,
    deterministic: false,
    actions,
    logProbs,
  });
  return { actions, logProbs };
}

describe('sampleActions', () => {
  it.each(DISTRIBUTIONS)(
    'gives the log-probability of its own action, %s',
    (_name, distribution, maskSize) => {
      const spec = specFor(distribution, maskSize);
      const batch = randomBatch(spec, 50, 3, () => 0);
      const stream = openStream(4, 'noise');
      const noise = Float32Array.from(
        Array.from({ length: 50 }, () => drawNoise(distribution, noiseSize(spec), stream)).flat(),
      );
      for (const deterministic of [false, true]) {
        const actions = batch.actions.slice();
        const logProbs = new Float32Array(50);
        sampleActions(spec, { ...batch, noise, deterministic, actions, logProbs });
        for (let row = 0; row < 50; row += 1) {
          const { logProb } = referenceLogProbAndEntropy(spec, { ...batch, actions }, row);
          expect(logProbs[row]).toBeCloseTo(logProb, 4);
        }
        if (deterministic && distribution.kind === 'gaussian')
          expect(actions).toEqual(batch.distributionParameters);
      }
      expect(distributionSize(distribution)).toBe(batch.distributionParameters.length / 50);
    },
  );

  it('draws categories as often as their probabilities say, and never a forbidden one', () => {
    const spec = specFor({ kind: 'categorical', sizes: [3] }, 3);
    const probabilities = [0.2, 0.5, 0.3];
    const logits = probabilities.map(Math.log);
    const { actions } = drawOne(spec, logits, 20000);
    probabilities.forEach((p, i) => {
      const share = actions.filter((action) => action === i).length / 20000;
      expect(Math.abs(share - p)).toBeLessThan(0.015);
    });
    const masked = drawOne(spec, logits, 20000, [1, 0, 1]).actions;
    expect(masked.some((action) => action === 1)).toBe(false);
    expect(Math.abs(masked.filter((action) => action === 0).length / 20000 - 0.4)).toBeLessThan(0.015);
  });

  it('takes the allowed action at both ends of the uniform, whatever rounding does', () => {
    const spec = specFor({ kind: 'categorical', sizes: [3] }, 3);
    const actions = new Int32Array(2);
    sampleActions(spec, {
      numRows: 2,
      distributionParameters: Float32Array.from([5, 1, 9, 5, 1, 9]),
      latent: null,
      logStd: null,
      masks: Uint8Array.from([0, 1, 0, 0, 1, 0]),
      noise: Float32Array.from([0, 0.99999994]),
      deterministic: false,
      actions,
      logProbs: new Float32Array(2),
    });
    expect([...actions]).toEqual([1, 1]);
  });

  it('draws gaussian and gsde actions with the mean and variance of their density', () => {
    const bounds = { low: [-1, -1], high: [1, 1] };
    const gaussian = specFor({ kind: 'gaussian', size: 2, squash: false, ...bounds });
    const gsde = specFor({ kind: 'gsde', size: 2, squash: false, sampleFrequency: 1, ...bounds });
    const latent = [0.5, -1, 0, 2, 0.3, -0.2];
    const gsdeVariance = (a: number) =>
      latent.reduce((sum, x, h) => sum + x ** 2 * Math.exp(-0.5 + 0.05 * (2 * h + a)) ** 2, 1e-6);
    for (const [spec, variances] of [
      [gaussian, [Math.exp(-0.5) ** 2, Math.exp(-0.45) ** 2]],
      [gsde, [gsdeVariance(0), gsdeVariance(1)]],
    ] as const) {
      const { actions } = drawOne(spec, [0.7, -0.4], 20000);
      for (const a of [0, 1]) {
        const values = [...actions].filter((_, i) => i % 2 === a);
        const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
        const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
        expect(Math.abs(mean - [0.7, -0.4][a])).toBeLessThan(4 * Math.sqrt(variances[a] / 20000));
        expect(variance / variances[a]).toBeGreaterThan(0.95);
        expect(variance / variances[a]).toBeLessThan(1.05);
      }
    }
  });
});
