/** The main promise: CartPole-v1 to 475, with what `train` uses by default. Five seeds: `npm run bench:learning`. */
import { expect, test } from 'vitest';
import { PPOConfig } from '../../src/index.ts';

test.each([0, 1])(
  'CartPole-v1 reaches 475 within 100,000 steps: seed %i',
  async (seed) => {
    const algorithm = await new PPOConfig().environment('CartPole-v1').tuned().debugging({ seed }).build();
    let best = 0;
    let numEnvSteps = 0;
    while (best < 475 && numEnvSteps < 100_000) {
      const result = await algorithm.train();
      numEnvSteps = result.numEnvSteps;
      // The window of 100 episodes has to be full.
      if (result.numEpisodes >= 100) best = Math.max(best, result.episodeReturnMean ?? 0);
    }
    await algorithm.stop();
    expect(best).toBeGreaterThanOrEqual(475);
  },
  120_000,
);
