/** What commands about several runs share. */
import { nearestName } from '../config/nearest.ts';
import { ConfigError } from '../errors.ts';
import type { Column, Columns } from '../metrics/curves/read-progress.ts';

export const DEFAULT_METRIC = 'rollout/episodeReturnMean';

/** null of no values. */
export function greatest(values: readonly number[]): number | null {
  // spread into Math.max, a long run's numbers are more arguments than a call takes
  return values.reduce<number | null>((most, value) => (most === null || value > most ? value : most), null);
}

/** Run folders stand first, flags behind them. */
export function splitFolders(argv: readonly string[]): {
  folders: readonly string[];
  rest: readonly string[];
} {
  const firstFlag = argv.findIndex((argument) => argument.startsWith('-'));
  const numFolders = firstFlag < 0 ? argv.length : firstFlag;
  return { folders: argv.slice(0, numFolders), rest: argv.slice(numFolders) };
}

/** @throws ConfigError `CONFIG_FLAG`. */
export function requireSvg(out: string): void {
  if (out.endsWith('.svg')) return;
  throw new ConfigError('CONFIG_FLAG', `Expected --out to end in .svg, got ${out}: it is what is drawn.`);
}

/** What is drawn of a run. @throws ConfigError `CONFIG_METRIC` with the nearest metric that it has. */
export function columnOf(
  { path, columns }: { readonly path: string; readonly columns: Columns },
  metric: string,
): Column {
  const column = columns.get(metric);
  if (column !== undefined) return column;
  const near = nearestName(metric, [...columns.keys()]);
  const hint = near === undefined ? `It has: ${[...columns.keys()].join(', ')}.` : `Did you mean ${near}?`;
  throw new ConfigError('CONFIG_METRIC', `The run ${path} has no metric ${metric}. ${hint}`);
}
