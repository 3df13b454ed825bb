/** Running mean and variance in float64, merged once per iteration in environment order. */

/** Plain JSON for checkpoints. */
export interface MomentsState {
  readonly count: number;
  readonly mean: readonly number[];
  /** Sum of squared deviations from the mean. */
  readonly squares: readonly number[];
}

export interface RunningMoments {
  /** Adds `numRows` rows of `size` numbers, starting at the beginning of `rows`. */
  add(rows: ArrayLike<number>, numRows: number): void;
  /** f64 [size]; 0 before the first row. */
  readonly mean: Float64Array;
  /** Population variance, f64 [size]; 1 before the second row. */
  variance(k: number): number;
  getState(): MomentsState;
  setState(state: MomentsState): void;
}

/**
 * Exact two-pass moments of each batch, merged by Chan, Golub and LeVeque's parallel formula (1979), so that the result
 * depends on the rows and their order alone. Cost: O(numRows * size), no allocation.
 */
export function createRunningMoments(size: number): RunningMoments {
  let count = 0;
  const mean = new Float64Array(size);
  const squares = new Float64Array(size);
  const addDimension = (rows: ArrayLike<number>, numRows: number, k: number): void => {
    let batchMean = 0;
    for (let i = k; i < numRows * size; i += size) batchMean += rows[i];
    batchMean /= numRows;
    let batchSquares = 0;
    for (let i = k; i < numRows * size; i += size) batchSquares += (rows[i] - batchMean) ** 2;
    const delta = batchMean - mean[k];
    const total = count + numRows;
    mean[k] += (delta * numRows) / total;
    squares[k] += batchSquares + (delta * delta * count * numRows) / total;
  };
  return {
    mean,
    add(rows, numRows) {
      if (numRows === 0) return;
      for (let k = 0; k < size; k++) addDimension(rows, numRows, k);
      count += numRows;
    },
    variance: (k) => (count > 1 ? squares[k] / count : 1),
    getState: () => ({ count, mean: [...mean], squares: [...squares] }),
    setState(state) {
      count = state.count;
      mean.set(state.mean);
      squares.set(state.squares);
    },
  };
}

/** Running normalisation of observations: x' = clip((x - mean) / sqrt(variance + 1e-8), +-clip). Detail 28 of the 37. */
/** Raw observations of some steps: a rollout, a fragment. */
export interface ObservedRows {
  readonly observations: ArrayLike<number>; // [numRows, rolloutLength, obsSize]
  readonly numRows: number;
  readonly rolloutLength: number;
}

export interface ObservationNormalizer {
  /** f32 [obsSize]; frozen between calls of `absorb`. */
  readonly mean: Float32Array;
  readonly inverseStd: Float32Array;
  /** Merges a rollout's observations and refreshes `mean` and `inverseStd`. */
  absorb(rollout: ObservedRows): void;
  getState(): MomentsState;
  setState(state: MomentsState): void;
}

const VARIANCE_EPSILON = 1e-8;

export function createObservationNormalizer(observationSize: number): ObservationNormalizer {
  const moments = createRunningMoments(observationSize);
  const mean = new Float32Array(observationSize);
  const inverseStd = new Float32Array(observationSize).fill(1);
  const refresh = (): void => {
    for (let k = 0; k < observationSize; k++) {
      mean[k] = moments.mean[k];
      inverseStd[k] = 1 / Math.sqrt(moments.variance(k) + VARIANCE_EPSILON);
    }
  };
  return {
    mean,
    inverseStd,
    absorb({ observations, numRows, rolloutLength }) {
      moments.add(observations, numRows * rolloutLength);
      refresh();
    },
    getState: moments.getState,
    setState(state) {
      moments.setState(state);
      refresh();
    },
  };
}
