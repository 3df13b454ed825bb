/** Reads a metric from a run folder. */
import { type Columns, readProgress } from '../metrics/curves/read-progress.ts';

/** Names that a person would try first. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  episodeReturnMean: 'rollout/episodeReturnMean',
  evaluation: 'evaluation/episodeReturnMean',
};

/** A key of progress.jsonl. */
export function metricKey(metric: string): string {
  return SHORT_NAMES[metric] ?? metric;
}

/** The newest value of a metric in a run's progress.jsonl, or why there is none. */
export async function readRunMetric(
  folder: string,
  metric: string,
): Promise<number | { readonly missing: string }> {
  const key = metricKey(metric);
  const columns = await readProgress(folder).catch((): Columns => new Map());
  const value = columns.get(key)?.values.at(-1);
  if (value !== undefined) return value;
  const keys = [...columns.keys()].join(', ') || 'none';
  return { missing: `no iteration of \`${folder}\` has the metric \`${key}\`; there are: ${keys}` };
}
