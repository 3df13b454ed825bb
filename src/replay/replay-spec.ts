/** What a replay buffer holds, how it is laid out, and what memory that takes: known before anything is allocated. */
import type { FrameStack } from '../env/env.ts';
import { ConfigError } from '../errors.ts';

/** Where the goal of a goal environment lies in its flat observation; offsets and sizes in elements. */
export interface GoalLayout {
  readonly achievedGoal: { readonly offset: number; readonly size: number };
  readonly desiredGoal: { readonly offset: number; readonly size: number };
}

/** What is stored. Of `capacity` and `bytes` one is given, or both: then the smaller buffer is meant. */
export interface ReplaySpec {
  /** Transitions that are kept, over all rows; rounded up to a multiple of `numRows`. */
  readonly capacity?: number;
  /** Memory that ring and final observations may take; as many transitions as fit are kept. */
  readonly bytes?: number;
  /** Environment rows, N. */
  readonly numRows: number;
  /** Elements of an observation as the policy sees it, stacked frames included. */
  readonly observationSize: number;
  readonly observationDtype: 'float32' | 'uint8';
  /** How observations are stacked; then each frame is stored once. */
  readonly frameStack?: FrameStack;
  readonly actionSize: number;
  readonly actionDtype: 'float32' | 'int32';
  /** Elements of an action mask; 0 without masks. */
  readonly maskSize: number;
  /** Of a goal environment; then the last observations of terminated episodes are kept, too. */
  readonly goal?: GoalLayout;
  /** Steps of a row in one checkpoint segment. @defaultValue a 256th of the buffer, and at least 64 KiB over all rows or an 8th of it */
  readonly segmentSteps?: number;
}

/** Sizes that follow from a {@link ReplaySpec}. A row is a ring of `rowSlots` slots, one a step. */
export interface ReplayPlan {
  readonly spec: ReplaySpec;
  readonly numRows: number; // R
  /** Transitions kept of each row. */
  readonly rowCapacity: number; // C
  /** Steps of a row in one checkpoint segment; divides `rowSlots`. */
  readonly segmentSteps: number; // G
  readonly rowSlots: number; // S
  /** Frames that an observation consists of: 1 without a stack. */
  readonly numFrames: number; // K
  /** Elements of one stored frame: the observation itself without a stack. */
  readonly frameSize: number;
  /** Elements of a frame that lie together in a stacked observation. */
  readonly groupSize: number;
  readonly frameBytes: number;
}

/** Bytes that a replay buffer takes. */
export interface ReplayBytes {
  /** Frames, actions, rewards, flags and masks of every slot. */
  readonly ring: number;
  /** The true last observations of episodes, when an episode lasts 16 steps on average. */
  readonly finals: number;
  /** The sum tree of prioritised sampling; 0 for other samplers. */
  readonly priorities: number;
  readonly total: number;
  /** When every single step ends an episode, and its last observation has to be kept. */
  readonly most: number;
}

const MIN_SEGMENT_BYTES = 65_536;
const NUM_SEGMENTS = 256;
const FEWEST_SEGMENTS = 8;
/** Final observations are planned for one step in so many; more of them take more memory when they come. */
const STEPS_PER_FINAL = 16;
const FINAL_KEY_BYTES = 16; // key f64, slot i32, free list i32
const MAX_SLOTS = 2 ** 31 - 1; // indices of slots are int32

/**
 * The layout of a replay buffer.
 *
 * A row has slots for its `rowCapacity` transitions, for what follows the newest, for the frames before the oldest (of a stack),
 * and for one checkpoint segment more: so a segment of which anything is alive is wholly there, and can be written again.
 *
 * @throws {@link ConfigError} `CONFIG_REPLAY_SPEC` for sizes that make no sense, `CONFIG_REPLAY_CAPACITY` when fewer than one
 * transition a row or more than 2^31 slots would be kept.
 */
