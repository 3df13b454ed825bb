/** Actions of mixed kinds, from the environment to a loaded policy. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportPolicy } from '../../src/export/export-policy.ts';
import {
  A2CConfig,
  Algorithm,
  APPOConfig,
  checkEnv,
  DQNConfig,
  IMPALAConfig,
  loadPolicy,
  SACConfig,
} from '../../src/index.ts';
import { runOut } from '../conformance/subject.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import hybridEnv, { type HybridAction } from './fixtures/hybrid-env.ts';
import { HYBRID_ENV as ENV, hybridPpo as ppo } from './fixtures/hybrid-ppo.ts';

it('checkEnv finds nothing wrong with it, masks included', () => {
  expect(checkEnv(hybridEnv).findings.filter(({ severity }) => severity === 'error')).toEqual([]);
});

describe('PPO', () => {
  it('learns choice, number and bit at once, and the loaded policy knows all three', async () => {
    const algorithm = await ppo().build();
    for (let k = 0; k < 40; k++) await algorithm.train();
    const { returnMean } = await algorithm.evaluate({ numEpisodes: 50 });
    expect(returnMean).toBeGreaterThan(7.5);
    const path = await algorithm.save(join(temporaryFolder(), 'saved'));
    await algorithm.stop();
    const policy = await loadPolicy(path);
    const actor = policy.actor();
    const action = actor.act([0, 1, 0, -0.5], { actionMask: [1, 1, 0] }) as HybridAction;
    expect(Object.keys(action).sort()).toEqual(['amount', 'choice', 'flag']);
    expect([action.choice, [...action.flag]]).toEqual([6, [0]]);
    expect(Math.abs(action.amount[0] + 0.5)).toBeLessThan(0.25);
    expect((actor.act([0, 1, 0, -0.5], { actionMask: [1, 0, 1] }) as HybridAction).choice).not.toBe(6);
    const { distribution } = policy.inspect([0, 1, 0, -0.5], { actionMask: [1, 1, 1] });
    expect(distribution.kind === 'product' && distribution.parts.map(({ kind }) => kind)).toEqual([
      'gaussian',
      'categorical',
      'bernoulli',
    ]);
    const out = join(temporaryFolder(), 'policy.onnx');
    await expect(exportPolicy({ checkpoint: path, to: 'onnx', out })).rejects.toMatchObject({
      code: 'ENGINE_EXPORT',
      message: expect.stringMatching(/actions of one kind.*loadPolicy/),
    });
  });

  it('is the same for any number of workers, and over a resume, recurrent or not', async () => {
    for (const training of [{}, { recurrent: 'lstm', recurrentSize: 8, sequenceLength: 8 }]) {
      const expected = await runOut(await ppo(0, training).build(), 4);
      expect(await runOut(await ppo(2, training).build(), 4)).toEqual(expected);
      const first = await ppo(0, training).build();
      await first.train();
      const path = await first.save(join(temporaryFolder(), 'saved'));
      const rest = await runOut(first, 3);
      const resumed = await Algorithm.fromCheckpoint(path, {}, { trust: true });
      expect(await runOut(resumed, 3)).toEqual(rest);
    }
  });
});

it.each([
  ['A2C', () => new A2CConfig().training({ learningRate: 5e-3, gamma: 0, gaeLambda: 0 })],
  ['IMPALA', () => new IMPALAConfig().training({ learningRate: 5e-3, gamma: 0, lag: 1 })],
  ['APPO', () => new APPOConfig().training({ learningRate: 3e-3, gamma: 0, lag: 1 })],
])('%s learns them, too', async (_, create) => {
  const config = create().environment(ENV).envRunners({ numEnvRunners: 0, numEnvs: 16, rolloutLength: 8 });
  const algorithm = await config.learners({ engine: 'simd' }).build();
  let last = Number.NEGATIVE_INFINITY;
  while (algorithm.numEnvSteps < 12_000) last = (await algorithm.train()).episodeReturnMean ?? last;
  await algorithm.stop();
  expect(last).toBeGreaterThan(5); // at random 3.7
});

it('curiosity sees such actions', async () => {
  const algorithm = await ppo(0, {
    curiosity: 'icm',
    curiosityHiddenSizes: [16],
    curiosityFeatures: 8,
  }).build();
  let loss = 0;
  for (let k = 0; k < 12; k++) {
    const { metrics } = await algorithm.train();
    if (k === 0) loss = metrics['train/inverseLoss'];
    else if (k === 11) expect(metrics['train/inverseLoss']).toBeLessThan(loss);
  }
  await algorithm.stop();
});

it('algorithms that have no such policy say so', async () => {
  for (const config of [new DQNConfig(), new SACConfig()]) {
    await expect(config.environment(ENV).build()).rejects.toMatchObject({
      code: 'CONFIG_ACTION_SPACE',
      message: expect.stringMatching(/Dict/),
    });
  }
  await expect(ppo(0, { useGsde: true }).build()).rejects.toMatchObject({
    code: 'CONFIG_ACTION_SPACE',
    message: expect.stringMatching(/useGsde is for continuous actions/),
  });
});
