/** PPO's three schedules, which callbacks may replace during a run. */
import { evaluateSchedule, type Schedule } from '../../src/config/schedule.ts';
import { ConfigError } from '../../src/errors.ts';
import type { JsonObject, JsonValue } from '../../src/json.ts';
import { ppoOptions, type ResolvedPPOConfig } from './config.ts';

const NAMES = ['learningRate', 'clipRange', 'entropyCoeff'] as const;
type ScheduleName = (typeof NAMES)[number];

export interface PPOSchedules {
  at(numEnvSteps: number): Record<ScheduleName, number>;
  /** @throws {@link ConfigError} `CONFIG_SCHEDULE` for an unknown name or a value out of bounds. */
  set(name: string, schedule: JsonValue): void;
  getState(): JsonObject;
  setState(state: JsonObject): void;
}

export function createPPOSchedules(training: ResolvedPPOConfig['training']): PPOSchedules {
  const schedules: Record<ScheduleName, Schedule> = {
    learningRate: training.learningRate,
    clipRange: training.clipRange,
    entropyCoeff: training.entropyCoeff,
  };
  const set = (name: string, schedule: JsonValue): void => {
    const known = NAMES.find((candidate) => candidate === name);
    if (known === undefined) {
      throw new ConfigError(
        'CONFIG_SCHEDULE',
        `Expected a schedule of PPO (${NAMES.join(', ')}), got \`${name}\`.`,
      );
    }
    const { expects, schema } = ppoOptions.training[known].kind;
    const parsed = schema.safeParse(schedule);
    if (!parsed.success) {
      throw new ConfigError(
        'CONFIG_SCHEDULE',
        `Expected \`${name}\` to be ${expects}, got ${JSON.stringify(schedule)}.`,
      );
    }
    schedules[known] = parsed.data;
  };
  const at = (name: ScheduleName, step: number) =>
    evaluateSchedule(schedules[name], step, training.scheduleSteps);
  return {
    at: (step) => ({
      learningRate: at('learningRate', step),
      clipRange: at('clipRange', step),
      entropyCoeff: at('entropyCoeff', step),
    }),
    set,
    getState: () => ({ ...schedules }) as unknown as JsonObject,
    setState: (state) => {
      for (const name of NAMES) set(name, state[name] as JsonValue);
    },
  };
}
