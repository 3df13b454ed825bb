/**
 * DQN settings tuned per environment, by environment id and section. `train` starts from them; builders ask by `.tuned()`.
 *
 * Tuned on seeds 100 and up; reported on others, from 0 up (MountainCar-v0 from 10: bench/results/learning.md).
 */
import type { TunedDefaults } from '../../src/config/tuned-defaults.ts';

export const tunedDQN: TunedDefaults = {
  // Windows of five steps and draws by priority hold on to what the zoo's settings find and lose again; the step size goes to nothing at the end
  'CartPole-v1': {
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
    },
    stopping: { stopSteps: 50_000 },
  },
  // For memory: both with a cell of their own size, the first alone needs observations of equal size, since a step moves them little
  'CartPoleNoVelocity-v0': {
    envRunners: { numEnvs: 8, normalizeObservations: true },
    training: {
      recurrent: 'lstm',
      recurrentSize: 64,
      sequenceLength: 16,
      burnIn: 8,
      hiddenSizes: [64],
      double: true,
      nStep: 5,
      gamma: 0.98,
      learningRate: { schedule: 'linear', from: 1e-3, to: 1e-5 },
      scheduleSteps: 100_000,
      adamEpsilon: 1e-4, // with 1e-8 and tau 0.01 seed 101 ended at 210, with these at 500
      tau: 0.005,
      batchSize: 512,
      replayCapacity: 50_000,
      learningStarts: 1000,
      trainEvery: 8,
      updatesPerStep: 0.25,
      stepsPerIteration: 4000,
      epsilon: {
        schedule: 'piecewise',
        points: [
          [0, 1],
          [10_000, 0.04],
        ],
      },
    },
    stopping: { stopSteps: 100_000 },
  },
  'RepeatFirst-v0': {
    envRunners: { numEnvs: 8 },
    training: {
      recurrent: 'lstm',
      recurrentSize: 32,
      sequenceLength: 16,
      hiddenSizes: [32],
      double: true,
      batchSize: 256,
      replayCapacity: 50_000,
      learningStarts: 1000,
      trainEvery: 8,
      updatesPerStep: 0.5,
      stepsPerIteration: 2000,
      epsilon: { schedule: 'linear', from: 1, to: 0.05 },
      scheduleSteps: 20_000,
    },
    stopping: { stopSteps: 30_000 },
  },
  // Steps with one draw of noisy layers go one way for a while, which finds the hill that steps of epsilon alone do not. Without atoms Q grows far
  // above 0, which no return is, and what was found is lost again
  'MountainCar-v0': {
    training: {
      noisy: true,
      double: true,
      distribution: 'c51',
      minReturn: -100,
      maxReturn: 0,
      nStep: 3,
      learningRate: { schedule: 'linear', from: 1e-3, to: 1e-5 },
      scheduleSteps: 120_000,
      tau: 0.005,
      batchSize: 128,
      replayCapacity: 50_000,
      learningStarts: 1000,
      trainEvery: 16,
      updatesPerStep: 0.5,
      hiddenSizes: [64, 64],
    },
    stopping: { stopSteps: 120_000 },
  },
  // rl-baselines3-zoo's exploration, updates and budget
  'Acrobot-v1': {
    training: {
      double: true,
      learningRate: { schedule: 'linear', from: 1e-3, to: 1e-5 },
      scheduleSteps: 100_000,
      tau: 0.005,
      batchSize: 128,
      replayCapacity: 50_000,
      learningStarts: 1000,
      trainEvery: 4,
      updatesPerStep: 1,
      epsilon: {
        schedule: 'piecewise',
        points: [
          [0, 1],
          [12_000, 0.05],
        ],
      },
      hiddenSizes: [128, 128],
    },
    stopping: { stopSteps: 100_000 },
  },
  // rl-baselines3-zoo's exploration and twice its budget, with smaller layers and a target that follows: 236; after 100,000 steps 184
  'LunarLander-v3': {
    training: {
      double: true,
      nStep: 3,
      learningRate: { schedule: 'linear', from: 1e-3, to: 1e-5 },
      scheduleSteps: 200_000,
      tau: 0.005,
      batchSize: 64,
      replayCapacity: 100_000,
      learningStarts: 1000,
      trainEvery: 4,
      updatesPerStep: 1,
      epsilon: {
        schedule: 'piecewise',
        points: [
          [0, 1],
          [12_000, 0.1],
          [50_000, 0.02],
        ],
      },
      hiddenSizes: [128, 128],
    },
    stopping: { stopSteps: 200_000 },
  },
};
