/** Sums of `info.metrics`, merged over runners and averaged. */
export type MetricSums = Record<string, { sum: number; count: number }>;

export function addMetric(into: MetricSums, name: string, value: number): void {
  into[name] ??= { sum: 0, count: 0 };
  into[name].sum += value;
  into[name].count += 1;
}

export function mergeSums(into: MetricSums, from: MetricSums): void {
  for (const [name, { sum, count }] of Object.entries(from)) {
    into[name] ??= { sum: 0, count: 0 };
    into[name].sum += sum;
    into[name].count += count;
  }
}

export function meansOf(sums: MetricSums): Record<string, number> {
  return Object.fromEntries(Object.entries(sums).map(([name, { sum, count }]) => [name, sum / count]));
}
