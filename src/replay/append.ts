/** Writes fragments of experience into a ring. */
import { ShapeError } from '../errors.ts';
import { readFinalObservation, readObservation, writeStackedFrame } from './frame-stack.ts';
import { type FrameStore, type Units, unitsOf, writeFrame } from './frame-store.ts';
import type { ReplaySpec } from './replay-spec.ts';
import { firstPosition, type Ring, TERMINATED, TRUNCATED } from './ring.ts';

/**
 * T steps of every environment row, as a rollout holds them: environment-major, i = n * T + t, autoreset in the same step. A
 * block set with a table of true last observations is one.
 */
export interface ReplayFragment {
  readonly numRows: number; // N
  readonly rolloutLength: number; // T
  readonly observations: Float32Array | Uint8Array; // [N, T, obsSize], raw
  readonly actions: Float32Array | Int32Array; // [N, T, A]
  readonly rewards: Float32Array; // [N, T] f32
  readonly terminated: Uint8Array; // [N, T] u8
  readonly truncated: Uint8Array; // [N, T] u8
  readonly actionMasks: Uint8Array; // [N, T, maskSize] u8
  /** What follows step T - 1: after an end, the next episode's first. */
  readonly bootstrapObservations: Float32Array | Uint8Array; // [N, obsSize]
  readonly bootstrapMasks: Uint8Array; // [N, maskSize] u8
  /** Which row of `finalObservations` holds the true last observation of the episode that ended in step i; -1 = none. */
  readonly finalSlots: Int32Array; // [N, T] i32
  readonly finalObservations: Float32Array | Uint8Array; // [numSlots, obsSize]
  /** Action masks of the true last observations; absent: every action is allowed there. */
  readonly finalMasks?: Uint8Array; // [numSlots, maskSize] u8
}

/** A fragment with its arrays in the units that frames are copied as. */
interface Source {
  /** Of the rings that it is for: all of one spec are laid out alike. */
  readonly spec: ReplaySpec;
  readonly fragment: ReplayFragment;
  readonly observations: Units;
  readonly bootstraps: Units;
  readonly finals: Units;
  readonly actions: Int32Array; // words
  readonly observationUnits: number;
  /** Room for one observation put together again. */
  readonly scratch: Units;
}

/**
 * Appends T steps to every row and drops the oldest. Where a row does not go on from the observation that it had arrived at (a resumed
 * run restarts an episode of an environment that is not deterministic), the episode before counts as truncated there.
 *
 * Thread: the ring's owner. Cost: two copies of what is stored; a stack is also put together again and compared.
 *
 * @throws {@link ShapeError} `SHAPE_REPLAY_FRAGMENT` when the fragment has other sizes than the buffer, `SHAPE_REPLAY_FINAL` for a
 * truncated step without its last observation, `SHAPE_REPLAY_STACK` when an observation is not the stack of the frames before it.
 */
export function appendFragment(ring: Ring, fragment: ReplayFragment): void {
  const { rolloutLength: T } = fragment;
  const source = sourceOf(ring, fragment);
  if (ring.end === ring.plan.numFrames - 1) writeFramesBefore(ring, source);
  else cutWhereBroken(ring, source);
  for (let t = 0; t < T; t++) {
    appendStep(ring, source, t);
    ring.end += 1;
    dropOldFinals(ring);
  }
  writeFrontier(ring, source);
}

/** The two block sets of a run come again and again, and a view costs more than a short fragment's copy. */
const openSources = new WeakMap<ReplayFragment, Source>();

/** @throws ShapeError as {@link appendFragment}. */
function sourceOf(ring: Ring, fragment: ReplayFragment): Source {
  const known = openSources.get(fragment);
  if (known?.spec === ring.plan.spec) return known;
  checkSizes(ring, fragment);
  const source = openSource(ring, fragment);
  openSources.set(fragment, source);
  return source;
}

function openSource(ring: Ring, fragment: ReplayFragment): Source {
  const { frames, plan } = ring;
  const { actions } = fragment;
  const observationUnits = frames.frameUnits * plan.numFrames;
  return {
    spec: plan.spec,
    fragment,
    observations: unitsOf(frames, fragment.observations),
    bootstraps: unitsOf(frames, fragment.bootstrapObservations),
    finals: unitsOf(frames, fragment.finalObservations),
    actions: new Int32Array(actions.buffer, actions.byteOffset, actions.length),
    observationUnits,
    scratch: frames.isWords ? new Int32Array(observationUnits) : new Uint8Array(observationUnits),
  };
}

