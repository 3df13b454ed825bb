/** Reads a metric from a run folder. */
import { type Column, type Columns, readProgress } from '../metrics/curves/read-progress.ts';

/** Names that a person would try first. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  episodeReturnMean: 'rollout/episodeReturnMean',
  evaluation: 'evaluation/episodeReturnMean',
};

const AREA = 'auc:';

/** Why a run has no score, and what it has. */
export interface MissingMetric {
  readonly missing: string;
  readonly keys: readonly string[];
}

/** A key of progress.jsonl, of which `auc:KEY` takes the area. */
export function metricKey(metric: string): string {
  const name = metric.startsWith(AREA) ? metric.slice(AREA.length) : metric;
  return SHORT_NAMES[name] ?? name;
}

/**
 * The newest value of a metric in a run's progress.jsonl, or why there is none. With `auc:` before it, the area under its curve over
 * environment steps divided by them: its mean over the run, which tells a run that learns early from one that only ends well.
 */
export async function readRunMetric(folder: string, metric: string): Promise<number | MissingMetric> {
  const key = metricKey(metric);
  const columns = await readProgress(folder).catch((): Columns => new Map());
  const column = columns.get(key);
  if (column !== undefined) {
    return metric.startsWith(AREA) ? meanOverSteps(column) : (column.values.at(-1) as number);
  }
  const keys = [...columns.keys()];
  const known = keys.join(', ') || 'none';
  return { missing: `no iteration of \`${folder}\` has the metric \`${key}\`; there are: ${known}`, keys };
}

/** By the trapezoidal rule; steps before the first value count as if they had it. */
function meanOverSteps({ steps, values }: Column): number {
  let area = steps[0] * values[0];
  for (let i = 1; i < steps.length; i++) {
    area += ((values[i] + values[i - 1]) / 2) * (steps[i] - steps[i - 1]);
  }
  return area / steps[steps.length - 1];
}
