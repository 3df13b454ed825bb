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

/** What never changes a result, or is what a band is over. */
const NEUTRAL = ['numEnvRunners', 'numEnvsPerEnvRunner', 'workerMemoryMb', 'seed'];

/** Of each config the options that are not the same in all of them, seeds left out. */
export function differingOptions(configs: readonly JsonObject[]): Hyperparameters[] {
  const options = configs.map((config): Hyperparameters => {
    const told = Object.entries(hyperparametersOf(config)).filter(([name]) => !NEUTRAL.includes(name));
    return Object.fromEntries(told);
  });
  const names = [...new Set(options.flatMap((values) => Object.keys(values)))];
  const telling = names.filter((name) => options.some((values) => values[name] !== options[0][name]));
  return options.map((values) =>
    Object.fromEntries(telling.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]]))),
  );
}
