/** What of a configuration is shown beside a run's results. */
import type { JsonObject } from '../json.ts';
import type { Hyperparameters } from '../metrics/hparams-record.ts';

/** Sections whose options decide what is learnt. */
const SECTIONS = ['environment', 'envRunners', 'training'] as const;

/** Options by name, with algorithm and seed; null is left out, and what is neither number, boolean nor text (a schedule, a list) is JSON. */
export function hyperparametersOf(config: JsonObject): Hyperparameters {
  const { seed } = (config.debugging ?? {}) as JsonObject;
  const options = SECTIONS.flatMap((section) => Object.entries((config[section] ?? {}) as JsonObject));
  const told = [['algorithm', config.algorithm], ['seed', seed], ...options] as const;
  return Object.fromEntries(
    told.flatMap(([name, value]) => {
      if (value === null || value === undefined) return [];
      return [[name, typeof value === 'object' ? JSON.stringify(value) : value]];
    }),
  );
}
