/** What acts with a recurrent actor that was learnt from replay, outside of its run. Exactness: test/conformance/recurrent.test.ts. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportPolicy } from '../../../src/export/export-policy.ts';
import { loadPolicy as loadPortable } from '../../../src/exports/recurrent-policy.ts';
import {
  Algorithm,
  loadPolicy,
  SACConfig,
  SACDiscreteConfig,
  TD3Config,
  TQCConfig,
} from '../../../src/index.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const PENDULUM = 'PendulumNoVelocity-v0';
const CART_POLE = 'CartPoleNoVelocity-v0';

/** Angles of a pendulum that falls, positions of a cart that is pushed. */
const lookAt = (env: string, t: number) =>
  env === PENDULUM ? [Math.cos(0.1 * t * t), Math.sin(0.1 * t * t)] : [0.01 * t * t, -0.02 * t];

const numberIn = (action: unknown) => (typeof action === 'number' ? action : (action as Float32Array)[0]);

async function train(Config: typeof SACConfig, env: string, recurrent: 'lstm' | 'gru'): Promise<string> {
  const algorithm = await new Config()
    .environment(env)
    .envRunners({ numEnvRunners: 0, numEnvs: 4, normalizeObservations: true })
    .training({ recurrent, recurrentSize: 6, sequenceLength: 4, burnIn: 3, batchSize: 32, trainEvery: 4 })
    .training({ hiddenSizes: [8], learningStarts: 200, updatesPerStep: 0.1, stepsPerIteration: 400 })
    .build();
  for (let k = 0; k < 2; k++) await algorithm.train();
  const path = await algorithm.save(join(temporaryFolder(), 'saved'));
  const { returns } = await algorithm.evaluate({ numEpisodes: 2, seed: 5 });
  await algorithm.stop();
  const restored = await Algorithm.fromCheckpoint(path, {}, { trust: true });
  expect((await restored.evaluate({ numEpisodes: 2, seed: 5 })).returns).toEqual(returns);
  await restored.stop();
  return path;
}

test.each([
  ['SAC', SACConfig, PENDULUM, 'lstm'],
  ['TQC', TQCConfig as unknown as typeof SACConfig, PENDULUM, 'gru'],
  ['TD3', TD3Config as unknown as typeof SACConfig, PENDULUM, 'gru'],
  ['discrete SAC', SACDiscreteConfig as unknown as typeof SACConfig, CART_POLE, 'lstm'],
] as const)(
  '%s: an actor remembers its episode as the run does, on the kernels, without and exported',
  async (...given) => {
    const [, Config, env, cell] = given;
    const path = await train(Config, env, cell);
    const policy = await loadPolicy(path);
    const portable = await loadPortable({ read: (file) => readFile(join(path, file)).catch(() => null) });
    const actor = policy.actor();
    const state = portable.initialState();
    const actions: number[] = [];
    for (let t = 0; t < 12; t++) {
      const action = numberIn(actor.act(lookAt(env, t)));
      const same = numberIn(portable.act(lookAt(env, t), { state }));
      expect(same).toBeCloseTo(action, 4);
      actions.push(action);
    }
    expect(state.some((value) => value !== 0)).toBe(true);
    actor.reset();
    expect(numberIn(actor.act(lookAt(env, 0)))).toBe(actions[0]);
    if (env === PENDULUM) expect(numberIn(policy.actor().act(lookAt(env, 11)))).not.toBe(actions[11]);
    await exportPolicy({
      checkpoint: path,
      to: 'js',
      out: join(temporaryFolder(), 'policy.mjs'),
      verify: true,
    });
  },
);
