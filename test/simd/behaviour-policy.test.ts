import { beforeAll, describe, expect, it } from 'vitest';
import { createKernelActor } from '../../src/acting/batch-actor.ts';
import { mlpParameterLayout } from '../../src/policy/networks/mlp-parameters.ts';
import type { BehaviourSpec } from '../../src/policy/policy-spec.ts';
import { openStream } from '../../src/random/streams.ts';
import { type KernelModule, loadKernels } from '../../src/simd/loader.ts';
import { forwardReference } from '../reference/mlp-reference.ts';
import { makeActingSpec, randomParameters } from '../reference/policy-specs.ts';

let kernels: KernelModule;
beforeAll(async () => {
  kernels = await loadKernels();
}, 120_000);

const GREEDY: BehaviourSpec = {
  kind: 'epsilon-greedy',
  sizes: [5, 3],
  numAtoms: 7,
  support: { low: -3, high: 5 },
  dueling: true,
};
const GAUSSIAN: BehaviourSpec = { kind: 'squashed-gaussian', size: 3, low: [-1, -1, -1], high: [1, 1, 1] };

function open(distribution: BehaviourSpec, options: Parameters<typeof makeActingSpec>[1], numRows: number) {
  const spec = makeActingSpec(distribution, options);
  const actor = createKernelActor(kernels, spec, mlpParameterLayout(spec).size, numRows);
  const stream = openStream(3, 'behaviour');
  const parameters = randomParameters(spec, stream);
  actor.setWeights(parameters, null, { epsilon: 0.3, noiseStd: 0, isRandom: false });
  for (let k = 0; k < actor.observations.length; k++) actor.observations[k] = stream.normal();
  for (let k = 0; k < actor.noise.length; k++) actor.noise[k] = stream.uniform();
  const rows = Array.from({ length: numRows }, (_, r) => [
    ...actor.observations.subarray(r * spec.observationSize, (r + 1) * spec.observationSize),
  ]);
  return { spec, actor, parameters, rows };
}

/** softmax expectation of V + A - mean A, in float64. */
function expectedValue(outputs: readonly number[], first: number, size: number, a: number): number {
  const logits = Array.from({ length: 7 }, (_, j) => {
    const advantages = Array.from({ length: size }, (_, k) => outputs[7 + (first + k) * 7 + j]);
    return outputs[j] + advantages[a] - advantages.reduce((x, y) => x + y) / size;
  });
  const weights = logits.map(Math.exp);
  const total = weights.reduce((x, y) => x + y);
  return weights.reduce((sum, weight, j) => sum + (weight / total) * (-3 + (j * 8) / 6), 0);
}

describe('behaviours on the kernels', () => {
  it('act for more rows than fit a block as a float64 network would', () => {
    const { spec, actor, parameters, rows } = open(
      GREEDY,
      { hiddenSizes: [33, 20], activation: 'relu' },
      130,
    );
    actor.actNow(130, true);
    const { outputs } = forwardReference(spec, parameters, rows);
    for (let r = 0; r < 130; r++) {
      for (const [branch, first, size] of [
        [0, 0, 5],
        [1, 5, 3],
      ]) {
        const values = Array.from({ length: size }, (_, a) => expectedValue(outputs[r], first, size, a));
        const best = values.indexOf(Math.max(...values));
        const action = actor.actions[2 * r + branch];
        expect(values[action]).toBeGreaterThan(values[best] - 1e-5);
      }
    }
  });

  it('sample a squashed Gaussian of the outputs of this very row', () => {
    const { spec, actor, parameters, rows } = open(GAUSSIAN, { hiddenSizes: [16] }, 70);
    actor.actNow(70, false);
    const { outputs } = forwardReference(spec, parameters, rows);
    for (let r = 0; r < 70; r++) {
      for (let a = 0; a < 3; a++) {
        const expected = Math.tanh(outputs[r][a] + Math.exp(outputs[r][3 + a]) * actor.noise[6 * r + a]);
        expect(actor.actions[3 * r + a]).toBeCloseTo(expected, 4);
      }
    }
  });

  it('give a row the same action, to the bit, whatever stands beside it', () => {
    const many = open(GAUSSIAN, { hiddenSizes: [16, 9], activation: 'silu' }, 70);
    many.actor.actNow(70, false);
    const one = open(GAUSSIAN, { hiddenSizes: [16, 9], activation: 'silu' }, 1);
    one.actor.setWeights(many.parameters, null);
    for (const r of [0, 1, 63, 64, 69]) {
      one.actor.observations.set(many.rows[r]);
      one.actor.noise.set(many.actor.noise.subarray(6 * r, 6 * r + 6));
      one.actor.actNow(1, false);
      expect([...one.actor.actions]).toEqual([...many.actor.actions.subarray(3 * r, 3 * r + 3)]);
    }
  });

  it('run networks with layer normalisation', () => {
    const options = { hiddenSizes: [12], observationSize: 6, layerNorm: true } as const;
    const { spec, actor, parameters, rows } = open(GAUSSIAN, options, 5);
    const { entries } = mlpParameterLayout(spec);
    const tensor = (name: string) => {
      const { offset, size } = entries.find((entry) => entry.name === name)!;
      return [...parameters.subarray(offset, offset + size)];
    };
    expect(entries.map(({ name }) => name)).toEqual([
      'actor/0/kernel',
      'actor/0/bias',
      'actor/0/gain',
      'actor/0/shift',
      'actor/head/kernel',
      'actor/head/bias',
    ]);
    actor.actNow(5, true);
    const product = (row: number[], name: string, outputs: number) =>
      Array.from({ length: outputs }, (_, j) =>
        row.reduce(
          (sum, x, i) => sum + x * tensor(`${name}/kernel`)[i * outputs + j],
          tensor(`${name}/bias`)[j],
        ),
      );
    for (const [r, row] of rows.entries()) {
      const pre = product(row, 'actor/0', 12);
      const mean = pre.reduce((a, b) => a + b) / 12;
      const variance = pre.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 12;
      const hidden = pre.map((x, j) => {
        const normalized = (x - mean) / Math.sqrt(variance + 1e-5);
        return Math.tanh(normalized * tensor('actor/0/gain')[j] + tensor('actor/0/shift')[j]);
      });
      const outputs = product(hidden, 'actor/head', 6);
      for (let a = 0; a < 3; a++) expect(actor.actions[3 * r + a]).toBeCloseTo(Math.tanh(outputs[a]), 5);
    }
  });
});
