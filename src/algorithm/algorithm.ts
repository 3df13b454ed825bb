/** What every algorithm is, seen from a command line, a tuner or a user's script. */
import type { CheckpointContent } from '../checkpoint/content.ts';
import type { WarmStartChoice, WarmStartReport } from '../checkpoint/warm-start.ts';
import type { EnvFault } from '../env/env-faults.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { EpisodeSummary } from '../rollout/episode-summary.ts';
import type { LeagueRow } from './league/league-row.ts';

/** What one call of {@link Algorithm.train} did. */
export interface TrainResult {
  /** 1 after the first call; goes on counting after a resume. */
  readonly iteration: number;
  /** Environment steps of the whole run so far. */
  readonly numEnvSteps: number;
  /** Episodes finished in the whole run so far. */
  readonly numEpisodes: number;
  /** Mean return of the last `metricsWindow` episodes; null before the first episode has ended. */
  readonly episodeReturnMean: number | null;
  /** Every metric of this iteration by key (docs/metrics.md), user metrics as `env/<name>`. Finite numbers only. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Episodes that ended in this iteration. */
  readonly episodes: readonly EpisodeSummary[];
  /** How everybody stands in self-play, the learner first; absent = there is no league. */
  readonly league?: readonly LeagueRow[];
  /** Present in iterations after which the curriculum went on: what episodes have that begin from now on, laid over `envOptions`. */
  readonly envOptions?: JsonObject;
  /** Present in iterations that evaluated. */
  readonly evaluation?: EvaluationResult;
  /** True where an evaluation was due and the signal cut it: call `evaluate()` for it. Absent = false. */
  readonly isEvaluationCut?: boolean;
  /** Rollout workers that died in this iteration; absent or empty when none did. */
  readonly workerFailures?: readonly WorkerFailureSummary[];
  /**
   * Environments that failed, or gave numbers that are not finite, and went on; absent when none did. The first 20 of each
   * outcome and environment runner; the metrics count all.
   */
  readonly envFaults?: readonly EnvFault[];
}

/** A rollout worker that died, hung or threw. */
export interface WorkerFailureSummary {
  readonly workerIndex: number;
  readonly error: Error;
  /** True when it was replaced and its rows were collected again, bit for bit. */
  readonly isRecovered: boolean;
  /** From the failure to full strength. */
  readonly seconds: number;
  /** Programs that its environments had started and left behind, and that were killed. */
  readonly numProcessesEnded?: number;
}

export interface EvaluationResult {
  readonly returns: readonly number[];
  readonly lengths: readonly number[];
  readonly returnMean: number;
  /** Population standard deviation over the episodes. */
  readonly returnStd: number;
  /** 95% interval of the mean return over episodes (Student's t); null for a single one. It says nothing of other training seeds. */
  readonly returnInterval: readonly [low: number, high: number] | null;
  readonly lengthMean: number;
  /** Episodes that reached `evaluationMaxEpisodeSteps` and were cut there; they count with the return that they had. */
  readonly numEpisodesCut: number;
  /** Means of `info.metrics`, as `env/<name>`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Where there are several agents: `returns` are then sums over those that learn (over all, where none does), and this is each one's part. */
  readonly agents?: Readonly<Record<string, AgentEvaluation>>;
  readonly policies?: Readonly<Record<string, AgentEvaluation>>;
  /** Where `opponents` were named: how the policy that learns did against each, over all and from each agent's seat. */
  readonly opponents?: Readonly<Record<string, OpponentEvaluation>>;
}

export type OpponentEvaluation = AgentEvaluation & {
  readonly bySeat: Readonly<Record<string, AgentEvaluation>>;
};

/** How one agent, or one policy in whatever seats, did. */
export type AgentEvaluation = {
  /** Episodes that it took part in; a policy counts once a seat. */
  readonly numEpisodes: number;
  /** null = it took part in none. */
  readonly returnMean: number | null;
  /** As `info.outcome` says; all 0 where it says nothing. */
  readonly wins: number;
  readonly draws: number;
  readonly losses: number;
};

export interface EvaluateOptions {
  readonly numEpisodes?: number;
  readonly deterministic?: boolean;
  /** Master seed of the evaluation's own episodes; never touches training's streams. */
  readonly seed?: number;
  /** Steps after which an episode is cut, and counted as it stands. @defaultValue the option evaluationMaxEpisodeSteps */
  readonly maxEpisodeSteps?: number;
  /** Cuts the evaluation: it rejects with the signal's reason within a few steps, and nothing is left of it. */
  readonly signal?: AbortSignal;
  /** Where there are several agents: who acts for whom, as the option `policyFor`; agents not named as in training. */
  readonly policyFor?: Readonly<Record<string, string | readonly string[]>>;
  /**
   * Where there are several agents with the same spaces: policies, or past versions of self-play by name, each of which the policy that learns
   * meets from every seat, in turn. Not together with `policyFor`.
   */
  readonly opponents?: readonly string[];
}

