/** The schedules of an algorithm, which callbacks may replace during a run. */
import * as z from 'zod/mini';
import { ConfigError } from '../errors.ts';
import type { JsonValue } from '../json.ts';
import type { Option } from './option.ts';
import { evaluateSchedule, runsOverSteps, type Schedule } from './schedule.ts';
import { scheduleFunction } from './schedule-functions.ts';

export interface Schedules<Name extends string> {
  /** Their values at an environment step of the whole run; not the caller's to change: one record while all of them are numbers. */
  at(numEnvSteps: number): Readonly<Record<Name, number>>;
  /** @throws {@link ConfigError} `CONFIG_SCHEDULE` for an unknown name or a value out of bounds. */
  set(name: string, schedule: JsonValue): void;
  /** What the configuration says, by name. */
  readonly configured: Readonly<Record<Name, Schedule>>;
  /** @throws {@link ConfigError} `CONFIG_SCHEDULE` when one is linear or cosine and there is no `scheduleSteps`, or a function that is not loaded. */
  check(state: Readonly<Record<Name, Schedule>>): void;
  /** All of them as they are now, by name; plain JSON. */
  getState(): Record<Name, Schedule>;
  /** Replaces those that are given. */
  setState(state: Partial<Record<Name, Schedule>>): void;
  /** What {@link getState} gives. */
  readonly schema: z.ZodMiniType<Record<Name, Schedule>>;
}

/**
 * Opens the options `names` of a section as schedules. Linear and cosine ones run over the section's `scheduleSteps`.
 *
 * @param options the section's declarations: their kinds say what {@link Schedules.set} accepts.
 * @param names in the order in which messages list them.
 * @param values the section, resolved.
 */
export function createSchedules<Name extends string>(
  options: Readonly<Record<Name, Option<Schedule>>>,
  names: readonly Name[],
  values: Readonly<Record<Name, Schedule>> & { readonly scheduleSteps: number | null },
): Schedules<Name> {
  const record = <T>(of: (name: Name) => T) =>
    Object.fromEntries(names.map((name) => [name, of(name)])) as Record<Name, T>;
  const schedules = record((name): Schedule => values[name]);
  const configured = { ...schedules };
  const { scheduleSteps } = values;
  let constant = constantsOf(schedules);
  const check = (name: string, schedule: Schedule) => {
    if (runsOverSteps(schedule) && scheduleSteps === null)
      throw refused(
        `\`${name}\` cannot become ${schedule.schedule} while scheduleSteps is null: use piecewise, or set scheduleSteps.`,
      );
    if (typeof schedule === 'number' || schedule.schedule !== 'function') return;
    if (scheduleFunction(schedule.module) === undefined)
      throw refused(
        `\`${name}\` cannot become ${schedule.module} in mid-run, whose module is loaded when a run is built: name it in the configuration.`,
      );
  };
  return {
    configured,
    check: (state) => names.forEach((name) => void check(name, state[name])),
    schema: z.object(record((name) => options[name].kind.schema)) as unknown as z.ZodMiniType<
      Record<Name, Schedule>
    >,
    at: (step) =>
      constant ??
      record((name) => scheduledValue(name, options[name], schedules[name], { step, scheduleSteps })),
    set(name, schedule) {
      const known = names.find((candidate) => candidate === name);
      if (known === undefined)
        throw refused(`Expected one of the schedules ${names.join(', ')}, got \`${name}\`.`);
      const { expects, schema } = options[known].kind;
      const parsed = schema.safeParse(schedule);
      if (!parsed.success)
        throw refused(`Expected \`${name}\` to be ${expects}, got ${JSON.stringify(schedule)}.`);
      check(name, parsed.data);
      schedules[known] = parsed.data;
      constant = constantsOf(schedules);
    },
    getState: () => ({ ...schedules }),
    setState(state) {
      Object.assign(schedules, state);
      constant = constantsOf(schedules);
    },
  };
}

/** The values where no schedule moves; null where one does. */
function constantsOf<Name extends string>(schedules: Record<Name, Schedule>): Record<Name, number> | null {
  const isConstant = Object.values(schedules).every((schedule) => typeof schedule === 'number');
  return isConstant ? ({ ...schedules } as Record<Name, number>) : null;
}

/**
 * The value of an option that is a schedule, as `evaluateSchedule`. What a function gives has to lie within the option's bounds, too.
 *
 * @throws {@link ConfigError} `CONFIG_SCHEDULE_FUNCTION` naming option, value, step and bounds.
 */
export function scheduledValue(
  name: string,
  { kind }: Pick<Option<Schedule> | Option<Schedule | null>, 'kind'>,
  schedule: Schedule,
  { step, scheduleSteps }: { readonly step: number; readonly scheduleSteps: number | null },
): number {
  const value = evaluateSchedule(schedule, step, scheduleSteps);
  const isFunction = typeof schedule !== 'number' && schedule.schedule === 'function';
  if (!isFunction || kind.schema.safeParse(value).success) return value;
  throw new ConfigError(
    'CONFIG_SCHEDULE_FUNCTION',
    `Expected ${schedule.module} to give \`${name}\` as ${kind.expects.split(',')[0]}, got ${value} at step ${step}.`,
  );
}

function refused(message: string): ConfigError {
  return new ConfigError('CONFIG_SCHEDULE', message);
}
