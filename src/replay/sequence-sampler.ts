/** Sequences of steps for recurrent policies: contiguous, inside one episode. */
import { ShapeError } from '../errors.ts';
import type { Stream } from '../random/streams.ts';
import { readFinalObservation, readObservation } from './frame-stack.ts';
import { unitsOf } from './frame-store.ts';
import { finalOf } from './gather.ts';
import type { Replay } from './replay.ts';
import { type Ring, TERMINATED } from './ring.ts';
import { sampleUniform } from './uniform-sampler.ts';

/** Where sequences are written; L steps each, zeros behind the end of a shorter one. */
export interface SequenceBatch {
  /** One more than steps: the last is what the sequence's last step led to. */
  readonly observations: Float32Array | Uint8Array; // [B, L + 1, obsSize], raw
  readonly actions: Float32Array | Int32Array; // [B, L, A]
  readonly rewards: Float32Array; // [B, L] f32
  /** 1 where the episode terminated in that step: nothing is bootstrapped from what follows. */
  readonly terminated: Uint8Array; // [B, L] u8
  /** Steps of each sequence, 1 to L. */
  readonly lengths: Int32Array; // [B] i32
}

/**
 * Draws B sequences of at most L = `sequenceLength` steps. A first step is drawn uniformly; the sequence goes on to the end of its
 * episode, or the newest step, or L steps. Observations before the first step (for burn-in) are those of a sequence drawn
 * longer: take its first steps for that.
 *
 * Source: Kapturowski et al. (2019), "Recurrent Experience Replay in Distributed RL", with sequences that begin anywhere instead of
 * every L / 2 steps.
 *
 * @throws ConfigError `CONFIG_REPLAY_BATCH`; {@link ShapeError} `SHAPE_REPLAY_BATCH` when the arrays are not of B sequences.
 */
export function sampleSequences(
  replay: Replay,
  sequenceLength: number,
  stream: Stream,
  indices: Int32Array,
  batch: SequenceBatch,
): void {
  checkBatchSize(replay.ring, sequenceLength, indices.length, batch);
  sampleUniform(replay, 1, stream, indices);
  batch.observations.fill(0);
  batch.actions.fill(0);
  batch.rewards.fill(0);
  batch.terminated.fill(0);
  for (let b = 0; b < indices.length; b++) copySequence(replay.ring, sequenceLength, indices[b], b, batch);
}

function copySequence(ring: Ring, L: number, index: number, b: number, batch: SequenceBatch): void {
  const { rowSlots, numFrames, spec } = ring.plan;
  const A = spec.actionSize;
  const units = ring.frames.frameUnits * numFrames;
  const observations = unitsOf(ring.frames, batch.observations);
  const { actions } = batch;
  const actionWords = new Int32Array(actions.buffer, actions.byteOffset, actions.length);
  const base = index - (index % rowSlots);
  const newest = base + (ring.end % rowSlots);
  let slot = index;
  let last = index;
  let flag = 0;
  let length = 0;
  while (length < L && flag === 0 && slot !== newest) {
    readObservation(ring, base, slot, observations, (b * (L + 1) + length) * units);
    const step = b * L + length;
    for (let k = 0; k < A; k++) actionWords[step * A + k] = ring.actions[slot * A + k];
    batch.rewards[step] = ring.rewards[slot];
    flag = ring.flags[slot];
    batch.terminated[step] = flag & TERMINATED;
    length += 1;
    last = slot;
    slot = slot + 1 === base + rowSlots ? base : slot + 1;
  }
  batch.lengths[b] = length;
  const final = flag === 0 ? -1 : finalOf(ring, base, last);
  const at = (b * (L + 1) + length) * units;
  if (final >= 0) readFinalObservation(ring, base, last, final, observations, at);
  else if (flag === 0) readObservation(ring, base, slot, observations, at);
}

function checkBatchSize({ plan: { spec } }: Ring, L: number, B: number, batch: SequenceBatch): void {
  const sizes = [
    ['observations', batch.observations.length, B * (L + 1) * spec.observationSize],
    ['actions', batch.actions.length, B * L * spec.actionSize],
    ['rewards', batch.rewards.length, B * L],
    ['terminated', batch.terminated.length, B * L],
    ['lengths', batch.lengths.length, B],
  ] as const;
  for (const [name, given, wanted] of sizes) {
    if (given === wanted) continue;
    const message = `Expected \`${name}\` of ${B} sequences of ${L} steps to have ${wanted} elements, got ${given}.`;
    throw new ShapeError('SHAPE_REPLAY_BATCH', message);
  }
}