/** The frames before the very first step of each row: experience may begin in the middle of an episode. */
function writeFramesBefore(ring: Ring, { fragment, observations, observationUnits }: Source): void {
  const { numFrames, numRows, rowSlots } = ring.plan;
  for (let n = 0; n < numRows; n++) {
    for (let f = 0; f < numFrames - 1; f++) {
      const at = n * fragment.rolloutLength * observationUnits;
      writeStackedFrame(ring.frames, n * rowSlots + f, ring, f, observations, at);
    }
  }
}

/** Two episodes must not become one, whose middle step leads from one to the other. */
function cutWhereBroken(ring: Ring, source: Source): void {
  const { plan, flags, masks, finals, end } = ring;
  const { numRows, rowSlots } = plan;
  const { maskSize } = plan.spec;
  for (let n = 0; n < numRows; n++) {
    const base = n * rowSlots;
    const last = base + ((end - 1) % rowSlots);
    const arrived = base + (end % rowSlots);
    if (flags[last] !== 0 || isNewest(ring, source, n, arrived)) continue;
    flags[last] = TRUNCATED;
    ring.numCuts += 1;
    const slot = finals.push((end - 1) * numRows + n);
    const { chunks, shift, mask, frameUnits } = ring.frames;
    writeFrame(finals.frames, slot, chunks[arrived >>> shift], (arrived & mask) * frameUnits);
    finals.masks[slot >>> finals.frames.shift].set(
      masks.subarray(arrived * maskSize, (arrived + 1) * maskSize),
      (slot & finals.frames.mask) * maskSize,
    );
  }
}

/** Whether the frame of `slot` is the newest of row n's first observation. */
function isNewest({ plan, frames }: Ring, source: Source, n: number, slot: number): boolean {
  const { numFrames, frameSize, groupSize } = plan;
  const { frameUnits } = frames;
  const groupUnits = (frameUnits / frameSize) * groupSize;
  const chunk = frames.chunks[slot >>> frames.shift];
  const from = (slot & frames.mask) * frameUnits;
  const at = n * source.fragment.rolloutLength * source.observationUnits + (numFrames - 1) * groupUnits;
  for (let k = 0; k < frameUnits; k++) {
    const group = Math.floor(k / groupUnits) * (numFrames - 1) * groupUnits;
    if (chunk[from + k] !== source.observations[at + group + k]) return false;
  }
  return true;
}

function appendStep(ring: Ring, source: Source, t: number): void {
  const { plan, flags, rewards, actions, masks, end } = ring;
  const { numRows, rowSlots, spec } = plan;
  const { fragment, observations, observationUnits } = source;
  const { actionSize: A, maskSize } = spec;
  const slotOfRow = end % rowSlots;
  for (let n = 0; n < numRows; n++) {
    const i = n * fragment.rolloutLength + t;
    const slot = n * rowSlots + slotOfRow;
    writeNewest(ring, ring.frames, slot, observations, i * observationUnits);
    if (plan.numFrames > 1) checkStack(ring, source, n, slot, i);
    for (let k = 0; k < A; k++) actions[slot * A + k] = source.actions[i * A + k];
    rewards[slot] = fragment.rewards[i];
    for (let k = 0; k < maskSize; k++) masks[slot * maskSize + k] = fragment.actionMasks[i * maskSize + k];
    const flag =
      (fragment.terminated[i] === 0 ? 0 : TERMINATED) | (fragment.truncated[i] === 0 ? 0 : TRUNCATED);
    flags[slot] = flag;
    if (flag !== 0) appendFinal(ring, source, n, i, flag);
  }
}

/** The newest frame of the observation at `source[at ..]`: the whole of it without a stack. */
function writeNewest(ring: Ring, store: FrameStore, slot: number, source: Units, at: number): void {
  const { numFrames } = ring.plan;
  if (numFrames === 1) writeFrame(store, slot, source, at);
  else writeStackedFrame(store, slot, ring, numFrames - 1, source, at);
}

/** What comes back has to be what came in, or a buffer that was told of the wrong stack would teach nonsense. */
function checkStack(ring: Ring, source: Source, n: number, slot: number, i: number): void {
  const { observations, observationUnits, scratch } = source;
  readObservation(ring, n * ring.plan.rowSlots, slot, scratch, 0);
  compareStack(ring, scratch, observations, i * observationUnits, n);
}

function compareStack({ plan }: Ring, stack: Units, given: Units, at: number, n: number): void {
  for (let k = 0; k < stack.length; k++) {
    if (stack[k] === given[at + k]) continue;
    throw new ShapeError(
      'SHAPE_REPLAY_STACK',
      `The observation of environment ${n} is not the stack of its episode's last ${plan.numFrames} frames (oldest first, the first one ` +
        `repeated after a reset, ${plan.groupSize} elements of a frame together). Stack frames with the wrapper \`frameStack\`, or store observations whole.`,
    );
  }
}

