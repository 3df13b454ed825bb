/** Copies sampled transitions out of a ring, their returns summed over n steps. */
import { ConfigError, ShapeError } from '../errors.ts';
import { readFinalObservation, readObservation } from './frame-stack.ts';
import { type Units, unitsOf } from './frame-store.ts';
import { positionOf, type Ring, TERMINATED } from './ring.ts';

/** Where sampled transitions are written. The caller owns the arrays; they may lie in WebAssembly memory. */
export interface TransitionBatch {
  readonly observations: Float32Array | Uint8Array; // [B, obsSize], raw
  readonly actions: Float32Array | Int32Array; // [B, A]
  /** sum of gamma^j r over the steps of the window. */
  readonly rewards: Float32Array; // [B] f32
  /** gamma^k for k steps really taken; 0 where the window ended in a terminal state. */
  readonly discounts: Float32Array; // [B] f32
  /** What is bootstrapped from; after a terminal state some finite observation that the discount of 0 wipes out. */
  readonly nextObservations: Float32Array | Uint8Array; // [B, obsSize], raw
  readonly masks?: Uint8Array; // [B, maskSize] u8
  readonly nextMasks?: Uint8Array; // [B, maskSize] u8
}

/**
 * @param indices i32 [B], slots as a sampler drew them.
 * @param first row of the batch that `indices[0]` is copied to. @defaultValue 0
 */
export type Gather = (
  indices: Int32Array,
  numSteps: number,
  gamma: number,
  batch: TransitionBatch,
  first?: number,
) => void;

/** The batch's arrays as units, made anew only for another batch. */
interface Target {
  readonly batch: TransitionBatch;
  readonly observations: Units;
  readonly nextObservations: Units;
  readonly actions: Int32Array;
}

/**
 * The gather of one ring.
 *
 *     rewards[b]   = r_t + gamma r_{t+1} + ... + gamma^(k-1) r_{t+k-1}
 *     discounts[b] = gamma^k, or 0 where step t+k-1 terminated
 *
 * with k = min(numSteps, steps to the end of the episode, steps to the newest one). A truncated window bootstraps from the episode's true
 * last observation, never from the next episode's first. Summed in float64.
 *
 * Trap: n-step returns of replayed actions are not corrected for the policy that took them (as in Rainbow).
 *
 * Source: Sutton and Barto (2018), section 7.1; the split of the two ends as in Pardo et al. (2018), "Time Limits in Reinforcement
 * Learning". Cost: nothing is allocated for a batch given before; 256 rows of 10 floats in about 10 us, out of a million in about
 * 45, most of it waiting for memory. Thread: the ring's owner, or another between two appends.
 */
export function createGather(ring: Ring): Gather {
  let target: Target | null = null;
  return (indices, numSteps, gamma, batch, first = 0) => {
    if (target?.batch !== batch) target = openTarget(ring, batch);
    checkWindow(target, first + indices.length, numSteps);
    touched = touch(ring, indices);
    gatherBatch(ring, indices, numSteps, gamma, target, first);
  };
}

/** Where {@link touch} leaves its sum, so that its loads are not taken for useless. */
let touched = 0;

/**
 * Reads something of every row first. These loads wait for nothing, so the processor has many of them on their way at once, and the copies
 * after them find their lines in the cache: 256 Pendulum transitions out of a million take 22 us instead of 37 (`npm run bench:replay`).
 */
function touch({ frames, actions, rewards, flags, plan }: Ring, indices: Int32Array): number {
  const { chunks, shift, mask, frameUnits } = frames;
  const A = plan.spec.actionSize;
  let sum = touched;
  for (let b = 0; b < indices.length; b++) {
    const index = indices[b];
    const at = (index & mask) * frameUnits;
    const chunk = chunks[index >>> shift];
    sum ^= chunk[at] ^ chunk[at + frameUnits - 1] ^ actions[index * A] ^ rewards[index] ^ flags[index];
  }
  return sum;
}

