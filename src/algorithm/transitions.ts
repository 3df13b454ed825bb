/** Batches of transitions out of a replay buffer, uniformly or by priority, and what of that a checkpoint holds. */
import type { StatePart } from '../checkpoint/state-part.ts';
import type { ObjectiveBatch } from '../learner/objective-learner.ts';
import { openStream, type Stream } from '../random/streams.ts';
import type { TransitionBatch } from '../replay/gather.ts';
import { createPrioritisedSampler } from '../replay/prioritised-sampler.ts';
import { replayState } from '../replay/replay-state.ts';
import { sampleUniform } from '../replay/uniform-sampler.ts';
import type { OffPolicySystem } from './off-policy-system.ts';
import { streamState } from './own-state.ts';

export interface TransitionOptions {
  readonly seed: number;
  readonly batchSize: number;
  readonly nStep: number;
  readonly gamma: number;
  readonly checkpointReplay: boolean;
  /** null = uniform. */
  readonly priorities: { readonly exponent: number } | null;
}

export interface Transitions {
  /**
   * Draws a batch and fills the columns `observations`, `actions`, `rewards`, `discounts`, `nextObservations`, `nextMasks` and, by
   * priority, `weights`, as far as the batch has them. Under hindsight some get other goals.
   *
   * @param importanceExponent of the weights; read with priorities only.
   */
  fill(batch: ObjectiveBatch, importanceExponent?: number): void;
  /** Gives the batch drawn last the priorities that its row output `tdErrors` says. Nothing without priorities. */
  after(batch: ObjectiveBatch): void;
  /** The buffer with its priorities. */
  readonly replayState: StatePart;
  readonly state: readonly StatePart[];
}

/** Thread: main. Allocates nothing per batch. */
export function createTransitions(
  { replay, hindsight }: Pick<OffPolicySystem, 'replay' | 'hindsight'>,
  options: TransitionOptions,
): Transitions {
  const { seed, batchSize, nStep, gamma, priorities } = options;
  const stream = openStream(seed, 'replay');
  const indices = new Int32Array(batchSize); // [B] i32
  const sampler = priorities === null ? null : createPrioritisedSampler(replay, nStep);
  return {
    fill({ columns }, importanceExponent = 0) {
      if (sampler === null || priorities === null) sampleUniform(replay, nStep, stream, indices);
      else {
        const weights = columns.weights as Float32Array; // [B] f32
        sampler.sample(stream, priorities.exponent, importanceExponent, indices, weights);
      }
      const batch = columns as unknown as TransitionBatch;
      replay.gather(indices, nStep, gamma, batch);
      hindsight?.relabel(indices, nStep, gamma, stream, batch);
    },
    after({ rowOutputs }) {
      if (priorities !== null) sampler?.update(indices, rowOutputs.tdErrors, priorities.exponent);
    },
    replayState: replayState(replay, { sampler, isSaved: options.checkpointReplay }),
    state: [streamState('replay', stream)],
  };
}

/** Fills a column with standard normals, two of Box and Muller's from two uniforms: 16 ns each, where `stream.normal` takes 27. */
export function fillNormals(stream: Stream, column: Float32Array | Int32Array | Uint8Array): void {
  for (let k = 0; k < column.length; k += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - stream.uniform()));
    const angle = 2 * Math.PI * stream.uniform();
    column[k] = radius * Math.cos(angle);
    if (k + 1 < column.length) column[k + 1] = radius * Math.sin(angle);
  }
}