/**
 * The true last observation of the episode that ended in step i. Where it terminated nothing is bootstrapped from it, so it is
 * kept for goals alone.
 */
function appendFinal(ring: Ring, source: Source, n: number, i: number, flag: number): void {
  const { plan, finals, end } = ring;
  const { goal, maskSize } = plan.spec;
  if ((flag & TERMINATED) !== 0 && goal === undefined) return;
  const { fragment, observationUnits, scratch } = source;
  const given = fragment.finalSlots[i];
  if (given < 0) {
    throw new ShapeError(
      'SHAPE_REPLAY_FINAL',
      `Environment ${n} ended its episode in step ${i % fragment.rolloutLength} of a fragment that does not hold the true last observation ` +
        '(`finalSlots` is -1). Without it a truncated episode would bootstrap from the next one.',
    );
  }
  const slot = finals.push(end * plan.numRows + n);
  writeNewest(ring, finals.frames, slot, source.finals, given * observationUnits);
  if (plan.numFrames > 1) {
    const base = n * plan.rowSlots;
    readFinalObservation(ring, base, base + (end % plan.rowSlots), slot, scratch, 0);
    compareStack(ring, scratch, source.finals, given * observationUnits, n);
  }
  const mask = finals.masks[slot >>> finals.frames.shift];
  const to = (slot & finals.frames.mask) * maskSize;
  for (let k = 0; k < maskSize; k++) {
    mask[to + k] = fragment.finalMasks === undefined ? 1 : fragment.finalMasks[given * maskSize + k];
  }
}

/** Those of steps that are gone, but whole segments: see {@link planReplay}. */
function dropOldFinals(ring: Ring): void {
  const { segmentSteps, numRows, numFrames } = ring.plan;
  const oldest = firstPosition(ring) - numFrames + 1;
  ring.finals.dropBefore(Math.floor(oldest / segmentSteps) * segmentSteps * numRows);
}

/** What follows the newest step. Whatever an older step left in that slot is cleared, so that equal buffers have equal bytes. */
function writeFrontier(ring: Ring, { fragment, bootstraps, observationUnits }: Source): void {
  const { plan, flags, rewards, actions, masks, end } = ring;
  const { numRows, rowSlots, spec } = plan;
  const { actionSize: A, maskSize } = spec;
  for (let n = 0; n < numRows; n++) {
    const slot = n * rowSlots + (end % rowSlots);
    writeNewest(ring, ring.frames, slot, bootstraps, n * observationUnits);
    flags[slot] = 0;
    rewards[slot] = 0;
    actions.fill(0, slot * A, (slot + 1) * A);
    for (let k = 0; k < maskSize; k++) {
      masks[slot * maskSize + k] = fragment.bootstrapMasks[n * maskSize + k];
    }
  }
}

function checkSizes({ plan: { spec, numRows } }: Ring, fragment: ReplayFragment): void {
  const { numRows: N, rolloutLength: T } = fragment;
  const expected: readonly (readonly [string, number, number])[] = [
    ['numRows', N, numRows],
    ['observations', fragment.observations.length, N * T * spec.observationSize],
    ['actions', fragment.actions.length, N * T * spec.actionSize],
    ['rewards', fragment.rewards.length, N * T],
    ['terminated', fragment.terminated.length, N * T],
    ['truncated', fragment.truncated.length, N * T],
    ['actionMasks', fragment.actionMasks.length, N * T * spec.maskSize],
    ['bootstrapObservations', fragment.bootstrapObservations.length, N * spec.observationSize],
    ['bootstrapMasks', fragment.bootstrapMasks.length, N * spec.maskSize],
    ['finalSlots', fragment.finalSlots.length, N * T],
  ];
  for (const [name, given, wanted] of expected) {
    if (given === wanted) continue;
    const message = `Expected \`${name}\` of a fragment of ${N} rows and ${T} steps to be ${wanted} for this replay buffer, got ${given}.`;
    throw new ShapeError('SHAPE_REPLAY_FRAGMENT', message);
  }
  const isBytes = fragment.observations instanceof Uint8Array;
  const areIntegers = fragment.actions instanceof Int32Array;
  if (isBytes === (spec.observationDtype === 'uint8') && areIntegers === (spec.actionDtype === 'int32'))
    return;
  throw new ShapeError(
    'SHAPE_REPLAY_FRAGMENT',
    `Expected ${spec.observationDtype} observations and ${spec.actionDtype} actions, got ${isBytes ? 'uint8' : 'float32'} and ${areIntegers ? 'int32' : 'float32'}.`,
  );
}
