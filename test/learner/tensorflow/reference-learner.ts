/** A whole PPO update in float64 with gradients by finite differences: slow, and independent of every engine. */
import type { PpoLossOptions } from '../../../algorithms/ppo/loss.ts';
import type { RolloutViews } from '../../../src/experience/layout.ts';
import type { UpdatePlan } from '../../../src/learner/learner.ts';
import type { PolicySpec } from '../../../src/policy/policy-spec.ts';
import type { ParameterLayout } from '../../../src/weights/parameter-layout.ts';
import { type ReferenceScalars, referenceLoss } from '../../algorithms/ppo/reference-loss.ts';

export interface ReferenceState {
  parameters: Float64Array;
  m: Float64Array;
  v: Float64Array;
  step: number;
}

/** Forward pass of an MLP policy for one observation. */
export function referenceForward(
  spec: PolicySpec,
  layout: ParameterLayout,
  parameters: ArrayLike<number>,
  observation: readonly number[],
): { distributionParameters: number[]; value: number; latent: number[] } {
  if (spec.network.kind !== 'mlp') throw new TypeError('Expected an MLP.');
  const { hiddenSizes, shared } = spec.network;
  const entry = (name: string) => {
    const found = layout.entries.find((candidate) => candidate.name === name);
    if (found === undefined) throw new TypeError(name);
    return found;
  };
  const dense = (name: string, x: readonly number[]) => {
    const kernel = entry(`${name}/kernel`);
    const bias = entry(`${name}/bias`);
    const [inputs, outputs] = kernel.shape;
    return Array.from({ length: outputs }, (_, j) => {
      let sum = parameters[bias.offset + j];
      for (let i = 0; i < inputs; i += 1) sum += x[i] * parameters[kernel.offset + i * outputs + j];
      return sum;
    });
  };
  const tower = (name: string) =>
    hiddenSizes.reduce<readonly number[]>((x, _, k) => dense(`${name}/${k}`, x).map(Math.tanh), observation);
  const actor = tower(shared ? 'trunk' : 'actor');
  const critic = shared ? actor : tower('critic');
  return {
    distributionParameters: dense('actor/head', actor),
    value: dense('critic/head', critic)[0],
    latent: [...actor],
  };
}

function normalizedObservation(
  spec: PolicySpec,
  plan: UpdatePlan,
  rollout: RolloutViews,
  index: number,
): number[] {
  const size = spec.observationSize;
  return Array.from({ length: size }, (_, j) => {
    const raw = rollout.observations[index * size + j];
    if (plan.observationStatistics === null) return raw;
    const { mean, inverseStd } = plan.observationStatistics;
    const x = (raw - mean[j]) * inverseStd[j];
    return Math.min(Math.max(x, -spec.clipObservation), spec.clipObservation);
  });
}

export function referenceUpdate(
  spec: PolicySpec,
  layout: ParameterLayout,
  state: ReferenceState,
  rollout: RolloutViews,
  plan: UpdatePlan,
  lossOptions: PpoLossOptions,
  maxGradNorm: number | null,
  epsilon: number,
): { lastLoss: number } {
  const numSamples = plan.permutations.length / plan.numEpochs;
  let lastLoss = 0;
  for (let epoch = 0; epoch < plan.numEpochs; epoch += 1) {
    for (let start = 0; start < numSamples; start += plan.minibatchSize) {
      const end = Math.min(start + plan.minibatchSize, numSamples);
      const indices = [...plan.permutations.subarray(epoch * numSamples + start, epoch * numSamples + end)];
      const latent = indices.flatMap((i) => {
        const observation = normalizedObservation(spec, plan, rollout, i);
        return referenceForward(spec, layout, state.parameters, observation).latent; // detached: not moved below
      });
      const loss = (parameters: Float64Array) =>
        minibatchLoss(spec, layout, parameters, latent, rollout, plan, indices, lossOptions);
      lastLoss = loss(state.parameters);
      const gradient = state.parameters.map((_, i) => {
        const moved = state.parameters.slice();
        moved[i] += 1e-6;
        const above = loss(moved);
        moved[i] -= 2e-6;
        return (above - loss(moved)) / 2e-6;
      });
      adam(state, gradient, plan.scalars.learningRate, maxGradNorm, epsilon);
    }
  }
  return { lastLoss };
}

function minibatchLoss(
  spec: PolicySpec,
  layout: ParameterLayout,
  parameters: Float64Array,
  latent: readonly number[],
  rollout: RolloutViews,
  plan: UpdatePlan,
  indices: readonly number[],
  lossOptions: PpoLossOptions,
): number {
  const A = rollout.actions.length / rollout.logProbs.length;
  const M = spec.actionMaskSize;
  const rows = indices.map((i) =>
    referenceForward(spec, layout, parameters, normalizedObservation(spec, plan, rollout, i)),
  );
  const raw = indices.map((i) => rollout.advantages[i]);
  const mean = raw.reduce((a, b) => a + b, 0) / raw.length;
  const std = Math.sqrt(raw.reduce((sum, x) => sum + (x - mean) ** 2, 0) / raw.length);
  const advantages = plan.normalizeAdvantages ? raw.map((x) => (x - mean) / (std + 1e-8)) : raw;
  const logStd = layout.entries.find(({ name }) => name === 'logStd');
  return referenceLoss(
    spec,
    {
      numRows: indices.length,
      distributionParameters: rows.flatMap((row) => row.distributionParameters),
      values: rows.map((row) => row.value),
      latent,
      logStd: logStd === undefined ? [] : parameters.subarray(logStd.offset, logStd.offset + logStd.size),
      actions: indices.flatMap((i) => [...rollout.actions.subarray(i * A, (i + 1) * A)]),
      masks: M === 0 ? null : indices.flatMap((i) => [...rollout.actionMasks.subarray(i * M, (i + 1) * M)]),
      oldLogProbs: indices.map((i) => rollout.logProbs[i]),
      oldValues: indices.map((i) => rollout.values[i]),
      advantages,
      returns: indices.map((i) => rollout.returns[i]),
    },
    plan.scalars as unknown as ReferenceScalars,
    lossOptions,
  ).loss;
}

function adam(
  state: ReferenceState,
  gradient: Float64Array,
  learningRate: number,
  maxGradNorm: number | null,
  epsilon: number,
): void {
  const norm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
  const scale = maxGradNorm === null ? 1 : Math.min(1, maxGradNorm / (norm + 1e-6));
  state.step += 1;
  for (let i = 0; i < gradient.length; i += 1) {
    const g = gradient[i] * scale;
    state.m[i] = 0.9 * state.m[i] + 0.1 * g;
    state.v[i] = 0.999 * state.v[i] + 0.001 * g * g;
    const mHat = state.m[i] / (1 - 0.9 ** state.step);
    const vHat = state.v[i] / (1 - 0.999 ** state.step);
    state.parameters[i] -= (learningRate * mHat) / (Math.sqrt(vHat) + epsilon);
  }
}
