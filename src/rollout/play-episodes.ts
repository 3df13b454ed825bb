/** Whole episodes with a frozen policy, in environments and with seeds of their own: what evaluation consists of. */

import { createActionMapping } from '../acting/action-mapping.ts';
import type { BatchActor } from '../acting/batch-actor.ts';
import { type ActionNoise, createActionNoise } from '../acting/noise.ts';
import type { EnvSource } from '../env/env-source.ts';
import type { ActionArray, DeferredRows, StepRows, VectorEnv } from '../env/vector-env.ts';
import { type ActingSpec, actionDtype, actionSize } from '../policy/policy-spec.ts';
import { episodeSeed } from '../random/streams.ts';
import { createTurns } from '../threads/next-turn.ts';
import type { SeatAssignment } from './agents/policy-plan.ts';
import { addMetric, type MetricSums } from './metric-sums.ts';

/** Which episodes to play; plain data. Episode k is seeded by hash(evaluation, seed, k, 0), whoever plays it. */
export interface PlayRequest {
  readonly episodes: readonly number[];
  readonly deterministic: boolean;
  readonly seed: number;
  /** Environments side by side, at most. */
  readonly numEnvs: number;
  /** Another environment than the runners' own, with the same spaces; a factory stays in its thread. null = theirs. */
  readonly source?: EnvSource | null;
  /** Steps after which an episode is cut and counted as it stands: an environment may have no end. */
  readonly maxEpisodeSteps: number;
  /** Of several agents: who acts for which seat; absent = those who are trained so. */
  readonly assignment?: SeatAssignment;
}

/** How an episode of several agents went, by seat. */
export interface PlayedSeats {
  readonly returns: readonly number[]; // [S]
  /** null = the environment did not tell. */
  readonly outcomes: readonly (number | null)[]; // [S]
  /** Index of the policy that acted. */
  readonly policies: readonly number[]; // [S]
}

/** In the order of `PlayRequest.episodes`. */
export interface PlayedEpisodes {
  readonly returns: readonly number[];
  readonly lengths: readonly number[];
  /** How many of them were cut. */
  readonly numCut: number;
  readonly metrics: MetricSums;
  /** Of several agents. `returns` are then the sums over all seats. */
  readonly seats?: readonly PlayedSeats[];
}

export interface PlayOptions {
  /** min(numEnvs, number of episodes) rows. */
  readonly vectorEnv: VectorEnv;
  readonly actor: BatchActor;
  readonly spec: ActingSpec;
  readonly request: PlayRequest;
  /** Called after every vector step, for rendering. */
  readonly onStep?: ((vectorEnv: VectorEnv, numFinished: number) => void) | undefined;
  /** Asked before every vector step: true ends it at once, and what it gives is worth nothing. */
  readonly isCut?: (() => boolean) | undefined;
}

interface Play {
  readonly rows: StepRows;
  /** Index into `episodes` of what each row plays; beyond the end it plays on unheeded. i32 [M] */
  readonly playing: Int32Array;
  readonly nextSeeds: Uint32Array; // [M] u32
  readonly runningReturns: Float64Array; // [M] f64
  readonly runningLengths: Int32Array; // [M] i32
  readonly returns: number[];
  readonly lengths: number[];
  readonly sums: MetricSums;
  /** Rows whose episode has just been cut. u8 [M] */
  readonly cutRows: Uint8Array;
  numCut: number;
}

/** Books the step of each row, and begins the next episode where one ended or was cut. @returns how many of those asked for did. */
function endRows(
  { vectorEnv, actor, request }: PlayOptions,
  play: Play,
  noise: ActionNoise,
  seedOf: (number: number) => number,
): number {
  const { playing, nextSeeds } = play;
  const M = vectorEnv.numRows;
  let numFinished = 0;
  for (let r = 0; r < M; r++) {
    if (!countStep(play, r, request.maxEpisodeSteps)) continue;
    if (playing[r] < request.episodes.length) numFinished += 1;
    playing[r] += M;
    noise.begin(r, nextSeeds[r]);
    actor.forget(r);
    restartIfCut(vectorEnv, play, r);
    nextSeeds[r] = seedOf(playing[r] + M);
  }
  return numFinished;
}

/** undefined = the actor acts; else what is awaited. */
export type PlayPause = Promise<void> | undefined;

/**
 * Plays the episodes: row r takes numbers r, r + M, r + 2M, ... of the list, so every episode is counted, long ones
 * included, and each one's return depends on its seed alone. Yields whenever the actor has to act for all rows, and a promise that is to be
 * awaited where environments answer later.
 *
 * Cost: about episodes * length / M calls of the policy. Thread: the caller's.
 */
