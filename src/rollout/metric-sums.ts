/** Sums of `info.metrics`, merged over runners and averaged. */
import { MAX_METRICS, tooManyMetrics } from '../env/user-results.ts';

export type MetricSums = Record<string, { sum: number; count: number }>;

/** @throws EnvError `ENV_METRICS` for the 1001st name. */
export function addMetric(into: MetricSums, name: string, value: number): void {
  if (into[name] === undefined) {
    if (Object.keys(into).length >= MAX_METRICS) throw tooManyMetrics('one iteration');
    into[name] = { sum: 0, count: 0 };
  }
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
