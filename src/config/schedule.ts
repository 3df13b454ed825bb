/** Schedules: a hyperparameter that changes with the number of environment steps. */
import { ConfigError } from '../errors.ts';
import { isModuleReference } from '../modules/module-text.ts';
import { scheduleFunction } from './schedule-functions.ts';

/** Straight line from `from` at step 0 to `to` at `scheduleSteps`; `to` afterwards. */
export interface LinearSchedule {
  readonly schedule: 'linear';
  readonly from: number;
  readonly to: number;
}

/** Half a cosine from `from` at step 0 to `to` at `scheduleSteps` (Loshchilov and Hutter 2017, arXiv:1608.03983, one period); `to` afterwards. */
export interface CosineSchedule {
  readonly schedule: 'cosine';
  readonly from: number;
  readonly to: number;
}

/** Straight lines between [environment step, value] points, steps strictly ascending; constant before the first and after the last. */
export interface PiecewiseSchedule {
  readonly schedule: 'piecewise';
  readonly points: readonly (readonly [number, number])[];
}

/** What a module's function gives at an environment step (`ScheduleFunction`). */
export interface FunctionSchedule {
  readonly schedule: 'function';
  /** `./schedule.ts#name`. */
  readonly module: string;
}

/** A plain number is constant. */
export type Schedule = number | LinearSchedule | CosineSchedule | PiecewiseSchedule | FunctionSchedule;

/** Whether it runs over `scheduleSteps`. */
export function runsOverSteps(schedule: Schedule): schedule is LinearSchedule | CosineSchedule {
  return typeof schedule !== 'number' && (schedule.schedule === 'linear' || schedule.schedule === 'cosine');
}

/**
 * The value of a schedule at an environment step.
 *
 *   linear:    from + (to - from) * min(1, step / scheduleSteps)
 *   cosine:    to + (from - to) * (1 + cos(pi * step / scheduleSteps)) / 2, flat at both ends
 *   piecewise: v0 + (v1 - v0) * (step - s0) / (s1 - s0)  between neighbouring points (s0, v0), (s1, v1)
 *   function:  what the module's function gives for (step, scheduleSteps)
 *
 * Runs on environment steps and `scheduleSteps`, never on a stop condition, so stopping early or resuming does not bend it.
 *
 * @param step environment steps of the whole run so far, >= 0.
 * @param scheduleSteps length of linear and cosine schedules in environment steps, > 0; null is enough for the other two.
 * @throws RangeError for a linear or cosine schedule without `scheduleSteps` (resolving a config rules this out). ConfigError
 *   `CONFIG_SCHEDULE` for a function that was not loaded when the run was built, `CONFIG_SCHEDULE_FUNCTION` for one that throws or gives no finite number.
 */
export function evaluateSchedule(schedule: Schedule, step: number, scheduleSteps: number | null): number {
  if (typeof schedule === 'number') return schedule;
  if (runsOverSteps(schedule)) {
    const { schedule: shape, from, to } = schedule;
    if (scheduleSteps === null) throw new RangeError(`A ${shape} schedule needs \`scheduleSteps\`.`);
    if (step >= scheduleSteps) return to; // exact at the end, where from + (to - from) may round
    const passed = step / scheduleSteps;
    if (shape === 'linear') return from + (to - from) * passed;
    return step === 0 ? from : to + (from - to) * ((1 + Math.cos(Math.PI * passed)) / 2);
  }
  if (schedule.schedule === 'function') return ask(schedule.module, step, scheduleSteps);
  return interpolate(schedule.points, step);
}

function ask(module: string, step: number, scheduleSteps: number | null): number {
  const found = scheduleFunction(module);
  if (found === undefined) {
    throw new ConfigError(
      'CONFIG_SCHEDULE',
      `The schedule ${module} was not loaded when the run was built: name it in the configuration.`,
    );
  }
  let value: unknown;
  try {
    value = found(step, scheduleSteps);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(
      'CONFIG_SCHEDULE_FUNCTION',
      `The schedule ${module} threw at step ${step}: ${reason}`,
      {
        cause: error,
      },
    );
  }
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new ConfigError(
    'CONFIG_SCHEDULE_FUNCTION',
    `Expected the schedule ${module} to give a finite number at step ${step}, got ${String(value)}.`,
  );
}

function interpolate(points: PiecewiseSchedule['points'], step: number): number {
  let [previousStep, previousValue] = points[0];
  if (step <= previousStep) return previousValue;
  for (const [nextStep, nextValue] of points) {
    if (step < nextStep) {
      const fraction = (step - previousStep) / (nextStep - previousStep);
      return previousValue + (nextValue - previousValue) * fraction;
    }
    [previousStep, previousValue] = [nextStep, nextValue];
  }
  return previousValue;
}

/** Every number a schedule takes at its corners; its values lie between the least and the greatest of them. Of a function nothing is known. */
export function scheduleCorners(schedule: Schedule): readonly number[] {
  if (typeof schedule === 'number') return [schedule];
  if (schedule.schedule === 'function') return [];
  if (runsOverSteps(schedule)) return [schedule.from, schedule.to];
  return schedule.points.map(([, value]) => value);
}

/**
 * Reads a flag's text: `0.001`, `linear:1e-3:0`, `cosine:1e-3:0`, `piecewise:0=1e-3,50000=1e-4` or `./schedule.ts#name`.
 *
 * @returns a schedule whose numbers may still be NaN or out of bounds; undefined when the text has none of these forms.
 */
export function parseSchedule(text: string): Schedule | undefined {
  const [kind, ...rest] = text.trim().split(':');
  if ((kind === 'linear' || kind === 'cosine') && rest.length === 2) {
    return { schedule: kind, from: numberFrom(rest[0]), to: numberFrom(rest[1]) };
  }
  if (kind === 'piecewise' && rest.length === 1) {
    const points = rest[0].split(',').map((point): [number, number] => {
      const [step, value, ...more] = point.split('=');
      return [numberFrom(step), more.length > 0 ? Number.NaN : numberFrom(value ?? '')];
    });
    return { schedule: 'piecewise', points };
  }
  const isOtherScheme = /^[a-z]+:/i.test(text.trim()) && !/^(file:|[a-z]:[\\/])/i.test(text.trim());
  if (!isOtherScheme && isModuleReference(text.trim())) return { schedule: 'function', module: text.trim() };
  const constant = numberFrom(text);
  return Number.isNaN(constant) ? undefined : constant;
}

/** A decimal number, `_` allowed between digits; NaN for anything else, the empty text included. */
export function numberFrom(text: string): number {
  const trimmed = text.trim();
  return trimmed === '' ? Number.NaN : Number(trimmed.replace(/(?<=\d)_(?=\d)/g, ''));
}
