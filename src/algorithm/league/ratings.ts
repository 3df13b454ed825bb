/** Ratings with a margin of error, from who scored what against whom. */

/** Games between two players; a draw is half a point. */
export interface PairRecord {
  readonly first: number;
  readonly second: number;
  readonly games: number;
  /** Of the first, in [0, games]. */
  readonly score: number;
}

export interface Rating {
  /** Elo: 400 points are odds of ten to one. */
  readonly rating: number;
  /** Half of the 95% interval, Elo. */
  readonly margin: number;
}

const ELO_PER_LOGIT = 400 / Math.LN10;
const MAX_STEPS = 100;

/**
 * Elo ratings by maximum likelihood (Bradley and Terry 1952: P(i beats j) = 1 / (1 + e^(r_j - r_i)), draws as half a win), and their margins
 * from the curvature there. Player 0 is the fixed point. A normal prior of `priorDeviation` around it keeps who has won all games, or
 * played none, finite, and says in the margin how little is known. Games are taken for independent.
 *
 * Newton's method; the likelihood is concave. Deterministic for the order of `pairs`. Cost: O(numPlayers^3) a step, some ten steps.
 */
export function fitRatings(
  numPlayers: number,
  pairs: readonly PairRecord[],
  { fixedPoint = 1000, priorDeviation = 1000 } = {},
): Rating[] {
  const M = numPlayers - 1; // player k + 1 is unknown k
  const logits = new Float64Array(numPlayers);
  const precision = (ELO_PER_LOGIT / priorDeviation) ** 2;
  let curvature = new Float64Array(M * M);
  for (let step = 0; step < MAX_STEPS; step++) {
    const slopes = Float64Array.from({ length: M }, (_, k) => -precision * logits[k + 1]); // [M] f64
    curvature = new Float64Array(M * M); // [M, M] f64
    for (let k = 0; k < M; k++) curvature[k * M + k] = precision;
    for (const pair of pairs) addPair(pair, logits, slopes, curvature);
    const change = solve(factor(curvature, M), slopes);
    let largest = 0;
    for (let k = 0; k < M; k++) {
      logits[k + 1] += Math.max(-2, Math.min(2, change[k])); // far from the maximum Newton's step may overshoot
      largest = Math.max(largest, Math.abs(change[k]));
    }
    if (largest < 1e-10) break;
  }
  const triangle = factor(curvature, M);
  return Array.from({ length: numPlayers }, (_, player) => {
    if (player === 0) return { rating: fixedPoint, margin: 0 };
    const unit = new Float64Array(M);
    unit[player - 1] = 1;
    const variance = solve(triangle, unit)[player - 1];
    return {
      rating: fixedPoint + ELO_PER_LOGIT * logits[player],
      margin: 1.96 * ELO_PER_LOGIT * Math.sqrt(variance),
    };
  });
}

function addPair(
  { first, second, games, score }: PairRecord,
  logits: Float64Array,
  slopes: Float64Array,
  curvature: Float64Array,
): void {
  const M = slopes.length;
  const p = 1 / (1 + Math.exp(logits[second] - logits[first]));
  const slope = score - games * p;
  const weight = games * p * (1 - p);
  const [a, b] = [first - 1, second - 1];
  if (a >= 0) {
    slopes[a] += slope;
    curvature[a * M + a] += weight;
  }
  if (b >= 0) {
    slopes[b] -= slope;
    curvature[b * M + b] += weight;
  }
  if (a < 0 || b < 0) return;
  curvature[a * M + b] -= weight;
  curvature[b * M + a] -= weight;
}

/** Cholesky: the lower triangle L of a positive definite matrix, L L^T. [M, M] f64 */
function factor(matrix: Float64Array, M: number): Float64Array {
  const L = new Float64Array(M * M);
  for (let i = 0; i < M; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * M + j];
      for (let k = 0; k < j; k++) sum -= L[i * M + k] * L[j * M + k];
      L[i * M + j] = i === j ? Math.sqrt(sum) : sum / L[j * M + j];
    }
  }
  return L;
}

/** x with L L^T x = b. */
function solve(L: Float64Array, b: Float64Array): Float64Array {
  const M = b.length;
  const x = b.slice();
  for (let i = 0; i < M; i++) {
    for (let k = 0; k < i; k++) x[i] -= L[i * M + k] * x[k];
    x[i] /= L[i * M + i];
  }
  for (let i = M - 1; i >= 0; i--) {
    for (let k = i + 1; k < M; k++) x[i] -= L[k * M + i] * x[k];
    x[i] /= L[i * M + i];
  }
  return x;
}