export function planReplay(spec: ReplaySpec): ReplayPlan {
  checkSpec(spec);
  const { numRows } = spec;
  const layOut = layOutOf(spec);
  const wanted = Math.ceil((spec.capacity ?? Number.POSITIVE_INFINITY) / numRows);
  const fitting =
    spec.bytes === undefined
      ? wanted
      : largestCapacity(spec.bytes, numRows, (rowCapacity) => bytesOf(layOut(rowCapacity)).total);
  const plan = layOut(Math.min(wanted, fitting));
  const numSlots = numRows * plan.rowSlots;
  if (plan.rowCapacity >= 1 && numSlots <= MAX_SLOTS) return plan;
  const [option, value] =
    spec.bytes === undefined ? ['replayCapacity', spec.capacity] : ['replayBytes', spec.bytes];
  throw new ConfigError(
    'CONFIG_REPLAY_CAPACITY',
    `${option} (${value}) keeps ${plan.rowCapacity} transitions of each of ${numRows} rows (one for each environment; among several agents one for each of a policy's agents in it) in ${numSlots} slots; ` +
      `expected at least 1 and at most ${MAX_SLOTS} slots. ${plan.rowCapacity < 1 ? 'Raise' : 'Lower'} ${option}.`,
  );
}

/** The layout of as many transitions a row as are asked for. */
function layOutOf(spec: ReplaySpec): (rowCapacity: number) => ReplayPlan {
  const { numRows, observationSize, observationDtype, frameStack } = spec;
  const numFrames = frameStack?.numFrames ?? 1;
  const frameSize = observationSize / numFrames;
  const frameBytes = frameSize * (observationDtype === 'uint8' ? 1 : 4);
  const groupSize = frameStack?.groupSize ?? frameSize;
  const shape = { spec, numRows, numFrames, frameSize, frameBytes, groupSize };
  return (rowCapacity) => {
    const segmentSteps = spec.segmentSteps ?? defaultSegmentSteps(rowCapacity, numRows * slotBytes(shape));
    const rowSlots = Math.ceil((rowCapacity + segmentSteps + numFrames) / segmentSteps) * segmentSteps;
    return { ...shape, rowCapacity, segmentSteps, rowSlots };
  };
}

/** Bytes of one slot: frame, action, reward, flag byte, mask. */
function slotBytes({ spec, frameBytes }: Pick<ReplayPlan, 'spec' | 'frameBytes'>): number {
  return frameBytes + 4 * spec.actionSize + 4 + 1 + spec.maskSize;
}

function defaultSegmentSteps(rowCapacity: number, stepBytes: number): number {
  const least = Math.min(Math.ceil(MIN_SEGMENT_BYTES / stepBytes), Math.ceil(rowCapacity / FEWEST_SEGMENTS));
  return Math.max(1, Math.ceil(rowCapacity / NUM_SEGMENTS), least);
}

/** The largest capacity of a row whose buffer fits, found by halving: segments make the bytes jump. */
function largestCapacity(bytes: number, numRows: number, bytesAt: (rowCapacity: number) => number): number {
  let fits = 0;
  let tooLarge = Math.floor(MAX_SLOTS / numRows / 2);
  while (tooLarge - fits > 1) {
    const middle = Math.floor((fits + tooLarge) / 2);
    if (bytesAt(middle) <= bytes) fits = middle;
    else tooLarge = middle;
  }
  return fits;
}

/** Memory of the buffer of `spec`. @param isPrioritised with the sum tree of prioritised sampling. @throws as {@link planReplay}. */
export function replayBytes(spec: ReplaySpec, isPrioritised = false): ReplayBytes {
  return bytesOf(planReplay(spec), isPrioritised);
}

function bytesOf(plan: ReplayPlan, isPrioritised = false): ReplayBytes {
  const numSlots = plan.numRows * plan.rowSlots;
  const finalBytes = plan.frameBytes + plan.spec.maskSize + FINAL_KEY_BYTES;
  const ring = numSlots * slotBytes(plan);
  const finals = Math.ceil(numSlots / STEPS_PER_FINAL) * finalBytes;
  const priorities = isPrioritised ? 16 * 2 ** Math.ceil(Math.log2(Math.max(2, numSlots))) : 0;
  return {
    ring,
    finals,
    priorities,
    total: ring + finals + priorities,
    most: ring + numSlots * finalBytes + priorities,
  };
}

