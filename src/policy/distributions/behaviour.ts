/** From a behaviour to the functions that act by it. */

import type { RowSampler, RowValue } from '../../weights/exploration.ts';
import type { BehaviourSpec } from '../policy-spec.ts';
import { createDeterministicTanh } from './deterministic-tanh.ts';
import { createEpsilonGreedy } from './epsilon-greedy.ts';
import { createSquashedGaussian } from './squashed-gaussian.ts';
import { createSquashedGsde } from './squashed-gsde.ts';

export interface Behaviour {
  readonly sample: RowSampler;
  /** null = the outputs are no values. */
  readonly value: RowValue | null;
}

/** One a thread: it may hold scratch. */
export function createBehaviour(distribution: BehaviourSpec, latentSize: number): Behaviour {
  switch (distribution.kind) {
    case 'epsilon-greedy':
      return createEpsilonGreedy(distribution);
    case 'squashed-gaussian':
      return { sample: createSquashedGaussian(distribution), value: null };
    case 'deterministic-tanh':
      return { sample: createDeterministicTanh(distribution), value: null };
    case 'squashed-gsde':
      return { sample: createSquashedGsde(distribution, latentSize), value: null };
  }
}