export interface TrainOptions {
  /**
   * Aborted beforehand: `train` rejects with its reason, and nothing has changed. While it goes on: what was collected is learned from, since
   * half an iteration is no state of a run, and only an evaluation that is due is cut (`TrainResult.isEvaluationCut`). To end at once, at
   * the price of this iteration, call `stop()`.
   */
  readonly signal?: AbortSignal;
}

/**
 * A running algorithm. Calls must not overlap: await one before the next.
 *
 * Thread: main. `stop()` ends its worker threads (those that ran nothing but Operant's own stand by for five seconds for the next build; they keep no
 * process alive), closes its environments and frees its memory; every other call, also one that is under way,
 * then rejects with StoppedError `STOPPED_ALGORITHM`. Without it the threads keep the process alive.
 */
export interface Algorithm {
  readonly name: string;
  /** The resolved configuration, as JSON by section: what `config.json` holds. */
  readonly config: JsonObject;
  readonly iteration: number;
  readonly numEnvSteps: number;
  /** Two human lines: what is trained on what, and which engine runs it. */
  readonly banner: readonly string[];
  /** What in the setting often turns out to be a mistake, with what to do: images read by an MLP, action bounds far from 1. A run warns of them. */
  readonly notes?: readonly string[];
  /** Where rollout workers are on other machines: who and where, and how their logs are read. null, or absent = they are not. */
  describeHosts?(): JsonObject | null;
  /** What came of {@link initializeFrom}; absent = the run began from chance, or was resumed. */
  readonly initializedFrom?: WarmStartReport | undefined;
  /**
   * Takes weights and statistics of a checkpoint of any run, before the first iteration: layer by layer, where name and shape are the
   * same. Counters, schedules, streams and replay buffer begin anew, targets as copies. What the option `initFrom` calls.
   *
   * @param path the checkpoint's, for the report.
   * @throws ConfigError `CONFIG_INIT_FROM` when nothing of it fits or the run has begun, `CONFIG_INIT_NETWORKS`; CheckpointError for what is
   * damaged. Nothing has changed then.
   */
  initializeFrom?(content: CheckpointContent, path: string, choice: WarmStartChoice): WarmStartReport;
  /** One iteration: collect a rollout, learn from it, publish the weights; evaluates when the config says so. */
  train(options?: TrainOptions): Promise<TrainResult>;
  /** Whole episodes with the policy as it is, in environments and with seeds of their own. */
  evaluate(options?: EvaluateOptions): Promise<EvaluationResult>;
  /**
   * Replaces a schedule (`learningRate`, `clipRange`, ...) from the next iteration on; part of the state from then on.
   *
   * @param schedule what the option of that name takes in a config file.
   * @throws ConfigError when there is no such schedule or the value is out of bounds.
   */
  setSchedule?(name: string, schedule: JsonValue): void;
  /**
   * Options of the environment for all episodes that begin from now on, laid over `envOptions` (those of an earlier call are gone); running episodes
   * keep theirs. Part of the state from then on: a resumed run goes on with them. Evaluation plays with `envOptions` as ever. Between two iterations.
   *
   * The first call makes the environments anew and leads them back to where they are, as a resume does.
   *
   * @throws ConfigError `CONFIG_ENV_OPTION` for an option that the environment does not know, `CONFIG_CURRICULUM_SPACES` when a space changes,
   *   `CONFIG_CONFLICT` where the run has a `curriculum`. Nothing has changed then.
   */
  setEnvOptions?(options: JsonObject): Promise<void>;
  /**
   * The whole state, as files: see src/checkpoint. Ready to be written; nothing in it changes afterwards.
   *
   * After `train()` has thrown, this is the state at the end of the last completed iteration, or it throws, too: it never
   * gives something in between.
   *
   * @param storedSegments names of segments that the caller has stored, and which need not be copied again: null in their place.
   */
  getState(storedSegments?: ReadonlySet<string>): Promise<CheckpointContent>;
  /** Continues exactly from a state: same algorithm, environment and network (a ConfigError/CheckpointError names the field that differs). */
  setState(content: CheckpointContent): Promise<void>;
  /** Writes a checkpoint folder at `directory` (created; must not exist) and returns its path. */
  save(directory: string): Promise<string>;
  stop(): Promise<void>;
}
