/** Uniformly random actions from a row's own noise: what a replay buffer is warmed up with before learning starts. */

import type { RowSampler } from '../../weights/exploration.ts';
import type { ActingDistribution } from '../policy-spec.ts';
import { uniformChoice } from './epsilon-greedy.ts';

/**
 * Discrete: uniform over the allowed actions of each branch. Continuous: uniform in [-1, 1], which is uniform in the environment's bounds.
 *
 * @returns null for `gaussian`, `gsde` and `product`, whose stored actions have no bounds to be uniform in.
 */
export function createRandomActions(distribution: ActingDistribution, noiseSize: number): RowSampler | null {
  switch (distribution.kind) {
    case 'categorical':
      return branches(distribution.sizes, 1, 0);
    case 'epsilon-greedy':
      return branches(distribution.sizes, 2, 1);
    case 'bernoulli':
      return ({ noise, noiseOffset, actions, actionOffset }) => {
        for (let a = 0; a < distribution.size; a++)
          actions[actionOffset + a] = noise[noiseOffset + a] < 0.5 ? 1 : 0;
      };
    case 'gaussian':
    case 'gsde':
    case 'product':
      return null;
    default: {
      const { size } = distribution;
      const first = noiseSize - size; // the uniforms stand last
      return ({ noise, noiseOffset, actions, actionOffset }) => {
        for (let a = 0; a < size; a++) actions[actionOffset + a] = 2 * noise[noiseOffset + first + a] - 1;
      };
    }
  }
}

/** @param stride noise elements of a branch; its choice is the one at `at`. */
function branches(sizes: readonly number[], stride: number, at: number): RowSampler {
  return (call) => {
    let first = 0;
    for (let branch = 0; branch < sizes.length; branch++) {
      const uniform = call.noise[call.noiseOffset + branch * stride + at];
      call.actions[call.actionOffset + branch] = uniformChoice(call, first, sizes[branch], uniform);
      first += sizes[branch];
    }
  };
}
