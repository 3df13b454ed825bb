/** Experience from elsewhere into a replay buffer: recorded episodes, laid out as the rows' own steps would be. */
import { ConfigError } from '../errors.ts';
import type { ReplayFragment } from './append.ts';
import type { Replay } from './replay.ts';
import type { ReplaySpec } from './replay-spec.ts';

/** L steps of one episode. Actions are as the environment gets them, flat: indices from 0, or numbers within the space's bounds. */
export interface RecordedEpisode {
  readonly observations: Float32Array | Uint8Array; // [L + 1, obsSize], the true last one included
  readonly actions: Float32Array | Int32Array; // [L, A]
  readonly rewards: Float32Array; // [L] f32
  /** Whether its last step was terminal; else it was cut there. */
  readonly terminated: boolean;
  /** Absent without masks. */
  readonly masks?: Uint8Array; // [L + 1, maskSize] u8
}

/** Steps of each row that are copied at a time: bounds the memory that this takes besides the buffer. */
const CHUNK_STEPS = 1024;

/** From an environment's action to what a policy stores of it; one row. */
export type StoreAction = (
  given: Float32Array | Int32Array,
  givenOffset: number,
  stored: Float32Array | Int32Array,
  storedOffset: number,
) => void;

/** Which step of which episode. */
interface Place {
  readonly episode: RecordedEpisode;
  readonly step: number;
}

/**
 * Appends episodes to a buffer, dealt out over its rows: all steps one behind the other, row n getting the n-th part of them. Where a row
 * ends in the middle of an episode, that is cut there, as truncated. What does not fill a step of every row (fewer than N steps) is left out.
 *
 * @param onChunk sees each fragment once it is in the buffer: running statistics.
 * Thread: the buffer's owner. @returns transitions that were appended.
 * @throws ConfigError `CONFIG_PREFILL` for episodes of other sizes, or of fewer steps than the buffer has rows; ShapeError as `append`.
 */
export function appendEpisodes(
  replay: Replay,
  episodes: readonly RecordedEpisode[],
  storeAction: StoreAction,
  onChunk?: (fragment: ReplayFragment) => void,
): number {
  const { numRows, spec } = replay.ring.plan;
  for (const episode of episodes) checkEpisode(spec, episode);
  const numSteps = episodes.reduce((sum, { rewards }) => sum + rewards.length, 0);
  const T = Math.floor(numSteps / numRows);
  if (T === 0)
    throw refused(`it has ${numSteps} steps, and there are ${numRows} environments to be given one each`);
  const cursors = Array.from({ length: numRows }, (_, n) => createCursor(episodes, n * T));
  for (let t = 0; t < T; t += CHUNK_STEPS) {
    const chunk = openChunk(spec, numRows, Math.min(CHUNK_STEPS, T - t));
    for (let n = 0; n < numRows; n++)
      fillRow(spec, chunk, n, cursors[n], t + chunk.rolloutLength === T, storeAction);
    replay.append(chunk);
    onChunk?.(chunk);
  }
  return T * numRows;
}

/** Walks through all steps from number `first` on. */
function createCursor(episodes: readonly RecordedEpisode[], first: number): () => Place {
  let k = 0;
  let step = first;
  return () => {
    while (step >= episodes[k].rewards.length) {
      step -= episodes[k].rewards.length;
      k += 1;
    }
    const place = { episode: episodes[k], step };
    step += 1;
    return place;
  };
}

type Chunk = { [K in keyof ReplayFragment]-?: ReplayFragment[K] };

function openChunk(spec: ReplaySpec, N: number, T: number): Chunk {
  const { observationSize, actionSize, maskSize } = spec;
  const observations = (length: number) =>
    spec.observationDtype === 'uint8' ? new Uint8Array(length) : new Float32Array(length);
  const numActions = N * T * actionSize;
  return {
    numRows: N,
    rolloutLength: T,
    observations: observations(N * T * observationSize),
    actions: spec.actionDtype === 'int32' ? new Int32Array(numActions) : new Float32Array(numActions),
    rewards: new Float32Array(N * T),
    terminated: new Uint8Array(N * T),
    truncated: new Uint8Array(N * T),
    actionMasks: new Uint8Array(N * T * maskSize).fill(1),
    bootstrapObservations: observations(N * observationSize),
    bootstrapMasks: new Uint8Array(N * maskSize).fill(1),
    finalSlots: new Int32Array(N * T).fill(-1),
    finalObservations: observations(N * T * observationSize),
    finalMasks: new Uint8Array(N * T * maskSize).fill(1),
  };
}

/** @param isLast whether nothing of this recording follows in the row. */
function fillRow(
  spec: ReplaySpec,
  chunk: Chunk,
  n: number,
  next: () => Place,
  isLast: boolean,
  storeAction: StoreAction,
): void {
  const { observationSize: size, actionSize: A, maskSize } = spec;
  const { rolloutLength: T } = chunk;
  for (let t = 0; t < T; t++) {
    const i = n * T + t;
    const { episode, step } = next();
    const copy = (toObservations: Chunk['observations'], toMasks: Uint8Array, to: number, from: number) => {
      toObservations.set(episode.observations.subarray(from * size, (from + 1) * size), to * size);
      if (episode.masks !== undefined)
        toMasks.set(episode.masks.subarray(from * maskSize, (from + 1) * maskSize), to * maskSize);
    };
    copy(chunk.observations, chunk.actionMasks, i, step);
    storeAction(episode.actions, step * A, chunk.actions, i * A);
    chunk.rewards[i] = episode.rewards[step];
    const isEnd = step + 1 === episode.rewards.length;
    if (t === T - 1) copy(chunk.bootstrapObservations, chunk.bootstrapMasks, n, step + 1);
    if (!isEnd && !(isLast && t === T - 1)) continue;
    if (isEnd && episode.terminated) chunk.terminated[i] = 1;
    else chunk.truncated[i] = 1;
    chunk.finalSlots[i] = i;
    copy(chunk.finalObservations, chunk.finalMasks, i, step + 1);
  }
}

function checkEpisode(spec: ReplaySpec, { observations, actions, rewards, masks }: RecordedEpisode): void {
  const L = rewards.length;
  const { observationSize, actionSize, maskSize } = spec;
  const sizes = [
    ['observations', observations.length, (L + 1) * observationSize],
    ['actions', actions.length, L * actionSize],
    ['masks', masks?.length ?? (L + 1) * maskSize, (L + 1) * maskSize],
  ] as const;
  for (const [name, given, wanted] of sizes) {
    if (given !== wanted)
      throw refused(`\`${name}\` of an episode of ${L} steps has ${given} elements instead of ${wanted}`);
  }
  const arrays = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };
  for (const [name, array, dtype] of [
    ['observations', observations, spec.observationDtype],
    ['actions', actions, spec.actionDtype],
  ] as const) {
    if (!(array instanceof arrays[dtype])) throw refused(`its ${name} are not ${dtype}`);
  }
}

function refused(problem: string): ConfigError {
  return new ConfigError(
    'CONFIG_PREFILL',
    `The recorded episodes do not fit this replay buffer: ${problem}. Record them in the same environment.`,
  );
}
