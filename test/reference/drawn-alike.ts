/** Whether two samples come from one distribution. */

/** Two samples of counts by category: sum (sqrt(n2/n1) a - sqrt(n1/n2) b)^2 / (a + b). */
export function chiSquareOf(first: readonly number[], second: readonly number[]): number {
  const [n1, n2] = [first.length, second.length];
  let sum = 0;
  for (const category of new Set([...first, ...second])) {
    const [a, b] = [first, second].map((sample) => sample.filter((x) => x === category).length);
    sum += (Math.sqrt(n2 / n1) * a - Math.sqrt(n1 / n2) * b) ** 2 / (a + b);
  }
  return sum;
}

/** What it exceeds once in a thousand times (Wilson and Hilferty 1931). */
export function chiSquareBound(numCategories: number): number {
  const [k, z] = [Math.max(1, numCategories - 1), 3.09];
  return k * (1 - 2 / (9 * k) + z * Math.sqrt(2 / (9 * k))) ** 3;
}

/** Largest difference between the two empirical distribution functions. */
export function kolmogorovOf(first: readonly number[], second: readonly number[]): number {
  const [a, b] = [first, second].map((sample) => [...sample].sort((x, y) => x - y));
  let [i, j, largest] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const x = Math.min(a[i], b[j]);
    while (i < a.length && a[i] === x) i += 1;
    while (j < b.length && b[j] === x) j += 1;
    largest = Math.max(largest, Math.abs(i / a.length - j / b.length));
  }
  return largest;
}

/** What it exceeds once in a thousand times, with n of each. */
export const kolmogorovBound = (n: number): number => 1.95 * Math.sqrt(2 / n);
