/** Looking into a policy: against the kernels' own actions, a second implementation of the network, and hand-worked numbers. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPolicy, PPOConfig } from '../../src/index.ts';
import { inspectRow } from '../../src/policy/inspection.ts';
import { openMlpForward } from '../../src/policy/networks/mlp-forward.ts';
import { mlpParameterLayout } from '../../src/policy/networks/mlp-parameters.ts';
import { openStream } from '../../src/random/streams.ts';
import { forwardReference } from '../reference/mlp-reference.ts';
import { ACTIVATION_NAMES, categorical, gaussian, makeSpec } from '../reference/policy-specs.ts';
import { temporaryFolder } from '../temporary-folder.ts';

async function trained(env: string, training: object = {}) {
  const algorithm = await new PPOConfig()
    .environment(env)
    .envRunners({ numEnvRunners: 0, numEnvs: 4, rolloutLength: 32, normalizeObservations: true })
    .training({ numEpochs: 2, minibatchSize: 32, hiddenSizes: [16, 8], ...training })
    .debugging({ seed: 3 })
    .build();
  await algorithm.train();
  const path = await algorithm.save(join(temporaryFolder(), 'checkpoint'));
  await algorithm.stop();
  return loadPolicy(path);
}

const stream = openStream(7, 'inspection-test');
const observationsOf = (size: number, count: number) =>
  Array.from({ length: count }, () => Array.from({ length: size }, () => stream.uniform() * 2 - 1));

describe('a loaded policy', () => {
  test('acts on many observations as one after the other, and as its probabilities say', async () => {
    const policy = await trained('CartPole-v1');
    const actor = policy.actor();
    const observations = observationsOf(4, 70);
    const actions = policy.actBatch(observations);
    expect(actions).toEqual(observations.map((observation) => actor.act(observation)));
    expect(new Set(actions).size).toBe(2);
    for (const [k, observation] of observations.entries()) {
      const { distribution, value } = policy.inspect(observation);
      if (distribution.kind !== 'categorical') throw new Error(distribution.kind);
      const [probabilities] = distribution.probabilities;
      expect(probabilities[0] + probabilities[1]).toBeCloseTo(1, 12);
      expect(probabilities.indexOf(Math.max(...probabilities))).toBe(actions[k]);
      expect(value).toBeTypeOf('number');
    }
    expect(policy.actBatch([])).toEqual([]);
  });

  test('gives the mean that it acts by, and how often it samples what', async () => {
    const pendulum = await trained('Pendulum-v1');
    for (const observation of observationsOf(3, 10)) {
      const { distribution } = pendulum.inspect(observation);
      if (distribution.kind !== 'gaussian') throw new Error(distribution.kind);
      const [action] = pendulum.actor().act(observation) as Float32Array;
      expect(Math.min(2, Math.max(-2, distribution.mean[0]))).toBeCloseTo(action, 4);
      expect(distribution.std[0]).toBeGreaterThan(0);
    }
    const cartPole = await trained('CartPole-v1');
    const [observation] = observationsOf(4, 1);
    const { distribution } = cartPole.inspect(observation);
    const actor = cartPole.actor();
    actor.reset(1);
    let ones = 0;
    for (let k = 0; k < 4000; k++) ones += Number(actor.act(observation, { deterministic: false }));
    const expected = distribution.kind === 'categorical' ? distribution.probabilities[0][1] : Number.NaN;
    expect(Math.abs(ones / 4000 - expected)).toBeLessThan(4 * Math.sqrt(0.25 / 4000));
  });

  test('names the observation of a batch that does not fit', async () => {
    const policy = await trained('CartPole-v1');
    expect(() => policy.actBatch([[0, 0, 0, 0], [0]])).toThrow(/observation 1 in/);
    expect(() => policy.inspect([0])).toThrow(expect.objectContaining({ code: 'SHAPE_OBSERVATION' }));
  });
});

test.each(ACTIVATION_NAMES)('the forward pass agrees with a second implementation: %s', (activation) => {
  for (const shared of [false, true]) {
    const base = makeSpec(gaussian(2));
    const network = { kind: 'mlp', hiddenSizes: [7, 5], activation, shared } as const;
    const spec = { ...base, network, normalizeObservations: false };
    const parameters = Float32Array.from(
      { length: mlpParameterLayout(spec).size },
      () => stream.uniform() * 2 - 1,
    );
    const forward = openMlpForward(spec, parameters, null);
    for (const observation of observationsOf(spec.observationSize, 4)) {
      const reference = forwardReference(spec, parameters, [observation]);
      const { outputs, value } = forward(observation);
      for (const [k, expected] of reference.outputs[0].entries()) expect(outputs[k]).toBeCloseTo(expected, 5);
      expect(value).toBeCloseTo(reference.values[0], 10);
    }
  }
});

describe('worked by hand', () => {
  const row = (outputs: number[], logStd: number[] | null = null, latent: number[] = []) => ({
    outputs: Float32Array.from(outputs),
    value: 1.5,
    latent: Float64Array.from(latent),
    logStd: logStd === null ? null : Float32Array.from(logStd),
  });

  test('a mask takes away what is forbidden', () => {
    const spec = categorical(2, 3);
    const { distribution } = inspectRow(spec, row([0, Math.log(3), 0, 5, 0]), Uint8Array.of(1, 1, 1, 0, 1));
    const { probabilities } = distribution as never as { probabilities: number[][] };
    expect(probabilities.flat().map((p) => Number(p.toFixed(6)))).toEqual([0.25, 0.75, 0.5, 0, 0.5]);
  });

  test('gSDE: the deviation follows the latent layer', () => {
    const gsde = { kind: 'gsde', size: 1, squash: true, sampleFrequency: 4, low: [-1], high: [1] } as const;
    const { distribution } = inspectRow(gsde, row([0.5], [0, Math.log(2)], [3, 2]), null);
    expect(distribution).toMatchObject({ kind: 'gaussian', mean: [0.5], isSquashed: true });
    expect((distribution as never as { std: number[] }).std[0]).toBeCloseTo(5, 6); // sqrt(3^2 + (2 * 2)^2)
  });

  test('dueling action values: V + A - mean A', () => {
    const dueling = {
      kind: 'epsilon-greedy',
      sizes: [3],
      numAtoms: 1,
      support: null,
      dueling: true,
    } as const;
    const { distribution } = inspectRow(dueling, row([10, 1, 2, 6]), null);
    expect(distribution).toEqual({ kind: 'action-values', values: [[8, 9, 13]] });
  });
});
