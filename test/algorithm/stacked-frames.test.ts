/** Frames that a wrapper stacked are kept once, without an option that says so. */
import { expect, test } from 'vitest';
import { frameStackObservation } from '../../src/env/wrappers/memory.ts';
import { timeLimit } from '../../src/env/wrappers/time.ts';
import { DQNConfig } from '../../src/index.ts';
import lineEnv from '../replay/goal-env.ts';

test('a replay buffer stores the frames of a stacked observation one by one', async () => {
  const stacked = () => timeLimit(frameStackObservation(lineEnv(), 3), 6);
  expect(stacked().frameStack).toEqual({ numFrames: 3, groupSize: 4 });
  const algorithm = await new DQNConfig()
    .environment(stacked)
    .envRunners({ numEnvRunners: 0, numEnvs: 2 })
    .training({
      learningStarts: 40,
      batchSize: 16,
      stepsPerIteration: 80,
      replayCapacity: 500,
      hiddenSizes: [8],
    })
    .build();
  try {
    await algorithm.train();
    const { json, tensors } = await algorithm.getState();
    expect(json['replay.json'].layout).toMatchObject({ observationSize: 12, numFrames: 3 });
    expect(tensors['replay.safetensors'].observations.shape[2]).toBe(4);
  } finally {
    await algorithm.stop();
  }
});
