/** Settings of workload 20, in one vocabulary that every contestant translates into its own. */

export interface AppoSettings {
  readonly env: 'CartPole-v1';
  readonly numWorkers: number;
  /** Of all workers, as many each. */
  readonly numEnvs: number;
  /** A fragment is numEnvs x rolloutLength steps, and each pass over one is one update. */
  readonly rolloutLength: number;
  /** Over each new fragment, or over as many from the buffer. */
  readonly numPasses: number;
  /** Fragments. */
  readonly circularBufferSize: number;
  /** Fragments between two target policies. */
  readonly targetUpdateInterval: number;
  readonly gamma: number;
  readonly learningRate: number;
  readonly clipRange: number;
  /** Weight of mean((V - v)^2), without a half. */
  readonly valueCoeff: number;
  readonly entropyCoeff: number;
  readonly maxGradNorm: number;
  readonly adamEpsilon: number;
  /** Of tanh units, of the actor and of the critic each. */
  readonly hiddenSizes: readonly number[];
}

/**
 * What all three can be told: a constant learning rate (Sample Factory has none in a straight line), V-trace as in its paper (RLlib has no
 * decay of its traces) and updates of whole fragments, as RLlib's tuned CartPole example has them.
 */
export const APPO_CARTPOLE: AppoSettings = {
  env: 'CartPole-v1',
  numWorkers: 2,
  numEnvs: 16,
  rolloutLength: 16,
  numPasses: 4,
  circularBufferSize: 4,
  targetUpdateInterval: 2,
  gamma: 0.98,
  learningRate: 1e-3,
  clipRange: 0.2,
  valueCoeff: 0.5,
  entropyCoeff: 0,
  maxGradNorm: 0.5,
  adamEpsilon: 1e-8,
  hiddenSizes: [64, 64],
};
