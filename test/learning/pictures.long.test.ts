/** DQN learns from pixels: a convolutional network on the TensorFlow engine, uint8 frames in the replay buffer. */
import { expect, test } from 'vitest';
import { DQNConfig } from '../../src/index.ts';
import { CATCH_TRAINING, catchGame } from './catch-env.ts';

const STEPS = 4000;

test('DQN with a convolutional network catches the ball', async () => {
  const algorithm = await new DQNConfig()
    .environment(catchGame)
    .envRunners({ numEnvRunners: 0 })
    .learners({ engine: 'tensorflow' })
    .training(CATCH_TRAINING)
    .debugging({ seed: 100 })
    .build();
  try {
    const evaluation = { numEpisodes: 100, deterministic: true, seed: 1 };
    const before = await algorithm.evaluate(evaluation);
    while (algorithm.numEnvSteps < STEPS) await algorithm.train();
    const after = await algorithm.evaluate(evaluation);
    expect(before.returnMean).toBeLessThan(0);
    expect(after.returnMean).toBeGreaterThan(0.9);
  } finally {
    await algorithm.stop();
  }
}, 300_000);
