import { expect, it } from 'vitest';
import { SACConfig } from '../../src/index.ts';

/** Swings Pendulum up in 2000 steps, of which SAC with an update a step needs 4000: -1040 at 2000 steps, seeds 100 and 101. */
it('DroQ learns from few steps: dropout, layer normalisation, 20 updates a step', async () => {
  const algorithm = await new SACConfig()
    .environment('Pendulum-v1')
    .envRunners({ numEnvRunners: 0 })
    .training({
      hiddenSizes: [64, 64],
      batchSize: 100,
      learningStarts: 100,
      actorLearningRate: 1e-3,
      criticLearningRate: 1e-3,
      updatesPerStep: 20,
      policyDelay: 20,
      criticLayerNorm: true,
      criticDropout: 0.01,
      stepsPerIteration: 2000,
    })
    .debugging({ seed: 2 })
    .build();
  try {
    await algorithm.train();
    const { returnMean } = await algorithm.evaluate({ numEpisodes: 30, deterministic: true });
    expect(returnMean).toBeGreaterThan(-300);
  } finally {
    await algorithm.stop();
  }
}, 120_000);
