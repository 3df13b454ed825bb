/** What commands about several runs show of them. */
export const DEFAULT_METRIC = 'rollout/episodeReturnMean';

/** null of no values. */
export function greatest(values: readonly number[]): number | null {
  // spread into Math.max, a long run's numbers are more arguments than a call takes
  return values.reduce<number | null>((most, value) => (most === null || value > most ? value : most), null);
}
