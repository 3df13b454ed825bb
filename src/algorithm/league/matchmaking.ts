/** Which past versions are opponents: pure functions of how often they were beaten, and of numbers in [0, 1). */

export interface Candidate {
  /** Share of points that the learner has made against it lately. */
  readonly winRate: number;
}

export interface Matchmaking {
  readonly selfPlay: 'uniform' | 'prioritized';
  /** null = all. */
  readonly opponentWindow: number | null;
  readonly priorityExponent: number;
}

/** (1 - x)^exponent (Vinyals et al. 2019, "f_hard"), made to sum to 1; alike where all are beaten always. */
export function priorities(winRates: readonly number[], exponent: number): number[] {
  // exp and log give the same bits in every V8, a power does not
  return sharesOf(winRates.map((rate) => (exponent === 0 ? 1 : Math.exp(exponent * Math.log(1 - rate)))));
}

function sharesOf(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => (total > 0 ? weight / total : 1 / weights.length));
}

/**
 * Draws one of the candidates, oldest first.
 *
 * @param uniform in [0, 1).
 * @returns its index; -1 = there is none.
 */
export function drawOpponent(
  candidates: readonly Candidate[],
  { selfPlay, opponentWindow, priorityExponent }: Matchmaking,
  uniform: number,
): number {
  const first = Math.max(0, candidates.length - (opponentWindow ?? candidates.length));
  const eligible = candidates.slice(first);
  if (eligible.length === 0) return -1;
  if (selfPlay === 'uniform') return first + Math.floor(uniform * eligible.length);
  const shares = priorities(
    eligible.map(({ winRate }) => winRate),
    priorityExponent,
  );
  return first + drawByShares(shares, uniform);
}

/** @returns an index; alike often where all weights are 0. @param uniform in [0, 1). */
export function drawByWeights(weights: readonly number[], uniform: number): number {
  return drawByShares(sharesOf(weights), uniform);
}

function drawByShares(shares: readonly number[], uniform: number): number {
  let left = uniform;
  for (const [k, share] of shares.entries()) {
    left -= share;
    if (left < 0) return k;
  }
  return shares.length - 1; // rounding
}
