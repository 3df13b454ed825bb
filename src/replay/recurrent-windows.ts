/** Windows of a row's steps for a recurrent network: contiguous, over the ends of episodes, with what truncated ones truly led to in between. */
import { ShapeError } from '../errors.ts';
import { readFinalObservation, readObservation } from './frame-stack.ts';
import { type Units, unitsOf } from './frame-store.ts';
import { finalOf } from './gather.ts';
import { type Ring, TERMINATED } from './ring.ts';

/** A window is U = burnIn + sequenceLength + nStep rows long: what warms the state, what is learnt, what that is bootstrapped from. */
export interface WindowShape {
  readonly sequenceLength: number;
  readonly burnIn: number;
  readonly nStep: number;
  readonly gamma: number;
}

/** U. */
export const windowLength = ({ sequenceLength, burnIn, nStep }: Omit<WindowShape, 'gamma'>): number =>
  burnIn + sequenceLength + nStep;

/** Columns of a batch that windows are written to, a row for each of their observations. */
export interface WindowColumns {
  readonly observations: Float32Array | Uint8Array; // [B, obsSize], raw
  readonly actions: Int32Array | Float32Array; // [B, A], as in the buffer
  /** Sum of gamma^j r_j over the steps up to the bootstrap. */
  readonly rewards: Float32Array; // [B] f32
  /** gamma^k over those k steps, 0 where the episode terminated in one of them. */
  readonly discounts: Float32Array; // [B] f32
  /** Which row of the window is bootstrapped from: so many further on. */
  readonly bootstraps: Int32Array; // [B] i32
  /** 1 where the row is a step that is learnt, else 0. */
  readonly weights: Float32Array; // [B] f32
  /** 0 where an episode begins. */
  readonly continues: Int32Array; // [B] i32
  /** Which actions are allowed in the row's observation; absent or empty: all are. */
  readonly masks?: Uint8Array; // [B, maskSize] u8
}

/** Writes windows into the columns of one batch. */
export interface WindowReader {
  /**
   * The window of row `row` from position `position` on: its u-th observation goes to row `firstRow + u * stride` of the columns.
   *
   * @returns how many of its steps are learnt.
   */
  read(row: number, position: number, firstRow: number, stride: number): number;
}

const BOOTSTRAP_ONLY = -1; // a row without a step: a true last observation

/**
 * What a truncated episode truly led to has a row of its own, which no action follows; the next row begins an episode. So nothing is lost, and every learnt
 * step has what it is bootstrapped from in its window: fewer of them are learnt where such rows are among the `sequenceLength`.
 *
 * @throws ShapeError `SHAPE_REPLAY_BATCH` for columns of other kinds than the buffer's.
 */
export function createWindowReader(ring: Ring, shape: WindowShape, columns: WindowColumns): WindowReader {
  const { rowSlots, numFrames, spec } = ring.plan;
  checkColumns(ring, columns);
  const { actionSize: A, maskSize } = spec;
  const U = windowLength(shape);
  const observations: Units = unitsOf(ring.frames, columns.observations);
  const units = ring.frames.frameUnits * numFrames;
  const flags = new Int32Array(U);
  const rewards = new Float32Array(U);
  const { continues, masks } = columns;
  const actions = new Int32Array(columns.actions.buffer, columns.actions.byteOffset, columns.actions.length); // words, as the ring's
  const hasMasks = masks !== undefined && maskSize > 0;
  const copyMask = (source: Uint8Array, from: number, r: number): void => {
    if (hasMasks) for (let k = 0; k < maskSize; k++) masks[r * maskSize + k] = source[from + k];
  };
  const readStep = (base: number, slot: number, r: number): void => {
    readObservation(ring, base, slot, observations, r * units);
    for (let k = 0; k < A; k++) actions[r * A + k] = ring.actions[slot * A + k];
    copyMask(ring.masks, slot * maskSize, r);
  };
  const readFinal = (base: number, slot: number, r: number): void => {
    const final = finalOf(ring, base, slot);
    readFinalObservation(ring, base, slot, final, observations, r * units);
    actions.fill(0, r * A, (r + 1) * A);
    const { shift, mask } = ring.finals.frames;
    copyMask(ring.finals.masks[final >>> shift], (final & mask) * maskSize, r);
  };
  return {
    read(row, position, firstRow, stride) {
      const base = row * rowSlots;
      let slot = base + (position % rowSlots);
      let begins = false;
      for (let u = 0; u < U; ) {
        const r = firstRow + u * stride;
        readStep(base, slot, r);
        continues[r] = begins ? 0 : 1;
        const flag = ring.flags[slot];
        flags[u] = flag;
        rewards[u] = ring.rewards[slot];
        begins = flag !== 0;
        u += 1;
        if (begins && (flag & TERMINATED) === 0 && u < U) {
          readFinal(base, slot, r + stride);
          continues[r + stride] = 1;
          flags[u] = BOOTSTRAP_ONLY;
          u += 1;
        }
        slot = slot + 1 === base + rowSlots ? base : slot + 1;
      }
      return writeReturns(shape, flags, rewards, columns, firstRow, stride);
    },
  };
}

/** n-step returns of a window; @returns how many steps have one. */
function writeReturns(
  { sequenceLength, burnIn, nStep, gamma }: WindowShape,
  flags: Int32Array, // [U]
  rewards: Float32Array, // [U]
  columns: WindowColumns,
  firstRow: number,
  stride: number,
): number {
  let numLearnt = 0;
  for (let u = 0; u < flags.length; u++) {
    const r = firstRow + u * stride;
    const isLearnt = u >= burnIn && u < burnIn + sequenceLength && flags[u] !== BOOTSTRAP_ONLY;
    let value = 0;
    let factor = 1;
    let k = 0;
    let flag = 0;
    for (; isLearnt && k < nStep && flag === 0; k++) {
      value += factor * rewards[u + k];
      factor *= gamma;
      flag = flags[u + k];
    }
    const isOver = (flag & TERMINATED) !== 0;
    columns.rewards[r] = value;
    columns.discounts[r] = isLearnt && !isOver ? factor : 0;
    columns.bootstraps[r] = isOver ? 0 : k;
    columns.weights[r] = isLearnt ? 1 : 0;
    if (isLearnt) numLearnt += 1;
  }
  return numLearnt;
}

function checkColumns({ plan: { spec } }: Ring, { observations, actions }: WindowColumns): void {
  const isBytes = observations instanceof Uint8Array;
  if (
    isBytes === (spec.observationDtype === 'uint8') &&
    (spec.actionDtype === 'int32') === actions instanceof Int32Array
  )
    return;
  throw new ShapeError(
    'SHAPE_REPLAY_BATCH',
    `Expected ${spec.observationDtype} observations and ${spec.actionDtype} actions for windows of this replay buffer.`,
  );
}
