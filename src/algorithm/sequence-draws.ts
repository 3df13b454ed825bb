/** Batches of sequences out of a replay buffer, uniformly or by priority, each from the recurrent state that was stored with it, and what of that a checkpoint holds. */
import type { StatePart } from '../checkpoint/state-part.ts';
import type { RolloutViews } from '../experience/layout.ts';
import type { ObjectiveBatch } from '../learner/objective-learner.ts';
import { openStream } from '../random/streams.ts';
import { createFragmentStates } from '../replay/fragment-states.ts';
import {
  createWindowReader,
  type WindowColumns,
  type WindowReader,
  type WindowShape,
} from '../replay/recurrent-windows.ts';
import type { Replay } from '../replay/replay.ts';
import { replayState } from '../replay/replay-state.ts';
import { createSequencePriorities, sequencePriority } from '../replay/sequence-priorities.ts';
import { streamState } from './own-state.ts';
import { sequenceRowsOf } from './sequence-rows.ts';

export interface SequenceDrawOptions extends WindowShape {
  readonly seed: number;
  /** Steps that are learnt in a batch, a multiple of sequenceLength. */
  readonly batchSize: number;
  /** T: the steps of a fragment. */
  readonly trainEvery: number;
  readonly checkpointReplay: boolean;
  /** S. */
  readonly stateSize: number;
  /** null = uniform. */
  readonly priorities: { readonly exponent: number } | null;
}

export interface SequenceDraws {
  /** Into the replay buffer, with the states that the fragment began with. */
  append(rollout: RolloutViews): void;
  /** Whether there are as many beginnings of sequences as a batch has sequences. */
  holdsBatch(): boolean;
  /**
   * Draws a batch and fills all of its columns; weights are such that the mean over all rows is that over the steps that are learnt.
   *
   * @param importanceExponent of the importance weights; read with priorities only.
   */
  fill(batch: ObjectiveBatch, importanceExponent?: number): void;
  /** Gives the sequences drawn last the priorities that the row output `tdErrors` says. Nothing without priorities. */
  after(batch: ObjectiveBatch): void;
  readonly replayState: StatePart;
  readonly state: readonly StatePart[];
}

/**
 * Sequences begin where fragments did, at every `trainEvery`-th step, uniformly or by priority among those of which all rows are there; they go over the ends
 * of episodes.
 *
 * Thread: main. Allocates no arrays per batch.
 */
export function createSequenceDraws(replay: Replay, options: SequenceDrawOptions): SequenceDraws {
  const { seed, batchSize, sequenceLength, trainEvery, checkpointReplay, stateSize, priorities } = options;
  const { length, perBlock } = sequenceRowsOf(options);
  const numSequences = batchSize / sequenceLength;
  const { numRows } = replay.ring.plan;
  const stream = openStream(seed, 'replay');
  const states = createFragmentStates(replay.ring, trainEvery, stateSize);
  const sampler = priorities === null ? null : createSequencePriorities(states, numRows, length - 1);
  const drawn = new Int32Array(numSequences); // [S] i32
  const shares = new Float32Array(numSequences).fill(1); // [S] f32, importance weights
  const errors = new Float32Array(numSequences); // [S] f32
  const firstRowOf = (b: number) => Math.floor(b / perBlock) * perBlock * length + (b % perBlock);
  const readers = new WeakMap<ObjectiveBatch, WindowReader>();
  const readerOf = (batch: ObjectiveBatch): WindowReader => {
    const columns = batch.columns as unknown as WindowColumns;
    const reader = readers.get(batch) ?? createWindowReader(replay.ring, options, columns);
    readers.set(batch, reader);
    return reader;
  };
  return {
    append(rollout) {
      states.append(rollout.recurrentStates);
      replay.append(rollout);
    },
    holdsBatch: () => states.beginnings(length - 1).count * numRows >= numSequences,
    fill(batch, importanceExponent = 0) {
      const reader = readerOf(batch);
      const { first, count } = states.beginnings(length - 1);
      const weights = batch.columns.weights as Float32Array; // [B] f32
      const importance = batch.columns.importance as Float32Array | undefined; // [B] f32
      const begun = batch.columns.states as Float32Array; // [B, S] f32
      let numLearnt = 0;
      sampler?.sample(stream, priorities?.exponent ?? 0, importanceExponent, drawn, shares);
      for (let b = 0; b < numSequences; b++) {
        const uniform = sampler === null ? stream.integer(count * numRows) : 0;
        const row = sampler?.rowOf(drawn[b]) ?? Math.floor(uniform / count);
        const position = sampler?.positionOf(drawn[b]) ?? first + (uniform - row * count) * trainEvery;
        const firstRow = firstRowOf(b);
        for (let u = 0; importance !== undefined && u < length; u++)
          importance[firstRow + u * perBlock] = shares[b];
        states.read(row, position, begun, firstRow * stateSize);
        numLearnt += reader.read(row, position, firstRow, perBlock);
      }
      const weight = batch.numRows / Math.max(1, numLearnt);
      for (let r = 0; r < batch.numRows; r++) weights[r] *= weight;
    },
    after({ rowOutputs, columns }) {
      if (sampler === null || priorities === null) return;
      const weights = columns.weights as Float32Array; // [B] f32
      for (let b = 0; b < numSequences; b++) {
        const rows = { firstRow: firstRowOf(b), stride: perBlock, length };
        errors[b] = sequencePriority(rowOutputs.tdErrors, weights, rows);
      }
      sampler.update(drawn, errors, priorities.exponent);
    },
    replayState: replayState(replay, { sampler: null, isSaved: checkpointReplay }),
    state: [
      streamState('replay', stream),
      states.statePart(checkpointReplay),
      ...(sampler === null ? [] : [sampler.statePart(checkpointReplay)]),
    ],
  };
}
