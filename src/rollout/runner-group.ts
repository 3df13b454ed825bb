/** What an algorithm sees of its environment runners, wherever they run. */

import type { RolloutViews } from '../experience/layout.ts';
import type { JsonObject } from '../json.ts';
import type { EnvFaultReport, EnvFaults } from './env-fault-log.ts';
import type { EpisodeSummary } from './episode-summary.ts';
import type { MetricSums } from './metric-sums.ts';
import type { PlayedEpisodes, PlayRequest } from './play-episodes.ts';
import type { RowState } from './row-states.ts';

export interface Collected {
  /** N rows x T steps; owned by the caller until the next-but-one call of `collect`. */
  readonly rollout: RolloutViews;
  /** Episodes that ended in it, in the order (t, environment). */
  readonly episodes: readonly EpisodeSummary[];
  /** Means of `info.metrics` in this rollout, by name. */
  readonly metrics: Readonly<Record<string, number>>;
  /** The sums that they follow from; null = there were none. */
  readonly metricSums: MetricSums | null;
}

/** Rows that one thread collects. */
export interface RunnerPart {
  readonly firstRow: number;
  readonly numRows: number;
}

/** Something that happened to a worker, for callbacks and metrics. */
export interface WorkerFailure {
  readonly workerIndex: number;
  readonly error: Error;
  /** True when the worker was replaced and its rows collected again. */
  readonly isRecovered: boolean;
  readonly seconds: number;
  /** Programs that its environments had started and left behind, and that were killed. */
  readonly numProcessesEnded: number;
}

/**
 * Collects rollouts with published weights. Calls must not overlap.
 *
 * The same seed gives the same rollouts bit for bit, whatever the number of runners, and also when a runner died
 * in between and was replaced.
 */
export interface RunnerGroup {
  readonly numEnvRunners: number;
  /** Where they run, for people: `in 2 worker threads`. */
  readonly place: string;
  /** Begins (or, with states, continues) the environments; resolves when every runner is ready. Returns indices of environments that had to restart their episode. */
  start(states: readonly RowState[] | null): Promise<readonly number[]>;
  /** T steps in every environment with the weights of `version`. */
  collect(version: number): Promise<Collected>;
  /**
   * The same, done when it returns: where environments and policy run in this very thread. null = they do not. Short rollouts cost little
   * more than acting and stepping.
   */
  readonly collectNow: ((version: number) => Collected) | null;
  /** Who collects on its own: each worker's rows, or all of them in process. One array; `start` and `regroup` may change what is in it. */
  readonly parts: readonly RunnerPart[];
  /** The block sets that `collectPart` fills. */
  readonly sets: readonly RolloutViews[];
  /**
   * T steps in the rows of one part, into those rows of a block set, with the weights of `version`: once the part has done what it was told
   * before, so that it may be told several ahead. A part that dies begins the rollout again that it was at. Not between a call of `collect`
   * and its end, and not under central inference.
   *
   * @returns the sums of its metrics; the caller owns the rows from then on. A part that failed refuses what it was told besides.
   */
  collectPart(part: number, set: number, version: number): Promise<MetricSums | null>;
  /**
   * Before the first `collectPart` after which nothing was in flight: where workers come and go, rows are dealt out to those that are there now, and
   * `parts` changes. `collect` does so itself. Absent = they do not.
   */
  regroup?(): Promise<void>;
  /**
   * Plays evaluation episodes with the weights published last, between two rollouts; training's environments and
   * streams are not touched. Not under central inference. Results do not depend on the number of runners.
   *
   * @param signal ends it within a vector step or two; what it gives then is worth nothing.
   */
  play(request: PlayRequest, signal?: AbortSignal): Promise<PlayedEpisodes>;
  /**
   * Between two rollouts: episodes that begin from now on have these options, laid over those of the environment; the running ones keep theirs.
   * Where options were fixed so far, environments are made anew and led back to where they are, as on a resume. Part of `getStates`.
   */
  setEnvOptions(options: JsonObject): Promise<void>;
  /** True from a call of `collect` or `collectPart` until it has resolved; it stays true when one failed. */
  readonly isCollecting: boolean;
  /**
   * Between two rollouts: everything needed to continue every environment. After a `collect` that failed: what was
   * needed before it, by replay, without asking workers that may be gone.
   */
  getStates(): Promise<RowState[]>;
  /**
   * Environments that failed or gave numbers that are not finite, and went on, since this was taken last. What happens in `play` is
   * told of with the next rollout.
   */
  takeEnvFaults(): EnvFaults;
  /** Counts those of environments outside of the group, too. @throws EnvError `ENV_RESTARTS` as `collect` does. */
  noteEnvFaults(report: EnvFaultReport | null): void;
  /** Failures since they were taken last. */
  takeFailures(): readonly WorkerFailure[];
  /**
   * Environments that began their episode again since they were taken last, because they are not deterministic: on resume,
   * and when a worker was replaced.
   */
  takeRestarted(): readonly number[];
  /** Metrics of the group's own since they were taken last; absent = it has none. */
  takeMetrics?(): Readonly<Record<string, number>>;
  /** Where workers are on other machines: who and where, and how their logs are read. null = not yet known. */
  describeHosts?(): JsonObject | null;
  stop(): Promise<void>;
}