export function* playEpisodes(options: PlayOptions): Generator<PlayPause, PlayedEpisodes, void> {
  const { vectorEnv, actor, spec, request } = options;
  const { episodes, seed, deterministic } = request;
  const M = vectorEnv.numRows;
  const A = actionSize(spec.distribution);
  const play = beginPlay(options);
  const { playing, nextSeeds, rows } = play;
  const noise = createActionNoise(spec, M, actor.noise);
  const mapAction = createActionMapping(spec);
  const envActions: ActionArray = // [M, A]
    actionDtype(spec.distribution) === 'int32' ? new Int32Array(M * A) : new Float32Array(M * A);
  const seedOf = (number: number) => episodeSeed(seed, episodes[number] ?? 0, 0, 'evaluation');
  const firstSeeds = Uint32Array.from(playing, seedOf);
  const { deferred } = vectorEnv;
  if (deferred !== undefined) yield forEachRow(M, (r) => deferred.reset(r, firstSeeds[r]));
  vectorEnv.reset(firstSeeds, rows);
  for (let r = 0; r < M; r++) {
    noise.begin(r, firstSeeds[r]);
    actor.forget(r);
  }
  let numFinished = 0;
  while (numFinished < episodes.length && options.isCut?.() !== true) {
    if (!deterministic) fillNoise(noise, M);
    yield undefined;
    for (let r = 0; r < M; r++) mapAction(actor.actions, r * A, envActions, r * A);
    if (deferred !== undefined) yield forEachRow(M, (r) => deferred.step(r, envActions, nextSeeds[r]));
    vectorEnv.step(envActions, nextSeeds, rows);
    if (deferred !== undefined) yield resetCut(deferred, play, request.maxEpisodeSteps);
    numFinished += endRows(options, play, noise, seedOf);
    options.onStep?.(vectorEnv, numFinished);
  }
  return { returns: play.returns, lengths: play.lengths, numCut: play.numCut, metrics: play.sums };
}

async function forEachRow(numRows: number, call: (r: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: numRows }, (_, r) => call(r)));
}

/** Of environments that answer later: all those whose episode is about to be cut begin the next one, none waiting for another. */
async function resetCut(deferred: DeferredRows, play: Play, maxEpisodeSteps: number): Promise<void> {
  const { playing, nextSeeds } = play;
  await forEachRow(playing.length, async (r) => {
    if (isCutNow(play, r, maxEpisodeSteps)) await deferred.reset(r, nextSeeds[r]);
  });
}

function fillNoise(noise: ActionNoise, numRows: number): void {
  for (let r = 0; r < numRows; r++) noise.fill(r);
}

/** An episode that ended has begun the next one on its own. */
function restartIfCut(vectorEnv: VectorEnv, { cutRows, nextSeeds, rows }: Play, r: number): void {
  if (cutRows[r] === 0) return;
  const mask = new Uint8Array(cutRows.length);
  mask[r] = 1;
  vectorEnv.resetRows(mask, nextSeeds, rows);
  cutRows[r] = 0;
}

/** Whether the step that row r has taken, and that is not booked yet, is its last although its episode goes on. */
function isCutNow({ rows, runningLengths }: Play, r: number, maxEpisodeSteps: number): boolean {
  const hasEnded = rows.terminated[r] !== 0 || rows.truncated[r] !== 0;
  return !hasEnded && runningLengths[r] + 1 >= maxEpisodeSteps;
}

/** Books a step of row r; true when its episode ended, or was cut. */
function countStep(play: Play, r: number, maxEpisodeSteps: number): boolean {
  const { rows, runningReturns, runningLengths, playing } = play;
  const isCut = isCutNow(play, r, maxEpisodeSteps);
  runningReturns[r] += rows.rewards[r];
  runningLengths[r] += 1;
  if (rows.terminated[r] === 0 && rows.truncated[r] === 0) {
    if (!isCut) return false;
    play.cutRows[r] = 1;
    if (playing[r] < play.returns.length) play.numCut += 1;
  }
  if (playing[r] < play.returns.length) {
    play.returns[playing[r]] = runningReturns[r];
    play.lengths[playing[r]] = runningLengths[r];
  }
  runningReturns[r] = 0;
  runningLengths[r] = 0;
  return true;
}

/** The environments write where the actor reads. */
function beginPlay({ vectorEnv, actor, spec, request }: PlayOptions): Play {
  const M = vectorEnv.numRows;
  const { episodes, seed } = request;
  const sums: MetricSums = {};
  const playing = Int32Array.from({ length: M }, (_, r) => r);
  const finalLength = M * spec.observationSize;
  const rows: StepRows = {
    observations: actor.observations,
    observationOffset: 0,
    observationStride: spec.observationSize,
    rewards: new Float32Array(M),
    terminated: new Uint8Array(M),
    truncated: new Uint8Array(M),
    scalarOffset: 0,
    scalarStride: 1,
    actionMasks: actor.masks,
    maskOffset: 0,
    maskStride: spec.actionMaskSize,
    finalObservations:
      spec.observationDtype === 'uint8' ? new Uint8Array(finalLength) : new Float32Array(finalLength),
    onMetric: (r, name, value) => {
      if (playing[r] < episodes.length) addMetric(sums, name, value);
    },
  };
  return {
    rows,
    playing,
    nextSeeds: Uint32Array.from(playing, (number) =>
      episodeSeed(seed, episodes[number + M] ?? 0, 0, 'evaluation'),
    ),
    runningReturns: new Float64Array(M),
    runningLengths: new Int32Array(M),
    returns: episodes.map(() => 0),
    lengths: episodes.map(() => 0),
    sums,
    cutRows: new Uint8Array(M),
    numCut: 0,
  };
}

/**
 * Plays with an actor that may answer later (central inference). The event loop turns every 20 ms, so that signals and timers get
 * through. Thread: main.
 */
export async function playAsync(options: PlayOptions): Promise<PlayedEpisodes> {
  const { vectorEnv, actor, request } = options;
  const play = playEpisodes(options);
  const turns = createTurns();
  for (;;) {
    const turn = play.next();
    if (turn.done) return turn.value;
    if (turn.value !== undefined) {
      await turn.value;
      continue;
    }
    await actor.act(vectorEnv.numRows, request.deterministic);
    if (turns.isDue()) await turns.take();
  }
}
