/** What the page trains with: the settings that `train --env CartPole` has for PPO, and quick ones for DQN. */
import type { PageDQNOptions, PagePPOOptions } from '../../../browser/index.ts';

export type AlgorithmName = 'ppo' | 'dqn';

export const ppoSettings: PagePPOOptions = {
  envRunners: { numEnvs: 8, rolloutLength: 64 },
  training: {
    learningRate: { schedule: 'linear', from: 1e-3, to: 0 },
    clipRange: { schedule: 'linear', from: 0.2, to: 0 },
    scheduleSteps: 100_000,
    gamma: 0.98,
    gaeLambda: 0.8,
    numEpochs: 10,
    minibatchSize: 64,
  },
};

export const dqnSettings: PageDQNOptions = {
  envRunners: { numEnvs: 8 },
  training: {
    double: true,
    nStep: 5,
    prioritised: true,
    learningRate: { schedule: 'linear', from: 1e-3, to: 1e-5 },
    scheduleSteps: 50_000,
    tau: 0.005,
    batchSize: 64,
    replayCapacity: 100_000,
    learningStarts: 1000,
    trainEvery: 8,
    updatesPerStep: 1,
    epsilon: {
      schedule: 'piecewise',
      points: [
        [0, 1],
        [8000, 0.04],
      ],
    },
    hiddenSizes: [64, 64],
    stepsPerIteration: 256,
  },
};

/** Ends when the mean of the last 100 episodes is this, or after so many steps. */
export const STOP_RETURN = 475;
export const STOP_STEPS: Readonly<Record<AlgorithmName, number>> = { ppo: 100_000, dqn: 50_000 };
export const STOP_WINDOW = 100;

/** Of the page's store: one training is kept for each algorithm. */
export const STORE = 'operant-cart-pole';

/** CartPole counts as learnt when the mean of the last 20 episodes is above this. */
export const SOLVED_RETURN = 195;
export const SOLVED_WINDOW = 20;
export const MAX_EPISODE_STEPS = 500;
