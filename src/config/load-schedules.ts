/** Loads what schedules name in modules, before a run begins. */
import { importFunction } from '../modules/import-function.ts';
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
  const found = await importFunction(reference, {
    ...{ code: 'CONFIG_SCHEDULE_MODULE', what: 'schedule', option },
    signature: '(numEnvSteps, scheduleSteps) => number',
  });
  registerScheduleFunction(reference, found as ScheduleFunction);
}
