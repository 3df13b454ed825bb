/** What acts with a recurrent DQN outside of its run. Exactness: test/conformance/recurrent.test.ts. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportPolicy } from '../../../src/export/export-policy.ts';
import { loadPolicy as loadPortable } from '../../../src/exports/recurrent-policy.ts';
import { Algorithm, DQNConfig, loadPolicy } from '../../../src/index.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

async function train(recurrent: 'lstm' | 'gru') {
  const algorithm = await new DQNConfig()
    .environment('RepeatFirst-v0')
    .envRunners({ numEnvRunners: 0, numEnvs: 4, normalizeObservations: true })
    .training({ recurrent, recurrentSize: 8, sequenceLength: 8, burnIn: 4, batchSize: 64, trainEvery: 8 })
    .training({
      hiddenSizes: [8],
      learningStarts: 200,
      stepsPerIteration: 512,
      dueling: true,
      epsilon: 0.2,
    })
    .build();
  while (algorithm.numEnvSteps < 6000) await algorithm.train();
  const path = await algorithm.save(join(temporaryFolder(), 'saved'));
  const evaluated = await algorithm.evaluate({ numEpisodes: 3, seed: 5 });
  await algorithm.stop();
  return { path, evaluated };
}

/** Symbols one after another, the first of them marked. */
const lookAt = (t: number) =>
  [0, 1, 2, 3].map((k) => Number(k === ((t * 7 + 2) % 5) % 4)).concat(t === 0 ? 1 : 0);

test.each(['lstm', 'gru'] as const)(
  '%s: an actor remembers its episode as the run does, on the kernels and without',
  async (cell) => {
    const { path, evaluated } = await train(cell);
    const restored = await Algorithm.fromCheckpoint(path, {}, { trust: true });
    expect((await restored.evaluate({ numEpisodes: 3, seed: 5 })).returns).toEqual(evaluated.returns);
    await restored.stop();

    const policy = await loadPolicy(path);
    const portable = await loadPortable({ read: (file) => readFile(join(path, file)).catch(() => null) });
    const actor = policy.actor();
    const state = portable.initialState();
    const values: number[] = [];
    const actions = new Set<unknown>();
    for (let t = 0; t < 40; t++) {
      values.push(portable.value(lookAt(t), { state }) as number);
      const action = actor.act(lookAt(t));
      actions.add(action);
      expect(portable.act(lookAt(t), { state })).toBe(action);
    }
    const forgetful = Array.from({ length: 40 }, (_, t) =>
      portable.value(lookAt(t), { state: portable.initialState() }),
    );
    expect(values).not.toEqual(forgetful);
    expect(actions.size).toBeGreaterThan(1);
  },
);

test('states are where fragments began, so a resume cannot move these', async () => {
  const { path } = await train('lstm');
  const moved = Algorithm.fromCheckpoint(path, { training: { trainEvery: 4 } }, { trust: true });
  await expect(moved).rejects.toThrow(/other steps than every 4th: trainEvery was another/);
});

test('kernels of WebAssembly and of machine code, one learning thread or two: the same weights', async () => {
  const weights = async (nativeKernels: boolean, numLearnerThreads: number) => {
    const algorithm = await new DQNConfig()
      .environment('CartPoleNoVelocity-v0')
      .envRunners({ numEnvRunners: 0, numEnvs: 4 })
      .training({
        recurrent: 'gru',
        recurrentSize: 10,
        sequenceLength: 4,
        burnIn: 2,
        batchSize: 64,
        trainEvery: 4,
      })
      .training({ hiddenSizes: [8], learningStarts: 200, stepsPerIteration: 400, updatesPerStep: 0.1 })
      .learners({ nativeKernels, numLearnerThreads })
      .debugging({ deterministic: true })
      .build();
    await algorithm.train();
    const { tensors } = await algorithm.getState();
    await algorithm.stop();
    return tensors['policies/default/weights.safetensors'];
  };
  expect(await weights(false, 2)).toEqual(await weights(true, 1));
});

test('it exports with its state', async () => {
  const { path } = await train('lstm');
  const out = join(temporaryFolder(), 'policy.mjs');
  await exportPolicy({ checkpoint: path, to: 'js', out, verify: true });
});

test('sequences that overlap learn more steps than have been taken, once each can begin', async () => {
  const config = (learningStarts: number, replayCapacity: number) =>
    new DQNConfig()
      .environment('RepeatFirst-v0')
      .envRunners({ numEnvRunners: 0, numEnvs: 4 })
      .training({ recurrent: 'gru', recurrentSize: 4, hiddenSizes: [4], sequenceLength: 8, batchSize: 128 })
      .training({
        trainEvery: 4,
        updatesPerStep: 0.25,
        stepsPerIteration: 80,
        learningStarts,
        replayCapacity,
      });
  const algorithm = await config(64, 96).build(); // 80 steps, in which 4 sequences of 8 begin in every row: 0, 4, 8, 12
  const { metrics } = await algorithm.train();
  await algorithm.stop();
  expect(metrics['train/numUpdates']).toBe((80 - 64) / 4);
  await expect(config(63, 96).build()).rejects.toThrow(/learningStarts \(63\).*raise it to 64 or more/);
  await expect(config(64, 92).build()).rejects.toThrow(/replayCapacity \(92\).*at least 96 transitions/);
});