/**
 * Checks that the buffer fits what the machine has, and says so in one line. Call it before {@link createReplay}.
 *
 * @param available bytes that can be had now (src/replay/available-memory.ts).
 * @returns a line for the banner: `replay: 1,000,000 transitions, 22.4 MB of 3.1 GB available`.
 * @throws {@link ConfigError} `CONFIG_REPLAY_MEMORY` with the largest capacity that would fit.
 */
export function checkReplayMemory(spec: ReplaySpec, available: number, isPrioritised = false): string {
  const plan = planReplay(spec);
  const { total, most } = bytesOf(plan, isPrioritised);
  const transitions = (plan.rowCapacity * plan.numRows).toLocaleString('en-US');
  if (total <= available) {
    const upTo = most > 1.5 * total ? `, up to ${inUnits(most)} if episodes are very short` : '';
    return `replay: ${transitions} transitions, ${inUnits(total)} of ${inUnits(available)} available${upTo}`;
  }
  const layOut = layOutOf(spec);
  // A tenth is left for everything else of the run.
  const largest = largestCapacity(
    0.9 * available,
    spec.numRows,
    (rowCapacity) => bytesOf(layOut(rowCapacity), isPrioritised).total,
  );
  throw new ConfigError(
    'CONFIG_REPLAY_MEMORY',
    `The replay buffer of ${transitions} transitions takes ${inUnits(total)}, and this machine has ${inUnits(available)} available. ` +
      `Lower replayCapacity to ${largest * spec.numRows}, give replayBytes, make observations smaller (uint8, fewer pixels), or free memory.`,
  );
}

function inUnits(bytes: number): string {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

function checkSpec(spec: ReplaySpec): void {
  const isCount = (value: number, least: number) => Number.isSafeInteger(value) && value >= least;
  const require = (isGood: boolean, expected: string, value: unknown) => {
    if (isGood) return;
    throw new ConfigError(
      'CONFIG_REPLAY_SPEC',
      `Expected ${expected} of a replay buffer, got ${String(value)}.`,
    );
  };
  const { capacity, bytes, frameStack, goal, observationSize } = spec;
  require(capacity !== undefined || bytes !== undefined, '`capacity` or `bytes`', 'none');
  require(isCount(capacity ?? 1, 1), '`capacity` to be a whole number from 1', capacity);
  require(isCount(bytes ?? 1, 1), '`bytes` to be a whole number from 1', bytes);
  require(isCount(spec.numRows, 1), '`numRows` to be a whole number from 1', spec.numRows);
  require(isCount(observationSize, 1), '`observationSize` to be a whole number from 1', observationSize);
  require(isCount(spec.actionSize, 1), '`actionSize` to be a whole number from 1', spec.actionSize);
  require(isCount(spec.maskSize, 0), '`maskSize` to be a whole number from 0', spec.maskSize);
  require(isCount(
    spec.segmentSteps ?? 1,
    1,
  ), '`segmentSteps` to be a whole number from 1', spec.segmentSteps);
  if (frameStack !== undefined) {
    const { numFrames, groupSize } = frameStack;
    require(isCount(numFrames, 1) &&
      observationSize % numFrames === 0, '`numFrames` to divide the observation', numFrames);
    const isDivisor = isCount(groupSize, 1) && (observationSize / numFrames) % groupSize === 0;
    require(isDivisor, '`groupSize` to divide a frame', groupSize);
  }
  if (goal === undefined) return;
  const ends = [goal.achievedGoal, goal.desiredGoal].map(({ offset, size }) => offset + size);
  require(Math.max(...ends) <= observationSize, 'both goals to lie in the observation', ends);
  require(goal.achievedGoal.size === goal.desiredGoal.size, 'goals of the same size', goal.desiredGoal.size);
  const isPlain = frameStack === undefined && spec.observationDtype === 'float32';
  require(isPlain, 'float32 observations without a frame stack with goals', spec.observationDtype);
}
