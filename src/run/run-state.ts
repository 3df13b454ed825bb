/** What the driver itself remembers, and what it reports at the end. */
import * as z from 'zod/mini';
import type { CheckpointContent } from '../checkpoint/content.ts';
import { countSchema } from '../checkpoint/field-state.ts';
import { CheckpointError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';

/** The file of a checkpoint that holds {@link RunState}. */
export const RUN_STATE_NAME = 'run.json';

/** The best iteration by evaluation return where periodic evaluation is on, else by the mean over a full window. */
export interface BestSoFar {
  readonly iteration: number;
  readonly value: number;
  readonly measure: 'evaluation' | 'training';
}

/** What an evaluation came to. */
export interface EvaluationSummary {
  readonly iteration: number;
  readonly returnMean: number;
  readonly returnStd: number;
  /** 95% interval of the mean over episodes; null for one episode. */
  readonly returnInterval: readonly [low: number, high: number] | null;
  readonly numEpisodes: number;
}

/** Goes into every checkpoint, so that a resumed run goes on with it. */
export interface RunState {
  /** Training time so far, over all resumes. */
  readonly seconds: number;
  readonly best: BestSoFar | null;
  readonly numEpisodes: number;
  readonly episodeReturnMean: number | null;
  /** The newest evaluation; null before the first. */
  readonly lastEvaluation: EvaluationSummary | null;
  /** Evaluations in a row, up to the newest, that were no new best. */
  readonly numEvaluationsWithoutBest: number;
  /** The evaluation of the last iteration was cut by what ended the run: whoever goes on makes up for it first. */
  readonly isEvaluationDue: boolean;
}

/** Named after the option that ended the run. `callback`: a hook asked for it. `error`: the algorithm failed; seen by `onStop` only. */
export type StopReason =
  | 'stopReturn'
  | 'stopSteps'
  | 'stopSeconds'
  | 'stopProcessSeconds'
  | 'stopEvaluationReturn'
  | 'stopEvaluationPatience'
  | 'stopIterations'
  | 'interrupted'
  | 'callback'
  | 'error';

export interface RunSummary {
  readonly stopReason: StopReason;
  readonly iterations: number;
  readonly numEnvSteps: number;
  readonly numEpisodes: number;
  /** Training time of the whole run, over all its resumes. */
  readonly seconds: number;
  readonly episodeReturnMean: number | null;
  /** Of the last iteration of this process (docs/metrics.md); empty where there was none. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly best: BestSoFar | null;
  /** The newest evaluation; null where there was none. */
  readonly lastEvaluation: EvaluationSummary | null;
  /** Path of the newest checkpoint; null when there is none. */
  readonly checkpoint: string | null;
  readonly runDir: string | null;
  /** Why the last checkpoint could not be written: what was learned since `checkpoint` is lost. null when all is saved. */
  readonly checkpointError: Error | null;
}

export const FRESH_RUN: RunState = {
  seconds: 0,
  best: null,
  numEpisodes: 0,
  episodeReturnMean: null,
  lastEvaluation: null,
  numEvaluationsWithoutBest: 0,
  isEvaluationDue: false,
};

export function encodeRunState(state: RunState): JsonObject {
  const { best, lastEvaluation } = state;
  return {
    ...state,
    best: best === null ? null : { ...best },
    lastEvaluation: lastEvaluation === null ? null : ({ ...lastEvaluation } as unknown as JsonObject),
  };
}

const RUN_STATE = z.object({
  seconds: z.number().check(z.gte(0)),
  best: z.nullable(
    z.object({
      iteration: countSchema,
      value: z.number(),
      measure: z.enum(['evaluation', 'training']),
    }),
  ),
  numEpisodes: countSchema,
  episodeReturnMean: z.nullable(z.number()),
  // Not in checkpoints of earlier versions.
  lastEvaluation: z.optional(
    z.nullable(
      z.object({
        iteration: countSchema,
        returnMean: z.number(),
        returnStd: z.number(),
        returnInterval: z.optional(z.nullable(z.tuple([z.number(), z.number()]))),
        numEpisodes: countSchema,
      }),
    ),
  ),
  numEvaluationsWithoutBest: z.optional(countSchema),
  isEvaluationDue: z.optional(z.boolean()),
});

/**
 * The driver's part of a loaded checkpoint; a fresh one for a checkpoint that `algo.save()` wrote outside of a run.
 *
 * @throws CheckpointError `CHECKPOINT_JSON` naming the field that is wrong.
 */
export function readRunState(content: CheckpointContent): RunState {
  const value = content.json[RUN_STATE_NAME];
  if (value === undefined) return FRESH_RUN;
  const parsed = RUN_STATE.safeParse(value);
  if (parsed.success) {
    const {
      lastEvaluation: last = null,
      numEvaluationsWithoutBest = 0,
      isEvaluationDue = false,
    } = parsed.data;
    const lastEvaluation = last === null ? null : { ...last, returnInterval: last.returnInterval ?? null };
    return { ...parsed.data, lastEvaluation, numEvaluationsWithoutBest, isEvaluationDue };
  }
  const [{ path }] = parsed.error.issues;
  throw wrong(path.join('.'), value[String(path[0])]);
}

function wrong(field: string, value: JsonValue | undefined): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_JSON',
    `\`${RUN_STATE_NAME}\` of the checkpoint has a \`${field}\` that this Operant does not understand: ${JSON.stringify(value)}`,
  );
}
