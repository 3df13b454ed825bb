/** A curriculum as a user writes it: stages of environment options in a list, or a function in a module. */
import * as z from 'zod/mini';
import type { JsonObject } from '../json.ts';
import { isModuleReference } from '../modules/module-text.ts';
import { parseStrictJson } from './strict-json.ts';
import { integer, jsonObject, type ValueKind } from './value-kind.ts';

/**
 * Options of the environment, and when they begin to hold. The first stage has no condition; the others come in order, each when all of its
 * conditions hold.
 */
export interface CurriculumStage {
  /** Laid over `envOptions`; those of earlier stages are gone. */
  readonly options: JsonObject;
  /** Environment steps of the whole run from which on it may begin. */
  readonly fromStep?: number;
  /** The metric of an iteration that has to reach a bound: `rollout/episodeReturnMean`, `env/success`. */
  readonly metric?: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** Episodes that began and ended in the stage before, until the metric is looked at. @defaultValue metricsWindow */
  readonly minEpisodes?: number;
}

/** Stages, or a module that decides: `./curriculum.ts#grow` (`CurriculumFunction`). */
export type Curriculum = readonly CurriculumStage[] | string;

const stage = z.strictObject({
  options: jsonObject().schema,
  fromStep: z.optional(integer({ min: 0 }).schema),
  metric: z.optional(z.string().check(z.minLength(1))),
  atLeast: z.optional(z.number()),
  atMost: z.optional(z.number()),
  minEpisodes: z.optional(integer({ min: 1 }).schema),
});

/** Flag form: JSON, or the module. */
export function curriculum(): ValueKind<Curriculum> {
  return {
    schema: z.union([
      z.string().check(z.refine((text) => isModuleReference(text))),
      z.array(stage).check(
        z.minLength(1),
        z.refine((stages) => stages.every(isWhole)),
      ),
    ]) as z.ZodMiniType<Curriculum>,
    expects:
      "a list of stages { options, fromStep, metric, atLeast or atMost, minEpisodes }, the first with nothing but options, every other with fromStep or a metric and its bound; or a module's function, './curriculum.ts#name'",
    flagForm: '<JSON|path#name>',
    parse(given) {
      if (!given.trim().startsWith('[')) return given;
      try {
        JSON.parse(given);
      } catch {
        return given;
      }
      return parseStrictJson(given);
    },
  };
}

/** The first stage holds from the beginning; each other one has a condition; a bound and its metric come together. */
function isWhole(
  { fromStep, metric, atLeast, atMost, minEpisodes }: z.infer<typeof stage>,
  k: number,
): boolean {
  const hasBound = atLeast !== undefined || atMost !== undefined;
  const hasMetric = metric !== undefined;
  if (k === 0) return fromStep === undefined && !hasMetric && !hasBound && minEpisodes === undefined;
  return (
    hasBound === hasMetric &&
    (minEpisodes === undefined || hasMetric) &&
    (hasMetric || fromStep !== undefined)
  );
}
