/**
 * Medians, spread and bootstrap intervals of benchmark results; seeded, so that a report can be made again.
 *
 * The percentile bootstrap of few values is narrower than it says: with five from a normal distribution a nominal 95% holds the
 * true mean in about 84% of cases (half a width of 1.96 sqrt(4/5) s / sqrt(5), where Student's t asks for 2.78 s / sqrt(5)).
 */
import seedrandom from 'seedrandom';
import { mean, quantile } from '../src/statistics/sample.ts';

export { mean, quantile };

const NUM_RESAMPLES = 10_000;

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Population standard deviation. */
export function deviation(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - center) ** 2)));
}

/** Percentile interval of the mean of `draw(resample)` over resampled seeds; `tail` is left out at each end. */
function interval(
  draw: (pick: (count: number) => number) => number,
  tail = 0.025,
): readonly [number, number] {
  const random = seedrandom.alea('bootstrap');
  const pick = (count: number) => Math.floor(random() * count);
  const draws = Array.from({ length: NUM_RESAMPLES }, () => draw(pick));
  return [quantile(draws, tail), quantile(draws, 1 - tail)];
}

/** 95% bootstrap interval of the mean over seeds. */
export function meanInterval(values: readonly number[]): readonly [number, number] {
  return interval((pick) => mean(values.map(() => values[pick(values.length)])));
}

/** 97.5% quantiles of Student's t for 1 to 10 degrees of freedom; more are held to the last one, which is too wide for them. */
const STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

/** Student's 95% interval of the mean over seeds; without bounds for a single one. */
export function studentInterval(values: readonly number[]): readonly [number, number] {
  if (values.length < 2) return [-Infinity, Infinity];
  const freedom = values.length - 1;
  const quantile = STUDENT[Math.min(freedom, STUDENT.length) - 1];
  const half = (quantile * deviation(values)) / Math.sqrt(freedom);
  return [mean(values) - half, mean(values) + half];
}

/** 95% bootstrap interval of mean(first) - mean(second), the two resampled independently. */
export function differenceInterval(
  first: readonly number[],
  second: readonly number[],
): readonly [number, number] {
  const resampled = (values: readonly number[], pick: (count: number) => number) =>
    mean(values.map(() => values[pick(values.length)]));
  return interval((pick) => resampled(first, pick) - resampled(second, pick));
}

/** 90% bootstrap interval of median(first) - median(second), whose values belong together in pairs. */
export function pairedMedianInterval(
  first: readonly number[],
  second: readonly number[],
): readonly [number, number] {
  return interval((pick) => {
    const indices = first.map(() => pick(first.length));
    return median(indices.map((i) => first[i])) - median(indices.map((i) => second[i]));
  }, 0.05);
}
