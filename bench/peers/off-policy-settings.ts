/** Hyperparameters of the off-policy workloads, in one vocabulary that every contestant translates into its own. */

interface Shared {
  readonly hiddenSizes: readonly number[];
  readonly learningRate: number;
  readonly batchSize: number;
  /** Transitions. */
  readonly bufferSize: number;
  /** Random steps before the first update. */
  readonly learningStarts: number;
  readonly gamma: number;
  /** Environment steps between updates, and updates then. One environment. */
  readonly trainEvery: number;
  readonly gradientSteps: number;
}

export interface DqnSettings extends Shared {
  readonly algorithm: 'dqn';
  readonly env: 'CartPole-v1';
  /** Environment steps between copies of the target. */
  readonly targetInterval: number;
  /** In a straight line from 1 over the first `explorationSteps`. */
  readonly finalEpsilon: number;
  readonly explorationSteps: number;
  readonly maxGradNorm: number;
}

export interface SacSettings extends Shared {
  readonly algorithm: 'sac';
  readonly env: 'Pendulum-v1';
  readonly tau: number;
}

/** Noise is TD3's own: 0.1 on actions, 0.2 within 0.5 on the target's, an actor's step after every two of the critics. */
export interface Td3Settings extends Shared {
  readonly algorithm: 'td3';
  readonly env: 'Pendulum-v1';
  readonly tau: number;
}

export type OffPolicySettings = DqnSettings | SacSettings | Td3Settings;

/** rl-baselines3-zoo, CartPole-v1: 50,000 steps. */
export const DQN_CARTPOLE_ZOO: DqnSettings = {
  algorithm: 'dqn',
  env: 'CartPole-v1',
  hiddenSizes: [256, 256],
  learningRate: 2.3e-3,
  batchSize: 64,
  bufferSize: 100_000,
  learningStarts: 1000,
  gamma: 0.99,
  trainEvery: 256,
  gradientSteps: 128,
  targetInterval: 10,
  finalEpsilon: 0.04,
  explorationSteps: 8000,
  maxGradNorm: 10,
};

/** rl-baselines3-zoo, Pendulum-v1: 20,000 steps; the batch is Stable-Baselines3's default. */
export const SAC_PENDULUM_ZOO: SacSettings = {
  algorithm: 'sac',
  env: 'Pendulum-v1',
  hiddenSizes: [256, 256],
  learningRate: 1e-3,
  batchSize: 256,
  bufferSize: 1_000_000,
  learningStarts: 256, // of all contestants: the zoo's 100 is less than the batch, which Stable-Baselines3 draws with repetition and we refuse
  gamma: 0.99,
  trainEvery: 1,
  gradientSteps: 1,
  tau: 0.005,
};

/** RLtools' Pendulum SAC: 2 x 64, batches of 100; 10,000 steps. */
export const SAC_PENDULUM_RLTOOLS: SacSettings = {
  ...SAC_PENDULUM_ZOO,
  hiddenSizes: [64, 64],
  batchSize: 100,
  bufferSize: 10_000,
  learningStarts: 100,
};

/** RLtools' Pendulum TD3: the same networks, batches and steps. */
export const TD3_PENDULUM_RLTOOLS: Td3Settings = { ...SAC_PENDULUM_RLTOOLS, algorithm: 'td3' };
