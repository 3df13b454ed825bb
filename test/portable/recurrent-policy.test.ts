/** `operant/policy/recurrent` against the kernels' policy of the same checkpoint, episode by episode. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPolicy as loadPlain } from '../../src/exports/policy.ts';
import { loadPolicy as loadPortable } from '../../src/exports/recurrent-policy.ts';
import { loadPolicy, PPOConfig } from '../../src/index.ts';
import { shippedCheckpoint } from '../reference/shipped-policies.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const reader = (folder: string) => ({
  read: (path: string) => readFile(join(folder, path)).catch(() => null),
});

async function train(recurrent: 'lstm' | 'gru', sharedLayers: boolean): Promise<string> {
  const algorithm = await new PPOConfig()
    .environment(recurrent === 'gru' ? 'PendulumNoVelocity-v0' : 'CartPoleNoVelocity-v0')
    .envRunners({ numEnvRunners: 0, numEnvs: 4, rolloutLength: 32, normalizeObservations: true })
    .training({
      recurrent,
      recurrentSize: 8,
      sequenceLength: 16,
      hiddenSizes: [8],
      policyGain: 3,
      sharedLayers,
      ...(recurrent === 'gru' && { recurrentLayers: 2, recurrentPosition: 'last' }),
    })
    .build();
  await algorithm.train();
  const path = await algorithm.save(join(temporaryFolder(), 'saved'));
  await algorithm.stop();
  return path;
}

const numbersOf = (action: unknown) =>
  typeof action === 'number' ? [action] : [...(action as Float32Array)];
const difference = (a: unknown, b: unknown) =>
  Math.max(...numbersOf(a).map((x, k) => Math.abs(x - numbersOf(b)[k])));

describe.each([
  ['lstm', false],
  ['gru', true],
] as const)('%s, shared layers %s', (cell, shared) => {
  const observationOf = (size: number, t: number, episode = 0) =>
    Array.from({ length: size }, (_, i) => Math.sin(t * (i + 1) + episode));
  const open = async () => {
    const path = await train(cell, shared);
    const [kernels, portable] = [await loadPolicy(path), await loadPortable(reader(path))];
    const size = kernels.spec.observationSize;
    return { path, kernels, portable, look: (t: number, episode = 0) => observationOf(size, t, episode) };
  };

  test('plays the episode that the kernels play, greedily and sampled, and again after a reset', async () => {
    const { kernels, portable, look } = await open();
    const [ours, theirs] = [portable.actor(3), kernels.actor()];
    theirs.reset(3);
    for (const deterministic of [true, false]) {
      const [a, b] = [[] as unknown[], [] as unknown[]];
      for (let t = 0; t < 80; t++) {
        a.push(ours.act(look(t), { deterministic }));
        b.push(theirs.act(look(t), { deterministic }));
      }
      for (const [t, action] of a.entries()) expect(difference(action, b[t])).toBeLessThanOrEqual(1e-5);
      expect(new Set(a.map(String)).size).toBeGreaterThan(1);
      ours.reset(9);
      theirs.reset(9);
    }
  });

  test('a state goes in and comes out; looking leaves it; it makes a difference', async () => {
    const { kernels, portable, look } = await open();
    const states = [0, 1, 2].map(() => portable.initialState());
    const actors = states.map(() => kernels.actor());
    for (let t = 0; t < 30; t++) {
      const before = states[0].slice();
      portable.distribution(look(t), { state: states[0] });
      portable.value(look(t), { state: states[0] });
      expect(states[0]).toEqual(before);
      const rows = states.map((_, episode) => look(t, episode));
      const actions = portable.actBatch(rows, undefined, states);
      for (const [k, action] of actions.entries())
        expect(difference(action, actors[k].act(rows[k]))).toBeLessThanOrEqual(1e-5);
      expect(states[0]).not.toEqual(before);
    }
    const seen = (state: Float64Array) => portable.value(look(0), { state });
    expect(seen(states[0])).not.toBe(seen(portable.initialState()));
  });

  test('without a state, or with a foreign one, it says what to do; operant/policy names this entry', async () => {
    const { path, portable, look } = await open();
    expect(() => portable.act(look(0))).toThrow(/initialState/);
    expect(() => portable.act(look(0), { state: new Float64Array(3) })).toThrow(/of \d+ numbers, got 3/);
    await expect(loadPlain(reader(path))).rejects.toThrow(/operant\/policy\/recurrent/);
  });
});

test('policies that remember nothing act as they do in operant/policy', async () => {
  const path = await shippedCheckpoint('ppo, categorical');
  const [plain, portable] = [await loadPlain(reader(path)), await loadPortable(reader(path))];
  expect(portable.initialState()).toHaveLength(0);
  const observation = [0.1, 0.2, -0.3, 0];
  expect(portable.probabilities(observation)).toEqual(plain.probabilities(observation));
  expect(portable.actor().act(observation)).toBe(plain.act(observation));
});
