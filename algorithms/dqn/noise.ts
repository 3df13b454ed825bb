/** The noise of noisy layers: of what acts, a draw a fragment; of what is learnt, a draw for each network of every update. */
import type { OffPolicySystem } from '../../src/algorithm/off-policy-system.ts';
import { streamState } from '../../src/algorithm/own-state.ts';
import type { StatePart } from '../../src/checkpoint/state-part.ts';
import type { ObjectiveBatch } from '../../src/learner/objective-learner.ts';
import { deviationsOf } from '../../src/policy/networks/model.ts';
import { createParameterNoise, drawFactors } from '../../src/policy/networks/parameter-noise.ts';
import { openStream } from '../../src/random/streams.ts';
import type { ResolvedDQNConfig } from './config.ts';

export interface DqnNoise {
  /** Moves the acting parameters of a fragment, once learning has started. */
  perturbActing(parameters: Float32Array, numEnvSteps: number): void;
  /** Draws the factors of an update. */
  fill(batch: ObjectiveBatch): void;
  readonly state: readonly StatePart[];
}

/**
 * Both come from streams of the main thread, and what acts is published moved: so the draws are the same for any number of workers, and all
 * environments act by the same one. null = plain layers.
 */
export function createNoise(
  { training, debugging: { seed } }: ResolvedDQNConfig,
  { learner }: Pick<OffPolicySystem, 'learner'>,
): DqnNoise | null {
  if (!training.noisy) return null;
  const noise = createParameterNoise(learner.model, 'q');
  const acting = openStream(seed, 'actingNoise');
  const learning = openStream(seed, 'learningNoise');
  const factors = new Float32Array(noise.size);
  const deviations = learner.readNetwork(deviationsOf('q'));
  return {
    perturbActing(parameters, numEnvSteps) {
      if (numEnvSteps < training.learningStarts) return;
      learner.readNetwork(deviationsOf('q'), deviations);
      drawFactors(acting, factors);
      noise.perturb(parameters, deviations, factors);
    },
    fill({ noises }) {
      for (const name in noises) drawFactors(learning, noises[name]);
    },
    state: [streamState('actingNoise', acting), streamState('learningNoise', learning)],
  };
}
