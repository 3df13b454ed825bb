/** Loads what schedules name in modules, before a run begins. */
import { ConfigError, isOperantError } from '../errors.ts';
import { importModule } from '../modules/import-module.ts';
import { locateModule } from '../modules/module-reference.ts';
import { type Declarations, listOptions } from './option.ts';
import type { FunctionSchedule } from './schedule.ts';
import { registerScheduleFunction, type ScheduleFunction } from './schedule-functions.ts';

/**
 * Loads the functions that a configuration's schedules name. Whoever calls this has the user's consent for these modules (`checkpoint/trust.ts`).
 *
 * @throws ConfigError `CONFIG_SCHEDULE_MODULE` for a module that is not there or does not export such a function.
 */
export async function loadScheduleFunctions(
  declarations: Declarations,
  config: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): Promise<void> {
  for (const { section, name, option } of listOptions(declarations)) {
    // Nothing else may name a module, so nothing else is looked through.
    if (option.kind.namesModule !== true && option.namesModule !== true) continue;
    for (const reference of referencesIn(config[section]?.[name])) await load(name, reference);
  }
}

function referencesIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  const { schedule, module } = value as Partial<FunctionSchedule>;
  if (schedule === 'function' && typeof module === 'string') return [module];
  return Object.values(value).flatMap(referencesIn);
}

async function load(option: string, reference: string): Promise<void> {
  const kind = { code: 'CONFIG_SCHEDULE_MODULE', what: 'schedule' } as const;
  const { url, exportName = 'default' } = locateModule(reference, kind);
  let module: Record<string, unknown>;
  try {
    module = await importModule(url);
  } catch (error) {
    if (isOperantError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(
      kind.code,
      `The module of \`${option}\`, ${reference}, could not be loaded: ${reason}`,
      {
        cause: error,
      },
    );
  }
  const found = module[exportName];
  if (typeof found !== 'function') {
    throw new ConfigError(
      kind.code,
      `Expected the export \`${exportName}\` of ${reference} (\`${option}\`) to be a function (numEnvSteps, scheduleSteps) => number, got ${typeof found}. It exports: ${Object.keys(module).join(', ')}.`,
    );
  }
  registerScheduleFunction(reference, found as ScheduleFunction);
}
