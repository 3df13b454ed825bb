/** Schedules that a module's function gives, by the name that a configuration has for them: loaded before a run begins, asked while it goes on. */

/**
 * A schedule of your own, exported by a module and named as `./schedule.ts#name`.
 *
 * Trap: it must follow from its arguments alone. What it remembers elsewhere is in no checkpoint, and a resumed run would be another one.
 *
 * @param numEnvSteps environment steps of the whole run so far, >= 0.
 * @param scheduleSteps the option of that name; null = it was not given.
 * @returns a number within the bounds of the option.
 */
export type ScheduleFunction = (numEnvSteps: number, scheduleSteps: number | null) => number;

const functions = new Map<string, ScheduleFunction>();

/** What evaluations of `reference` ask from now on. */
export function registerScheduleFunction(reference: string, found: ScheduleFunction): void {
  functions.set(reference, found);
}

/** @returns undefined = it was not loaded. */
export function scheduleFunction(reference: string): ScheduleFunction | undefined {
  return functions.get(reference);
}
