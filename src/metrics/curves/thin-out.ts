/** A long column as few points: means of neighbours. */
import type { Column } from './read-progress.ts';

/**
 * At most `maxPoints` points, each the mean of as many neighbours (the last of what is left), at the steps of the last of them.
 */
export function thinOut({ steps, values }: Column, maxPoints: number): Column {
  if (values.length <= maxPoints) return { steps, values };
  const size = Math.ceil(values.length / maxPoints);
  const thinned: Column = { steps: [], values: [] };
  for (let begin = 0; begin < values.length; begin += size) {
    const part = values.slice(begin, begin + size);
    thinned.steps.push(steps[begin + part.length - 1]);
    thinned.values.push(part.reduce((sum, value) => sum + value, 0) / part.length);
  }
  return thinned;
}
