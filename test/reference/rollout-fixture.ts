/** A random rollout in an arena, with a learner's memory beside it. */

import {
  initializeRollout,
  ON_POLICY_COLUMNS,
  openRollout,
  type RolloutViews,
  rolloutLayout,
} from '../../src/experience/layout.ts';
import type { UpdatePlan } from '../../src/learner/learner.ts';
import type { SimdLearnerLayout, SimdLearnerOptions } from '../../src/learner/simd/layout.ts';
import { reserveSimdLearner } from '../../src/learner/simd/layout.ts';
import { type Arena, createArena, createArenaPlanner } from '../../src/memory/arena.ts';
import { placeHeads } from '../../src/policy/distributions/product.ts';
import { actionSize, type PolicySpec } from '../../src/policy/policy-spec.ts';
import { openStream, type Stream } from '../../src/random/streams.ts';
import { rowStatistics } from './distribution-reference.ts';
import { type ForwardTrace, forwardReference } from './mlp-reference.ts';
import { normalizedRows, randomParameters } from './policy-specs.ts';
import { logStdOf, type ReferenceBatch } from './ppo-reference.ts';
import { sequencesReference } from './recurrent-reference.ts';

export interface Fixture {
  readonly spec: PolicySpec;
  readonly arena: Arena;
  readonly layout: SimdLearnerLayout;
  readonly rollout: RolloutViews;
  readonly parameters: Float32Array;
  readonly mean: Float32Array;
  readonly inverseStd: Float32Array;
}

export const PPO_GRADIENT = new URL('../../algorithms/ppo/gradient.ts', import.meta.url).href;

export function learnerOptions(overrides: Partial<SimdLearnerOptions> = {}): SimdLearnerOptions {
  return {
    maxGradNorm: 0.5,
    maxEpochs: 4,
    maxMinibatchSize: 4096,
    outputGradient: {
      module: PPO_GRADIENT,
      export: 'createOutputGradient',
      options: { valueCoeff: 0.5, valueLoss: 'mse', clipValues: false },
    },
    ...overrides,
  };
}

/** Actions, and log-probabilities a little off those of the parameters, so that some ratios leave the clip range. */
export function makeFixture(
  spec: PolicySpec,
  numRows: number,
  rolloutLength: number,
  options: SimdLearnerOptions,
  maxThreads = 1,
  shared = true,
): Fixture {
  const stream = openStream(11, 'fixture', numRows, rolloutLength);
  const planner = createArenaPlanner();
  const { sequenceLength, burnIn = 0 } = options;
  const columns = { ...ON_POLICY_COLUMNS, ...(sequenceLength !== undefined && { sequenceLength, burnIn }) };
  const shape = rolloutLayout(spec, numRows, rolloutLength, columns);
  const set = planner.reserve(shape.byteLength);
  const numSamples = numRows * rolloutLength;
  const layout = reserveSimdLearner(planner, spec, options, numSamples, maxThreads);
  const arena = createArena(planner, shared);
  initializeRollout(arena.buffer, set.offset, shape);
  const rollout = openRollout(arena.buffer, set.offset, shape);
  const parameters = randomParameters(spec, stream);
  const size = spec.observationSize;
  const mean = Float32Array.from({ length: size }, () => 0.3 * stream.normal());
  const inverseStd = Float32Array.from({ length: size }, () => 0.5 + stream.uniform());
  const isBytes = spec.observationDtype === 'uint8';
  for (let k = 0; k < rollout.observations.length; k++)
    rollout.observations[k] = isBytes ? stream.integer(256) : stream.normal();
  const x = normalizedRows(spec, rollout.observations, numSamples, mean, inverseStd);
  if (sequenceLength !== undefined) fillMemory(rollout, stream);
  const { outputs, latent } = throughNetwork(spec, parameters, x, rollout, sequenceLength);
  const logStd = logStdOf(spec, parameters);
  const A = actionSize(spec.distribution);
  for (let i = 0; i < numSamples; i++) {
    const M = spec.actionMaskSize;
    for (let k = 0; k < spec.actionMaskSize; k++)
      rollout.actionMasks[i * spec.actionMaskSize + k] = stream.uniform() < 0.6 ? 1 : 0;
    drawActions(spec, rollout, i, outputs[i], stream);
    const action = Array.from(rollout.actions.subarray(i * A, (i + 1) * A));
    const mask =
      spec.actionMaskSize > 0 ? Array.from(rollout.actionMasks.subarray(i * M, (i + 1) * M)) : null;
    const row = { outputs: outputs[i], latent: latent[i], logStd, action, mask };
    rollout.logProbs[i] = rowStatistics(spec, row).logProb + 0.3 * stream.normal();
    rollout.values[i] = 0.5 * stream.normal();
    rollout.returns[i] = rollout.values[i] + 1.5 * stream.normal();
    rollout.advantages[i] = 3 * stream.normal() + 1;
  }
  return { spec, arena, layout, rollout, parameters, mean, inverseStd };
}

