/** The workloads' hyperparameters, in one vocabulary that every contestant translates into its own. */

export interface Ramp {
  readonly from: number;
  /** Reached, in a straight line, at the last environment step. Equal to `from`: constant. */
  readonly to: number;
}

export interface Settings {
  readonly env: 'CartPole-v1' | 'Pendulum-v1' | 'LunarLander-v3' | 'HalfCheetah-v5';
  readonly numEnvs: number;
  readonly rolloutLength: number;
  readonly minibatchSize: number;
  readonly numEpochs: number;
  readonly gamma: number;
  readonly gaeLambda: number;
  readonly learningRate: Ramp;
  readonly clipRange: Ramp;
  /** null = no value clipping. */
  readonly valueClipRange: number | null;
  /** Weight of mean((V - R)^2), without a half. */
  readonly valueCoeff: number;
  readonly entropyCoeff: number;
  /** A sample's squared value error counts at most this much; null = no bound. */
  readonly valueErrorBound: number | null;
  /** Initial weight of a KL penalty, and the divergence that it adapts to; 0 = none. */
  readonly klPenaltyCoeff: number;
  readonly klPenaltyTarget: number | null;
  readonly maxGradNorm: number | null;
  readonly adamEpsilon: number;
  readonly hiddenSizes: readonly number[];
  readonly activation: 'tanh' | 'relu' | 'identity';
  readonly sharedLayers: boolean;
  readonly logStdInit: number;
  /** Left out: true. */
  readonly orthogonalInit?: boolean;
  /** Observations by running statistics, rewards by those of the discounted return. Left out: as they are. */
  readonly normalized?: boolean;
}

const constant = (value: number): Ramp => ({ from: value, to: value });

const SB3_DEFAULTS = {
  valueClipRange: null,
  valueCoeff: 0.5,
  entropyCoeff: 0,
  valueErrorBound: null,
  klPenaltyCoeff: 0,
  klPenaltyTarget: null,
  maxGradNorm: 0.5,
  adamEpsilon: 1e-5,
  hiddenSizes: [64, 64],
  activation: 'tanh',
  sharedLayers: false,
  logStdInit: 0,
} as const;

/** rl-baselines3-zoo, CartPole-v1 (tuned). */
export const CARTPOLE_ZOO: Settings = {
  ...SB3_DEFAULTS,
  env: 'CartPole-v1',
  numEnvs: 8,
  rolloutLength: 32,
  minibatchSize: 256,
  numEpochs: 20,
  gamma: 0.98,
  gaeLambda: 0.8,
  learningRate: { from: 1e-3, to: 0 },
  clipRange: { from: 0.2, to: 0 },
};

/** CleanRL's ppo.py; its value loss has a half, so its coefficient 0.5 is 0.25 of ours. */
export const CARTPOLE_CLEANRL: Settings = {
  ...SB3_DEFAULTS,
  env: 'CartPole-v1',
  numEnvs: 4,
  rolloutLength: 128,
  minibatchSize: 128,
  numEpochs: 4,
  gamma: 0.99,
  gaeLambda: 0.95,
  learningRate: { from: 2.5e-4, to: 0 },
  clipRange: constant(0.2),
  valueClipRange: 0.2,
  valueCoeff: 0.25,
  entropyCoeff: 0.01,
};

/** RLtools' Pendulum example (src/rl/environments/pendulum/ppo/cpu): 74 iterations of 4 x 1024 steps. */
export const PENDULUM_RLTOOLS: Settings = {
  ...SB3_DEFAULTS,
  env: 'Pendulum-v1',
  numEnvs: 4,
  rolloutLength: 1024,
  minibatchSize: 256,
  numEpochs: 2,
  gamma: 0.9,
  gaeLambda: 0.95,
  learningRate: constant(1e-3),
  clipRange: constant(0.2),
  maxGradNorm: null,
  adamEpsilon: 1e-8,
  activation: 'relu',
  logStdInit: Math.LN2, // standard deviation 2
};

/** RLlib's tuned CartPole example: one linear layer of 32, batches of 4000, and its defaults for what the example leaves out. */
export const CARTPOLE_RLLIB: Settings = {
  ...SB3_DEFAULTS,
  env: 'CartPole-v1',
  numEnvs: 8,
  rolloutLength: 500,
  minibatchSize: 128,
  numEpochs: 6,
  gamma: 0.99,
  gaeLambda: 1,
  learningRate: constant(3e-4),
  clipRange: constant(0.3),
  valueCoeff: 0.01,
  valueErrorBound: 10,
  klPenaltyCoeff: 0.2,
  klPenaltyTarget: 0.01,
  maxGradNorm: null,
  adamEpsilon: 1e-8,
  hiddenSizes: [32],
  activation: 'identity',
  sharedLayers: true,
};

/** rl-baselines3-zoo, LunarLander-v3, and ours of the learning table: at a constant learning rate. */
export const LUNAR_LANDER_ZOO: Settings = {
  ...SB3_DEFAULTS,
  env: 'LunarLander-v3',
  numEnvs: 16,
  rolloutLength: 1024,
  minibatchSize: 64,
  numEpochs: 4,
  gamma: 0.999,
  gaeLambda: 0.98,
  learningRate: constant(3e-4),
  clipRange: constant(0.2),
  entropyCoeff: 0.01,
};

/** rl-baselines3-zoo, HalfCheetah (tuned), and ours of the learning table. */
export const HALF_CHEETAH_ZOO: Settings = {
  ...SB3_DEFAULTS,
  env: 'HalfCheetah-v5',
  numEnvs: 1,
  rolloutLength: 512,
  minibatchSize: 64,
  numEpochs: 20,
  gamma: 0.98,
  gaeLambda: 0.92,
  learningRate: constant(2.0633e-5),
  clipRange: constant(0.1),
  valueCoeff: 0.58096,
  entropyCoeff: 0.000401762,
  maxGradNorm: 0.8,
  hiddenSizes: [256, 256],
  activation: 'relu',
  logStdInit: -2,
  orthogonalInit: false,
  normalized: true,
};
