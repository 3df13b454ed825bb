/** "Did you mean": the known name nearest to one that is not known. */

/**
 * The candidate with the least edit distance, if it is near enough to be meant: at most a third of the longer name, and at
 * least 2 edits. Case, `-` and `_` do not count. Ties go to the first candidate.
 */
export function nearestName(given: string, candidates: readonly string[]): string | undefined {
  const plainGiven = plain(given.slice(0, 64)); // the cost is quadratic, and nobody mistypes a longer name
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const plainCandidate = plain(candidate);
    const distance = editDistance(plainGiven, plainCandidate);
    const limit = Math.max(2, Math.floor(Math.max(plainGiven.length, plainCandidate.length) / 3));
    if (distance <= limit && distance < plainCandidate.length && distance < bestDistance) {
      [best, bestDistance] = [candidate, distance];
    }
  }
  return best;
}

/** Lower case without `-` and `_`: `clip_param`, `clip-param` and `clipParam` are one name. */
export function plain(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '');
}

/**
 * Edits between two texts: insert, delete, replace, or swap two neighbours, each counting 1 (optimal string alignment).
 *
 * Cost: O(a.length * b.length), three rows of memory.
 */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replace = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(replace, previous[j] + 1, current[j - 1] + 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) least = Math.min(least, beforePrevious[j - 2] + 1);
      current.push(least);
    }
    [beforePrevious, previous] = [previous, current];
  }
  return previous[b.length];
}
