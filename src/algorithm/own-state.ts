/** What a loop keeps besides learner and environments: streams, schedules, scalers. Fields of `state.json` under `algorithm`. */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod/mini';
import { fieldState, momentsSchema, readField, streamSchema } from '../checkpoint/field-state.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import { valueIn } from '../config/resume-rules.ts';
import type { Schedules } from '../config/schedules.ts';
import type { JsonObject, JsonValue } from '../json.ts';
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
    // A critic that is taken tells returns of scaled rewards.
    readWarmStart(content) {
      const saved = (content.json['state.json']?.algorithm as JsonObject | undefined)?.rewardScaler ?? null;
      if (scaler === null || saved === null) return { taken: [], left: [], apply: () => undefined };
      const { moments } = readField(
        content,
        ['algorithm', 'rewardScaler'],
        z.object({ moments: momentsSchema(1) }),
      );
      const returns = new Array<number>(scaler.numRows).fill(0);
      return {
        taken: ['reward statistics'],
        left: [],
        apply: () => scaler.setState({ moments, returns }),
      };
    },
  };
}

/**
 * A field that begins as an option says and changes from there. A resume goes on with what was saved; one that gives the option another
 * value begins anew, as that says.
 *
 * @param option `['training', 'klPenaltyCoeff']`, and its value here.
 */
export function adaptedState<T>(
  name: string,
  option: { readonly path: readonly [section: string, name: string]; readonly value: JsonValue },
  parts: { readonly schema: z.ZodMiniType<T>; getState(): T; setState(state: T): void },
): StatePart {
  const initial = parts.getState();
  return {
    ...ownState(name, parts.schema, parts),
    readState(content) {
      const saved = readField(content, ['algorithm', name], parts.schema);
      const before = valueIn(content.json['config.json'] ?? {}, ...option.path);
      const isChanged = before !== undefined && !isDeepStrictEqual(before, option.value);
      return () => parts.setState(isChanged ? initial : saved);
    },
  };
}

/**
 * Schedules that were replaced during the run stay replaced. One that was not is the configuration's: that of the run that
 * resumes, so that a new `learningRate` given on resume counts; it counts, too, where the run had replaced the old one.
 */
export function schedulesState<Name extends string>(
  schedules: Schedules<Name>,
  field = 'schedules',
): StatePart {
  return {
    ...ownState(field, schedules.schema, schedules),
    readState(content) {
      const saved = readField(content, ['algorithm', field], schedules.schema);
      const before = (content.json['config.json']?.training ?? {}) as JsonObject;
      const { configured } = schedules;
      const kept = Object.entries(saved).filter(([name, schedule]) => {
        const isReplaced = !isDeepStrictEqual(schedule, before[name]);
        const isGivenAnew = name in before && !isDeepStrictEqual(configured[name as Name], before[name]);
        return isReplaced && !isGivenAnew;
      });
      const state = { ...configured, ...(Object.fromEntries(kept) as Partial<typeof saved>) };
      schedules.check(state);
      return () => schedules.setState(state);
    },
  };
}
