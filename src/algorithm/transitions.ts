/** Batches of transitions out of a replay buffer, uniformly or by priority, and what of that a checkpoint holds. */
import type { StatePart } from '../checkpoint/state-part.ts';
import type { Stream } from '../random/streams.ts';
import { replayState } from '../replay/replay-state.ts';
import type { OffPolicySystem } from './off-policy-system.ts';
import { streamState } from './own-state.ts';
import { createTransitionDraws, type DrawOptions, type TransitionDraws } from './transition-draws.ts';

export type TransitionOptions = DrawOptions & { readonly checkpointReplay: boolean };

export type Transitions = Pick<TransitionDraws, 'fill' | 'after'> & {
  /** The buffer with its priorities. */
  readonly replayState: StatePart;
  readonly state: readonly StatePart[];
};

/** Thread: main. Allocates nothing per batch. */
export function createTransitions(
  { replay, hindsight }: Pick<OffPolicySystem, 'replay' | 'hindsight'>,
  options: TransitionOptions,
): Transitions {
  const { stream, sampler, fill, after } = createTransitionDraws(replay, options, hindsight);
  return {
    fill,
    after,
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
