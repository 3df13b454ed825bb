/** What a loop keeps besides learner and environments: streams, schedules, scalers. Fields of `state.json` under `algorithm`. */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod/mini';
import { fieldState, momentsSchema, readField, streamSchema } from '../checkpoint/field-state.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import type { Schedules } from '../config/schedules.ts';
import type { JsonObject } from '../json.ts';
import type { Stream } from '../random/streams.ts';
import type { RewardScaler } from '../targets/reward-scaler.ts';
import { otherNumEnvs } from './row-state-content.ts';

/** A field of the algorithm's own. @param schema what a checkpoint has to hold there. */
export function ownState<T>(
  name: string,
  schema: z.ZodMiniType<T>,
  { getState, setState }: { getState(): T; setState(state: T): void },
): StatePart {
  return fieldState({ field: ['algorithm', name], schema, getState, setState });
}

/** A random stream, which goes on where it was. */
export function streamState(name: string, stream: Stream): StatePart {
  return ownState(name, streamSchema, stream);
}

/** null where rewards are not scaled. A run that begins to scale them when it resumes, begins with fresh statistics. */
export function rewardScalerState(scaler: RewardScaler | null): StatePart {
  const schema = z.nullable(z.object({ moments: momentsSchema(1), returns: z.array(z.number()) }));
  const part = ownState('rewardScaler', schema, {
    getState: () => (scaler === null ? null : (scaler.getState() as z.infer<typeof schema>)),
    setState: (state) => {
      if (state !== null) scaler?.setState(state);
    },
  });
  return {
    ...part,
    readState(content) {
      const numRows = readField(content, ['algorithm', 'rewardScaler'], schema)?.returns.length;
      if (numRows !== undefined && scaler !== null && numRows !== scaler.numRows)
        throw otherNumEnvs(numRows, scaler.numRows);
      return part.readState(content);
    },
  };
}

/**
 * Schedules that were replaced during the run stay replaced. One that was not is the configuration's: that of the run that
 * resumes, so that a new `learningRate` given on resume counts.
 */
export function schedulesState<Name extends string>(schedules: Schedules<Name>): StatePart {
  return {
    ...ownState('schedules', schedules.schema, schedules),
    readState(content) {
      const saved = readField(content, ['algorithm', 'schedules'], schedules.schema);
      const configured = (content.json['config.json']?.training ?? {}) as JsonObject;
      const replaced = Object.entries(saved).filter(
        ([name, schedule]) => !isDeepStrictEqual(schedule, configured[name]),
      );
      return () => schedules.setState(Object.fromEntries(replaced) as Partial<typeof saved>);
    },
  };
}
