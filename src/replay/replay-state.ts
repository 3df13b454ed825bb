/** A replay buffer's part of a checkpoint: full segments that checkpoints share, and what is newer. */
import { createHash } from 'node:crypto';
import type { CheckpointContent, NamedTensor, ReadSegment } from '../checkpoint/content.ts';
import { jsonDifferences } from '../checkpoint/exact-json.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import { readTensor } from '../checkpoint/tensor-rules.ts';
import { CheckpointError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { PrioritisedSampler, PriorityState } from './prioritised-sampler.ts';
import type { Replay } from './replay.ts';
import {
  clearRing,
  copyRange,
  fullSegments,
  readRange,
  restoreRange,
  tailPosition,
} from './replay-segments.ts';
import type { ReplayPlan } from './replay-spec.ts';
import type { Ring } from './ring.ts';

const FILE = 'replay.json';
const TENSORS = 'replay.safetensors';

export interface ReplayStateOptions {
  /** Whose priorities are part of the state; null = sampling has no state but its stream. */
  readonly sampler: PrioritisedSampler | null;
  /**
   * `checkpointReplay`. false leaves the buffer out of checkpoints: they are small, and a resumed run begins with an empty buffer, so it
   * is not the run that it would have been. @defaultValue true
   */
  readonly isSaved?: boolean;
}

/** What `replay.json` says of a buffer that is there. */
interface SavedReplay {
  readonly layout: JsonObject;
  readonly end: number;
  /** By index: full segment j is `segments[j - first]`. */
  readonly first: number;
  readonly segments: readonly string[];
}

/**
 * The whole buffer, so that a resumed run samples what it would have sampled.
 *
 * A segment's content does not change once it is full (but where an episode is cut afterwards: then it is another segment); its name
 * holds its digest, so a checkpoint has to write only what no other has
 * written: new segments, and the tail, which is less than one segment (a 256th of the buffer). Priorities change everywhere, so they
 * are written whole, 4 bytes a slot.
 *
 * Cost of getState: a copy of what is not stored, and a sha256 of what is new. Restoring reads one segment at a time.
 *
 * @throws CheckpointError (reading) `CHECKPOINT_REPLAY_MISSING` for a checkpoint without a buffer, `CHECKPOINT_MISMATCH` for one of
 * another buffer, `CHECKPOINT_REPLAY` for one that is not as it was saved, `CHECKPOINT_SEGMENT_DAMAGED`.
 */
export function replayState(replay: Replay, { sampler, isSaved = true }: ReplayStateOptions): StatePart {
  const names = new Map<number, string>(); // of full segments that are alive
  let numCuts = 0;
  return {
    name: 'replay',
    files: [],
    getState(storedSegments) {
      if (!isSaved) return { json: { [FILE]: { isSaved: false } } };
      if (replay.ring.numCuts !== numCuts) names.clear();
      numCuts = replay.ring.numCuts;
      return wholeState(replay, sampler, names, storedSegments);
    },
    readState(content) {
      const saved = readSaved(content, replay.ring.plan);
      if (saved === null) {
        if (isSaved) throw leftOut();
        return () => clear(replay, sampler, names);
      }
      const readers = saved.segments.map((name) => readerOf(content, name));
      checkTail(replay, sampler, saved, content.tensors[TENSORS] ?? {});
      return async () => {
        clear(replay, sampler, names);
        for (const [k, read] of readers.entries()) {
          const j = saved.first + k;
          const { segmentSteps } = replay.ring.plan;
          const source = `segment ${saved.segments[k]}`;
          restoreRange(replay.ring, j * segmentSteps, segmentSteps, await read(), source);
          names.set(j, saved.segments[k]);
        }
        restoreTail(replay, sampler, saved, content.tensors[TENSORS] ?? {});
      };
    },
  };
}

function wholeState(
  replay: Replay,
  sampler: PrioritisedSampler | null,
  names: Map<number, string>,
  storedSegments: ReadonlySet<string>,
) {
  const { ring } = replay;
  const { segmentSteps } = ring.plan;
  const alive = fullSegments(ring);
  for (const j of names.keys()) if (!alive.includes(j)) names.delete(j);
  const segments: Record<string, ReadSegment | null> = {};
  for (const j of alive) {
    const known = names.get(j);
    if (known !== undefined && storedSegments.has(known)) {
      segments[known] = null;
      continue;
    }
    const tensors = copyRange(ring, j * segmentSteps, segmentSteps);
    const name = known ?? `replay-${String(j).padStart(6, '0')}-${digestOf(tensors)}`;
    names.set(j, name);
    segments[name] = storedSegments.has(name) ? null : async () => tensors;
  }
  const priorities = sampler?.getState() ?? null;
  const tail = tailPosition(ring);
  const saved: SavedReplay = {
    layout: layoutOf(ring.plan),
    end: ring.end,
    first: alive[0] ?? 0,
    segments: alive.map((j) => names.get(j) as string),
  };
  return {
    tensors: { [TENSORS]: { ...copyRange(ring, tail, ring.end - tail + 1), ...priorityTensors(priorities) } },
    json: { [FILE]: { isSaved: true, ...saved, ...priorityFields(priorities) } as JsonObject },
    segments,
  };
}

/** Looks at what is newer than the segments before anything changes. */
function checkTail(
  { ring }: Replay,
  sampler: PrioritisedSampler | null,
  saved: SavedReplay & JsonObject,
  tensors: Readonly<Record<string, NamedTensor>>,
): void {
  const tail = tailPosition({ ...ring, end: saved.end });
  readRange(ring.plan, saved.end - tail + 1, tensors, TENSORS);
  if (sampler !== null) readPriorities(ring, saved, tensors);
}

function restoreTail(
  { ring }: Replay,
  sampler: PrioritisedSampler | null,
  saved: SavedReplay & JsonObject,
  tensors: Readonly<Record<string, NamedTensor>>,
): void {
  ring.end = saved.end;
  const tail = tailPosition(ring);
  restoreRange(ring, tail, ring.end - tail + 1, tensors, TENSORS);
  sampler?.setState(readPriorities(ring, saved, tensors));
}

function readPriorities(
  { plan }: Ring,
  { largestPriority, prioritiesFirst: first, prioritiesEnd: end, end: replayEnd }: SavedReplay & JsonObject,
  tensors: Readonly<Record<string, NamedTensor>>,
): PriorityState {
  const numSlots = plan.numRows * plan.rowSlots;
  const { data: masses } = readTensor(tensors, TENSORS, 'priorities', {
    dtype: 'float32',
    shape: [numSlots],
    values: 'nonNegative',
  });
  const isPriority = typeof largestPriority === 'number' && largestPriority > 0 && largestPriority < Infinity;
  if (!isPriority || !isCount(first) || !isCount(end) || first > end || end > replayEnd)
    throw broken('its priorities do not fit it');
  return { masses: masses as Float32Array, largestPriority, first, end };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function priorityTensors(priorities: PriorityState | null): Record<string, NamedTensor> {
  if (priorities === null) return {};
  const { masses } = priorities;
  return { priorities: { dtype: 'float32', shape: [masses.length], data: masses } };
}

function priorityFields(priorities: PriorityState | null): JsonObject {
  if (priorities === null) return {};
  const { largestPriority, first, end } = priorities;
  return { largestPriority, prioritiesFirst: first, prioritiesEnd: end };
}

function clear({ ring }: Replay, sampler: PrioritisedSampler | null, names: Map<number, string>): void {
  clearRing(ring);
  names.clear();
  const numSlots = ring.plan.numRows * ring.plan.rowSlots;
  const { end } = ring;
  sampler?.setState({ masses: new Float32Array(numSlots), largestPriority: 1, first: end, end });
}

/** @returns null for a checkpoint that leaves the buffer out, or knows of none. */
function readSaved({ json }: CheckpointContent, plan: ReplayPlan): (SavedReplay & JsonObject) | null {
  const value = Object.hasOwn(json, FILE) ? json[FILE] : undefined;
  if (value === undefined || value.isSaved === false) return null;
  if (value.isSaved !== true) throw broken('it does not say whether it was saved');
  const differences = jsonDifferences(value.layout as JsonValue, layoutOf(plan), 'replay');
  if (differences.length > 0) throw otherLayout(differences);
  const { end, first, segments } = value;
  const areNames = Array.isArray(segments) && segments.every((name) => typeof name === 'string');
  const numFull = isCount(end) ? Math.floor(end / plan.segmentSteps) : 0;
  if (
    isCount(end) &&
    isCount(first) &&
    areNames &&
    (segments.length === 0 || first + segments.length === numFull)
  ) {
    return value as unknown as SavedReplay & JsonObject;
  }
  throw broken('its counters do not fit its segments');
}

export function otherLayout(differences: ReturnType<typeof jsonDifferences>): CheckpointError {
  const list = differences.map(
    ({ path, first, second }) => `${path}: ${first} in the checkpoint, ${second} here`,
  );
  return new CheckpointError(
    'CHECKPOINT_MISMATCH',
    `The checkpoint's replay buffer does not fit this run:\n  ${list.join('\n  ')}\nResume without changing these options, or start a new run.`,
  );
}

export function layoutOf({ spec, rowCapacity, segmentSteps, numFrames, groupSize }: ReplayPlan): JsonObject {
  const { numRows, observationSize, observationDtype, actionSize, actionDtype, maskSize } = spec;
  return {
    ...{ numRows, rowCapacity, segmentSteps, observationSize, observationDtype, numFrames, groupSize },
    ...{ actionSize, actionDtype, maskSize, hasGoal: spec.goal !== undefined },
  };
}

function readerOf({ segments }: CheckpointContent, name: string): ReadSegment {
  const read = segments !== undefined && Object.hasOwn(segments, name) ? segments[name] : undefined;
  if (read) return read;
  throw new CheckpointError(
    'CHECKPOINT_SEGMENT_MISSING',
    `The state of the replay buffer comes without its segment \`${name}\`: load the checkpoint with its segments, or ask for a whole state.`,
  );
}

/** 64 bits of the sha256 of the tensors' bytes: what a name needs to be one content's. */
function digestOf(tensors: Readonly<Record<string, NamedTensor>>): string {
  const hash = createHash('sha256');
  for (const name of Object.keys(tensors).sort()) {
    const { data } = tensors[name];
    hash.update(`${name} ${data.length};`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex').slice(0, 16);
}

export function leftOut(): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_REPLAY_MISSING',
    'This checkpoint was written without its replay buffer (`checkpointReplay: false`), so the run cannot go on exactly. ' +
      'Resume with `checkpointReplay: false` to begin with an empty buffer, or from another checkpoint.',
  );
}

export function broken(why: string): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_REPLAY',
    `The checkpoint's replay buffer is not as it was saved: ${why}. Use an older checkpoint.`,
  );
}
