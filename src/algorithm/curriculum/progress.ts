/** What a curriculum goes by. Nothing of it follows from the clock: the same run has the same stages. */
import type { JsonObject } from '../../json.ts';

export interface CurriculumProgress {
  /** Iterations so far; 0 = the run has not begun. */
  readonly iteration: number;
  /** Environment steps and episodes of the whole run so far. */
  readonly numEnvSteps: number;
  readonly numEpisodes: number;
  /** Changes so far. */
  readonly stage: number;
  /** Episodes that began and ended since the last change. */
  readonly numStageEpisodes: number;
  /** What holds now, laid over `envOptions`; `{}` before the run. */
  readonly options: JsonObject;
  /** Of the iteration that has just ended, by key, without `time/` and `evaluation/`; empty before the run. */
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * A curriculum of your own, exported by a module and named as `./curriculum.ts#name`: asked before the run and after every iteration for the
 * options of the episodes that begin from then on, laid over `envOptions`.
 *
 * Trap: it must follow from its argument alone. What it remembers elsewhere is in no checkpoint, and a resumed run would be another one.
 *
 * @returns null or undefined = as they are.
 */
export type CurriculumFunction = (
  progress: CurriculumProgress,
) => JsonObject | null | undefined | Promise<JsonObject | null | undefined>;

/** Of the metrics, those that a curriculum may go by. */
export function isStageMetric(key: string): boolean {
  return !key.startsWith('time/') && !key.startsWith('evaluation/');
}
