/** Reads a metric from a run folder. */
import { readRegularText } from '../files/regular-file.ts';
import type { JsonObject } from '../json.ts';

const MAX_BYTES = 2 ** 30;

/** Names that a person would try first. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  episodeReturnMean: 'rollout/episodeReturnMean',
  evaluation: 'evaluation/episodeReturnMean',
};

/** The newest value of a metric in a run's progress.jsonl, or why there is none. */
export async function readRunMetric(
  folder: string,
  metric: string,
): Promise<number | { readonly missing: string }> {
  const key = SHORT_NAMES[metric] ?? metric;
  const text = await readRegularText(folder, 'progress.jsonl', MAX_BYTES).catch(() => '');
  const lines = text.split('\n').filter((line) => line !== '');
  for (const line of lines.toReversed()) {
    const value = rowOf(line)[key];
    if (typeof value === 'number' && Number.isFinite(value)) return value;
  }
  const keys = Object.keys(rowOf(lines.at(-1) ?? '{}')).filter((name) => name.includes('/'));
  return {
    missing: `no iteration of \`${folder}\` has the metric \`${key}\`; the last one has ${keys.join(', ') || 'none'}`,
  };
}

function rowOf(line: string): JsonObject {
  try {
    return JSON.parse(line) as JsonObject;
  } catch {
    return {}; // the last line of a run that was killed
  }
}
