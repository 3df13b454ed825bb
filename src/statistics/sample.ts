/** Statistics of a few numbers. */

/** @param values at least one. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** sqrt(sum of squared deviations / (n - 1)); 0 of a single value. */
export function sampleDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const center = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - center) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/** Quantile by linear interpolation between order statistics (NumPy's default). @param values at least one. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  if (below === position) return sorted[below]; // the one above it may be infinite
  const above = below + 1;
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
}