function gatherBatch(
  ring: Ring,
  indices: Int32Array,
  numSteps: number,
  gamma: number,
  target: Target,
  first: number,
): void {
  const { plan, flags, rewards, actions, end } = ring;
  const { rowSlots, spec } = plan;
  const { batch, observations, nextObservations } = target;
  const A = spec.actionSize;
  const units = ring.frames.frameUnits * plan.numFrames;
  const frontier = end % rowSlots;
  for (let b = first; b < first + indices.length; b++) {
    const index = indices[b - first];
    const base = index - (index % rowSlots);
    readObservation(ring, base, index, observations, b * units);
    for (let k = 0; k < A; k++) target.actions[b * A + k] = actions[index * A + k];

    const newest = base + frontier;
    let slot = index;
    let last = index;
    let flag = 0;
    let value = 0;
    let factor = 1;
    for (let k = 0; k < numSteps && flag === 0 && slot !== newest; k++) {
      value += factor * rewards[slot];
      factor *= gamma;
      flag = flags[slot];
      last = slot;
      slot = slot + 1 === base + rowSlots ? base : slot + 1;
    }
    batch.rewards[b] = value;
    batch.discounts[b] = (flag & TERMINATED) === 0 ? factor : 0;

    const final = flag === 0 || (flag & TERMINATED) !== 0 ? -1 : finalOf(ring, base, last);
    if (final < 0) readObservation(ring, base, slot, nextObservations, b * units);
    else readFinalObservation(ring, base, last, final, nextObservations, b * units);
    if (spec.maskSize > 0) gatherMasks(ring, batch, b, index, slot, final);
  }
}

/** Entry of the true last observation after the step in `slot`; -1 without one. */
export function finalOf(ring: Ring, base: number, slot: number): number {
  const { numRows, rowSlots } = ring.plan;
  return ring.finals.find(positionOf(ring, slot - base) * numRows + base / rowSlots);
}

/** Masks of the transition in row b: of slot `index`, and of slot `next` or entry `final`. */
export function gatherMasks(
  { masks, finals, plan }: Ring,
  batch: TransitionBatch,
  b: number,
  index: number,
  next: number,
  final: number,
): void {
  const size = plan.spec.maskSize;
  const { masks: out, nextMasks: nextOut } = batch;
  if (out !== undefined) {
    for (let k = 0; k < size; k++) out[b * size + k] = masks[index * size + k];
  }
  if (nextOut === undefined) return;
  const from = final < 0 ? masks : finals.masks[final >>> finals.frames.shift];
  const at = (final < 0 ? next : final & finals.frames.mask) * size;
  for (let k = 0; k < size; k++) nextOut[b * size + k] = from[at + k];
}

function openTarget({ frames, plan: { spec } }: Ring, batch: TransitionBatch): Target {
  const isBytes = spec.observationDtype === 'uint8';
  for (const name of ['observations', 'nextObservations'] as const) {
    if (batch[name] instanceof Uint8Array === isBytes) continue;
    throw new ShapeError(
      'SHAPE_REPLAY_BATCH',
      `Expected \`${name}\` of a batch to be ${spec.observationDtype}.`,
    );
  }
  const { actions } = batch;
  if (actions instanceof Int32Array !== (spec.actionDtype === 'int32')) {
    throw new ShapeError('SHAPE_REPLAY_BATCH', `Expected \`actions\` of a batch to be ${spec.actionDtype}.`);
  }
  const B = batch.rewards.length;
  const sizes = [
    ['observations', batch.observations, spec.observationSize],
    ['nextObservations', batch.nextObservations, spec.observationSize],
    ['actions', actions, spec.actionSize],
    ['discounts', batch.discounts, 1],
    ['masks', batch.masks, spec.maskSize],
    ['nextMasks', batch.nextMasks, spec.maskSize],
  ] as const;
  for (const [name, array, size] of sizes) {
    if (array === undefined || array.length === B * size) continue;
    const message = `Expected \`${name}\` of a batch of ${B} to have ${B * size} elements, got ${array.length}.`;
    throw new ShapeError('SHAPE_REPLAY_BATCH', message);
  }
  return {
    batch,
    observations: unitsOf(frames, batch.observations),
    nextObservations: unitsOf(frames, batch.nextObservations),
    actions: new Int32Array(actions.buffer, actions.byteOffset, actions.length),
  };
}

function checkWindow({ batch }: Target, numRows: number, numSteps: number): void {
  if (numRows > batch.rewards.length) {
    const message = `Expected at most ${batch.rewards.length} indices for this batch, got ${numRows}.`;
    throw new ShapeError('SHAPE_REPLAY_BATCH', message);
  }
  if (Number.isSafeInteger(numSteps) && numSteps >= 1) return;
  throw new ConfigError(
    'CONFIG_REPLAY_STEPS',
    `Expected \`numSteps\` to be a whole number from 1, got ${numSteps}.`,
  );
}
