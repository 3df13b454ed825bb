/** How far actions may stray from what the network says: published with the weights, so that a version tells all about how it acted. */
export interface Exploration {
  /** Chance of a uniformly random action, in each row and branch; epsilon-greedy. In [0, 1]. */
  readonly epsilon: number;
  /** Standard deviation of what is added to an action in [-1, 1]; deterministic-tanh. */
  readonly noiseStd: number;
  /** Uniformly random actions whatever the network says (masks hold): warm-up. The network is not run. */
  readonly isRandom: boolean;
}

/** Stochastic policies sample as always, all others take their mode. */
export const NO_EXPLORATION: Exploration = { epsilon: 0, noiseStd: 0, isRandom: false };

/**
 * One row that is acted for. One record a thread, filled anew for each row; offsets in elements. `noise` is this row's, as the
 * distribution's file says; masks are null without masks.
 */
export interface RowCall {
  outputs: Float32Array; // f32: the network's, from outputOffset
  outputOffset: number;
  masks: Uint8Array | null; // u8, 1 = allowed
  maskOffset: number;
  noise: Float32Array; // f32
  noiseOffset: number;
  /** The last hidden layer and the free log deviations [H, A]; read by squashed-gsde only. */
  latent: Float32Array;
  latentOffset: number;
  logStd: Float32Array;
  logStdOffset: number;
  actions: Float32Array | Int32Array; // out, from actionOffset
  actionOffset: number;
  epsilon: number;
  noiseStd: number;
  /** The mode; noise is not read. */
  deterministic: boolean;
}

/** Writes one row's stored action. Allocates nothing. */
export type RowSampler = (call: RowCall) => void;

/** What the action of a row is worth under the network, Q(s, a) of the greedy one; null = the network gives no values. */
export type RowValue = (call: RowCall) => number;
