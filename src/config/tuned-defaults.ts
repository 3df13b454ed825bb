/** Hyperparameters that are known to work, by environment. */
import type { JsonObject } from '../json.ts';
import type { ConfigLayer } from './resolve.ts';

/** Partial configs by section, under ids with versions (`CartPole-v1`). */
export type TunedDefaults = Readonly<Record<string, JsonObject>>;

/**
 * The tuned defaults of an environment as the lowest layer of a config; undefined where there are none.
 *
 * @param envId with or without a version; without one the newest counts.
 */
export function tunedLayer(tunedDefaults: TunedDefaults, envId: string): ConfigLayer | undefined {
  const versions = Object.keys(tunedDefaults)
    .filter((id) => id === envId || id.replace(/-v\d+$/, '') === envId)
    .sort((a, b) => versionOf(b) - versionOf(a));
  if (versions.length === 0) return undefined;
  return { values: tunedDefaults[versions[0]], source: `tuned defaults of ${versions[0]}`, isDefault: true };
}

function versionOf(id: string): number {
  return Number(/-v(\d+)$/.exec(id)?.[1] ?? 0);
}
