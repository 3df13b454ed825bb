/** Batches of transitions out of a replay buffer, uniformly or by priority. */
import type { ObjectiveBatch } from '../learner/objective-learner.ts';
import { openStream, type Stream } from '../random/streams.ts';
import type { TransitionBatch } from '../replay/gather.ts';
import type { Hindsight } from '../replay/hindsight.ts';
import { createPrioritisedSampler, type PrioritisedSampler } from '../replay/prioritised-sampler.ts';
import type { Replay } from '../replay/replay.ts';
import { sampleUniform } from '../replay/uniform-sampler.ts';

export interface DrawOptions {
  readonly seed: number;
  readonly batchSize: number;
  readonly nStep: number;
  readonly gamma: number;
  /** null = uniform. */
  readonly priorities: { readonly exponent: number } | null;
}

export interface TransitionDraws {
  /**
   * Draws a batch and fills the columns `observations`, `actions`, `rewards`, `discounts`, `nextObservations`, `nextMasks` and, by
   * priority, `weights`, as far as the batch has them. Under hindsight some get other goals.
   *
   * @param importanceExponent of the weights; read with priorities only.
   */
  fill(batch: ObjectiveBatch, importanceExponent?: number): void;
  /** Gives the batch drawn last the priorities that its row output `tdErrors` says. Nothing without priorities. */
  after(batch: ObjectiveBatch): void;
  /** null = uniform. */
  readonly sampler: PrioritisedSampler | null;
  readonly stream: Stream;
}

/** @param hindsight null = transitions keep their goals, if they have any. Allocates nothing per batch. */
export function createTransitionDraws(
  replay: Replay,
  { seed, batchSize, nStep, gamma, priorities }: DrawOptions,
  hindsight: Hindsight | null,
): TransitionDraws {
  const stream = openStream(seed, 'replay');
  const indices = new Int32Array(batchSize); // [B] i32
  const sampler = priorities === null ? null : createPrioritisedSampler(replay, nStep);
  return {
    sampler,
    stream,
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
  };
}