/** Ends of episodes, and states of sequences, as they come: some are whole, some begin anew. */
function fillMemory(rollout: RolloutViews, stream: Stream): void {
  for (let i = 0; i < rollout.terminated.length; i++) {
    rollout.terminated[i] = stream.uniform() < 0.1 ? 1 : 0;
    rollout.truncated[i] = stream.uniform() < 0.1 ? 1 : 0;
  }
  for (let k = 0; k < rollout.recurrentStates.length; k++) rollout.recurrentStates[k] = 0.5 * stream.normal();
}

/** Rows i = n * T + t through the network, by the slow reference. */
export function throughNetwork(
  spec: PolicySpec,
  parameters: ArrayLike<number>,
  x: number[][],
  { recurrentStates, terminated, truncated }: RolloutViews,
  sequenceLength: number | undefined,
): ForwardTrace {
  if (sequenceLength === undefined) return forwardReference(spec, parameters, x);
  const ends = (i: number) => terminated[i] !== 0 || truncated[i] !== 0;
  return sequencesReference(spec, parameters, x, recurrentStates, ends, sequenceLength);
}

export function makePlan(fixture: Fixture, overrides: Partial<UpdatePlan> = {}): UpdatePlan {
  const { layout, spec, mean, inverseStd } = fixture;
  const numEpochs = overrides.numEpochs ?? 1;
  const stream = openStream(5, 'shuffle');
  const permutations = new Int32Array(numEpochs * layout.numSamples);
  for (let e = 0; e < numEpochs; e++) {
    const epoch = permutations.subarray(e * layout.numSamples, (e + 1) * layout.numSamples);
    for (let i = 0; i < epoch.length; i++) epoch[i] = i;
    for (let i = epoch.length - 1; i > 0; i--) {
      const j = stream.integer(i + 1);
      [epoch[i], epoch[j]] = [epoch[j], epoch[i]];
    }
  }
  return {
    numEpochs,
    minibatchSize: layout.numSamples,
    permutations,
    scalars: { learningRate: 1e-3, clipRange: 0.2, entropyCoeff: 0.01, valueClipRange: 0.2 },
    normalizeAdvantages: true,
    targetKl: null,
    observationStatistics: spec.normalizeObservations ? { mean, inverseStd } : null,
    nonFinite: 'stop',
    ...overrides,
  };
}

/** The minibatch of the given flat indices, as the reference takes it; advantages normalised over it. */
export function referenceBatch(
  fixture: Fixture,
  indices: ArrayLike<number>,
  normalize = true,
): ReferenceBatch {
  const { spec, rollout, mean, inverseStd } = fixture;
  const A = actionSize(spec.distribution);
  const M = spec.actionMaskSize;
  const size = spec.observationSize;
  const order = Array.from(indices);
  const pick = (column: ArrayLike<number>, width: number) =>
    order.map((i) => Array.from({ length: width }, (_, k) => column[i * width + k]));
  const flat = pick(rollout.observations, size).flat();
  const raw = pick(rollout.advantages, 1).flat();
  const average = raw.reduce((a, b) => a + b, 0) / raw.length;
  const std = Math.sqrt(raw.reduce((a, b) => a + (b - average) ** 2, 0) / raw.length);
  return {
    x: normalizedRows(spec, flat, order.length, mean, inverseStd),
    actions: pick(rollout.actions, A),
    masks: M > 0 ? pick(rollout.actionMasks, M) : null,
    oldLogProbs: pick(rollout.logProbs, 1).flat(),
    oldValues: pick(rollout.values, 1).flat(),
    advantages: normalize ? raw.map((a) => (a - average) / (std + 1e-8)) : raw,
    returns: pick(rollout.returns, 1).flat(),
  };
}

/** The gradient that the last minibatch left behind (unclipped). */
export function lastGradient({ arena, layout }: Fixture): Float32Array {
  return new Float32Array(arena.buffer, layout.slabs, layout.parameterCount).slice();
}

/** Near what the outputs say, or any; an action that is taken is allowed. */
function drawActions(
  { distribution, actionMaskSize }: PolicySpec,
  { actions, actionMasks }: RolloutViews,
  i: number,
  outputs: readonly number[],
  stream: Stream,
): void {
  const heads =
    distribution.kind === 'product'
      ? placeHeads(distribution)
      : [{ head: distribution, output: 0, action: 0, mask: 0 }];
  for (const { head, output, action, mask } of heads) {
    const first = i * actionSize(distribution) + action;
    let start = mask;
    for (let a = 0; a < actionSize(head); a++) {
      if (head.kind === 'categorical') {
        const choice = stream.integer(head.sizes[a]);
        actions[first + a] = choice;
        if (actionMaskSize > 0) actionMasks[i * actionMaskSize + start + choice] = 1;
        start += head.sizes[a];
      } else if (head.kind === 'bernoulli') actions[first + a] = stream.integer(2);
      else actions[first + a] = outputs[output + a] + 0.7 * stream.normal();
    }
  }
}
