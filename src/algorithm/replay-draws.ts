/** What an algorithm draws its batches from: transitions of a replay buffer or, for a recurrent policy, sequences of it. */
import { recurrentStateSize } from '../policy/networks/recurrent-state.ts';
import type { OffPolicyLoop } from './off-policy-iteration.ts';
import type { OffPolicySystem } from './off-policy-system.ts';
import { createSequenceDraws, type SequenceDrawOptions } from './sequence-draws.ts';
import { createTransitions, type TransitionOptions, type Transitions } from './transitions.ts';

/** The options that it reads; of sequences those of {@link SequenceDrawOptions}. */
export type ReplayDrawOptions = TransitionOptions &
  Omit<SequenceDrawOptions, 'stateSize'> & { readonly recurrent: 'lstm' | 'gru' | null };

export interface ReplayDraws {
  readonly transitions: Transitions;
  /** What the loop appends to, with the states that fragments begin with; absent = the buffer itself. */
  readonly memory?: NonNullable<OffPolicyLoop['memory']>;
}

/** Thread: main. Allocates nothing per batch. */
export function createReplayDraws(system: OffPolicySystem, options: ReplayDrawOptions): ReplayDraws {
  if (options.recurrent === null) return { transitions: createTransitions(system, options) };
  const stateSize = recurrentStateSize(system.spec);
  const memory = createSequenceDraws(system.replay, { ...options, stateSize });
  return { transitions: memory, memory };
}
