/** Rollouts with made-up contents, whose old log-probabilities and values fit a policy. */

import {
  initializeRollout,
  openRollout,
  type RolloutViews,
  rolloutLayout,
} from '../../../src/experience/layout.ts';
import type { UpdatePlan } from '../../../src/learner/learner.ts';
import type { PolicySpec } from '../../../src/policy/policy-spec.ts';
import { openStream } from '../../../src/random/streams.ts';
import { choiceSizes, drawChoices, randomMask } from '../../algorithms/ppo/random-batch.ts';

/** A rollout in shared memory, N rows of T steps; log-probabilities are near -1. */
export function randomRollout(
  spec: PolicySpec,
  numRows: number,
  rolloutLength: number,
  seed: number,
): RolloutViews {
  const layout = rolloutLayout(spec, numRows, rolloutLength);
  const buffer = new SharedArrayBuffer(layout.byteLength);
  initializeRollout(buffer, 0, layout);
  const views = openRollout(buffer, 0, layout);
  const stream = openStream(seed, 'rollout');
  const pixels = spec.observationDtype === 'uint8';
  views.observations.forEach((_, i) => {
    views.observations[i] = pixels ? stream.integer(256) : stream.normal();
  });
  for (const column of [views.values, views.advantages, views.returns]) {
    for (let i = 0; i < column.length; i += 1) column[i] = stream.normal();
  }
  for (let i = 0; i < views.logProbs.length; i += 1) views.logProbs[i] = -1 + 0.2 * stream.normal();
  fillActions(spec, views, stream.normal, stream.uniform, stream.integer);
  return views;
}

function fillActions(
  spec: PolicySpec,
  views: RolloutViews,
  normal: () => number,
  uniform: () => number,
  integer: (bound: number) => number,
): void {
  const { distribution, actionMaskSize } = spec;
  const masks = actionMaskSize > 0 ? views.actionMasks : null;
  if (masks !== null) {
    for (let i = 0; i < views.logProbs.length; i += 1)
      masks.set(randomMask(choiceSizes(distribution), uniform), i * actionMaskSize);
  }
  for (let k = 0; k < views.actions.length; k += 1) views.actions[k] = normal();
  drawChoices(spec, views.actions, masks, integer);
}

export function planFor(numSamples: number, seed: number, overrides: Partial<UpdatePlan> = {}): UpdatePlan {
  const numEpochs = overrides.numEpochs ?? 2;
  const stream = openStream(seed, 'plan');
  const permutations = new Int32Array(numEpochs * numSamples);
  for (let epoch = 0; epoch < numEpochs; epoch += 1) {
    const indices = Array.from({ length: numSamples }, (_, i) => i);
    for (let i = numSamples - 1; i > 0; i -= 1) {
      const j = stream.integer(i + 1);
      [indices[i], indices[j]] = [indices[j], indices[i]];
    }
    permutations.set(indices, epoch * numSamples);
  }
  return {
    numEpochs,
    minibatchSize: 8,
    permutations,
    scalars: {
      learningRate: 0.01,
      clipRange: 0.2,
      entropyCoeff: 0.01,
      valueClipRange: 0.3,
      klPenaltyCoeff: 0.7,
    },
    normalizeAdvantages: true,
    targetKl: null,
    observationStatistics: null,
    nonFinite: 'stop',
    ...overrides,
  };
}
