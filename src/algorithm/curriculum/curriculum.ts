/** A curriculum: which options of the environment the episodes of a run have, decided between its iterations. */
import * as z from 'zod/mini';
import { countSchema } from '../../checkpoint/field-state.ts';
import type { CurriculumStage } from '../../config/curriculum.ts';
import type { EnvSource } from '../../env/env-source.ts';
import { ConfigError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { importFunction } from '../../modules/import-function.ts';
import type { EpisodeSummary } from '../../rollout/episode-summary.ts';
import { type CheckOptions, checkEnvOptions } from './check-options.ts';
import { type CurriculumFunction, type CurriculumProgress, isStageMetric } from './progress.ts';
import { nextStage, requireSeen } from './stages.ts';

/** What an iteration says. */
export type StageReport = Omit<CurriculumProgress, 'stage' | 'numStageEpisodes' | 'options'> & {
  /** Those that ended in it, in order. */
  readonly episodes: readonly Pick<EpisodeSummary, 'envIndex'>[];
};

/** What a checkpoint keeps. */
export interface CurriculumState {
  readonly stage: number;
  readonly options: JsonObject;
  readonly numStageEpisodes: number;
  /** Environments whose running episode began before the stage. */
  readonly lateRows: readonly number[];
  readonly isMetricSeen: boolean;
}

export const curriculumSchema = z.object({
  stage: countSchema,
  options: z.custom<JsonObject>((value) => typeof value === 'object' && value !== null),
  numStageEpisodes: countSchema,
  lateRows: z.array(countSchema),
  isMetricSeen: z.boolean(),
});

export interface RunningCurriculum {
  /** Of the first episodes. */
  readonly initial: JsonObject;
  /** Changes so far. */
  readonly stage: number;
  /**
   * After an iteration.
   *
   * @returns the options of the episodes that begin from now on; null = as they are.
   * @throws ConfigError `CONFIG_CURRICULUM_METRIC`, `CONFIG_CURRICULUM_FUNCTION`, `CONFIG_ENV_OPTION`; nothing has changed then but counts.
   */
  advance(report: StageReport): Promise<JsonObject | null>;
  getState(): CurriculumState;
  setState(state: CurriculumState): void;
  /** As at the beginning of a run, whose episodes are all under way. */
  restart(): void;
}

export interface CurriculumConfig {
  readonly environment: { readonly curriculum: readonly CurriculumStage[] | string | null };
  readonly envRunners: { readonly numEnvs: number };
  readonly reporting: { readonly metricsWindow: number };
}

type Decision = { readonly options: JsonObject; readonly stage: number } | null;

/**
 * Opens the curriculum of a configuration; null = it has none.
 *
 * @throws ConfigError `CONFIG_ENV_OPTION` for an option that the environment does not know, `CONFIG_CURRICULUM_SPACES` for stages whose spaces differ,
 *   `CONFIG_CURRICULUM_MODULE`, `CONFIG_CURRICULUM_FUNCTION`.
 */
export async function openCurriculum(
  { environment: { curriculum }, envRunners: { numEnvs }, reporting: { metricsWindow } }: CurriculumConfig,
  source: EnvSource,
  check: CheckOptions = checkEnvOptions,
): Promise<RunningCurriculum | null> {
  if (curriculum === null) return null;
  const isList = typeof curriculum !== 'string';
  const ask = isList ? null : await loadFunction(curriculum);
  const begin = { iteration: 0, numEnvSteps: 0, numEpisodes: 0, stage: 0, numStageEpisodes: 0 };
  const first = isList ? curriculum[0].options : await ask?.({ ...begin, options: {}, metrics: {} });
  const initial = first ?? {};
  for (const options of isList ? curriculum.map((stage) => stage.options) : [initial])
    await check(source, options);
  const decide = async (progress: CurriculumProgress, isSeen: boolean): Promise<Decision> => {
    if (ask !== null) {
      const options = (await ask(progress)) ?? progress.options;
      const isSame = JSON.stringify(options) === JSON.stringify(progress.options);
      if (!isSame) await check(source, options);
      return isSame ? null : { options, stage: progress.stage + 1 };
    }
    const stages = curriculum as readonly CurriculumStage[];
    const next = stages.at(progress.stage + 1);
    if (next !== undefined) requireSeen(next, progress, metricsWindow, isSeen);
    return nextStage(stages, progress, metricsWindow);
  };
  const metricAfter = (stage: number) => (isList ? curriculum.at(stage + 1)?.metric : undefined);
  return createRunning({ initial, numEnvs, decide, metricAfter });
}

function createRunning(parts: {
  readonly initial: JsonObject;
  readonly numEnvs: number;
  readonly decide: (progress: CurriculumProgress, isSeen: boolean) => Promise<Decision>;
  /** What the stage after this one looks at. */
  readonly metricAfter: (stage: number) => string | undefined;
}): RunningCurriculum {
  const { initial, numEnvs, decide, metricAfter } = parts;
  const everyRow = Array.from({ length: numEnvs }, (_, n) => n);
  const fresh = { stage: 0, options: initial, numStageEpisodes: 0, isMetricSeen: false };
  let state: CurriculumState = { ...fresh, lateRows: [] };
  return {
    initial,
    get stage() {
      return state.stage;
    },
    async advance({ episodes, ...report }) {
      const late = new Set(state.lateRows);
      let { numStageEpisodes } = state;
      for (const { envIndex } of episodes) if (!late.delete(envIndex)) numStageEpisodes += 1;
      const metrics = Object.fromEntries(
        Object.entries(report.metrics).filter(([key]) => isStageMetric(key)),
      );
      const metric = metricAfter(state.stage);
      const isMetricSeen = state.isMetricSeen || (metric !== undefined && metrics[metric] !== undefined);
      state = { ...state, numStageEpisodes, isMetricSeen, lateRows: [...late] };
      const { stage, options } = state;
      const next = await decide({ ...report, metrics, stage, options, numStageEpisodes }, isMetricSeen);
      if (next === null) return null;
      state = { ...next, numStageEpisodes: 0, isMetricSeen: false, lateRows: everyRow };
      return next.options;
    },
    getState: () => state,
    setState(saved) {
      state = saved;
    },
    restart() {
      state = { ...fresh, lateRows: everyRow };
    },
  };
}

/** @throws ConfigError `CONFIG_CURRICULUM_MODULE`, and what it gives throws `CONFIG_CURRICULUM_FUNCTION`. */
async function loadFunction(reference: string): Promise<CurriculumFunction> {
  const found = await importFunction(reference, {
    ...{ code: 'CONFIG_CURRICULUM_MODULE', what: 'curriculum', option: 'curriculum' },
    signature: 'of the progress',
  });
  return async (progress) => {
    let options: unknown;
    try {
      options = await (found as CurriculumFunction)(progress);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ConfigError(
        'CONFIG_CURRICULUM_FUNCTION',
        `The curriculum ${reference} threw after ${progress.numEnvSteps} steps: ${reason}`,
        { cause: error },
      );
    }
    if (options === null || options === undefined) return null;
    if (typeof options === 'object' && !Array.isArray(options)) return asJson(reference, options);
    throw wrongOptions(reference, options);
  };
}

/** Options go to other threads and into checkpoints. */
function asJson(reference: string, options: object): JsonObject {
  try {
    return JSON.parse(
      JSON.stringify(options, (_, value: unknown) => {
        if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError(String(value));
        return value;
      }),
    ) as JsonObject;
  } catch {
    throw wrongOptions(reference, options);
  }
}

function wrongOptions(reference: string, given: unknown): ConfigError {
  return new ConfigError(
    'CONFIG_CURRICULUM_FUNCTION',
    `Expected the curriculum ${reference} to give an object of JSON values, or null for no change, got ${String(given)}.`,
  );
}
