/** What the newest weights of a policy say of a rollout that older ones collected: for V-trace among several agents. */

import {
  createLogProbScorer,
  createValueScorer,
  logProbScorerBytes,
  valueScorerBytes,
} from '../../learner/simd/step-scorer.ts';
import type { PolicySpec } from '../../policy/policy-spec.ts';
import { type GroupViews, RowField } from '../../rollout/agents/agents-layout.ts';
import { computeVtraceWithHoles, type VtraceWithHolesOptions } from '../../targets/vtrace-with-holes.ts';
import { openWeightBuffer } from '../../weights/weight-buffer.ts';
import type { LearningPolicy, PreparedPolicy } from './agents-policies.ts';
import { stepsWithHoles } from './agents-samples.ts';

export interface AgentsJudge {
  /** Byte address of the published weights of a version. */
  addressOf(version: number): number;
  /** Byte addresses of weights that are not published. */
  readonly ownSlots: readonly number[];
  /** Copies weights and statistics from one slot to another. */
  copySlot(from: number, to: number): void;
  /** The algorithm's own, f32 [N, C] each, in the arena, where the learner can read them. */
  readonly columns: readonly Float32Array[];
  /** Log-probabilities of the actions of `samples` by the weights at an address, at their indices. */
  logProbs(group: GroupViews, samples: Int32Array, weightsAddress: number, out: Float32Array): void;
  /** Overwrites the values of the policy's own steps, and of what follows them, by those of a version. */
  values(group: GroupViews, samples: Int32Array, version: number): void;
  /** Fills `advantages` and `returns` of the policy's own steps. */
  vtrace(group: GroupViews, samples: Int32Array, target: Float32Array, options: JudgeOptions): void;
}

export type JudgeOptions = Omit<VtraceWithHolesOptions, 'rewardScale' | 'clipReward'>;

/** Bytes of a policy's scratch. @param numSamples N * C of its group. */
export function judgeBytes(
  { spec, critic }: Pick<PreparedPolicy<unknown>, 'spec' | 'critic'>,
  numSamples: number,
  numColumns: number,
): number {
  return logProbScorerBytes(spec) + valueScorerBytes(critic ?? spec) + numColumns * columnBytes(numSamples);
}

const columnBytes = (numSamples: number) => Math.ceil((4 * numSamples) / 64) * 64;

/** @param numColumns as in {@link judgeBytes}. @param numSamples N * C of its group. */
export function createAgentsJudge(
  { spec, critic, index, place }: LearningPolicy<unknown>,
  numSamples: number,
  numColumns: number,
): AgentsJudge {
  const { arena, kernels, weights: weightLayout, criticWeights, scratch, ownSlots } = place;
  const bytes = new Uint8Array(arena.buffer);
  const valued: PolicySpec = critic?.spec ?? spec;
  const valuesAt = scratch.offset + logProbScorerBytes(spec);
  const columnsAt = valuesAt + valueScorerBytes(valued);
  const region = (offset: number, byteLength: number) => ({ offset, byteLength });
  const logProbs = createLogProbScorer({
    ...{ arena, kernels, spec, weightLayout },
    scratch: region(scratch.offset, logProbScorerBytes(spec)),
  });
  const score = createValueScorer({
    ...{ arena, kernels, spec: valued, weightLayout: criticWeights ?? weightLayout },
    scratch: region(valuesAt, valueScorerBytes(valued)),
  });
  const published = openWeightBuffer(arena.buffer, weightLayout);
  const valuing = criticWeights === null ? published : openWeightBuffer(arena.buffer, criticWeights);
  return {
    addressOf: published.slotAddress,
    ownSlots,
    copySlot: (from, to) => void bytes.copyWithin(to, from, from + weightLayout.slotBytes),
    columns: Array.from(
      { length: numColumns },
      (_, k) => new Float32Array(arena.buffer, columnsAt + k * columnBytes(numSamples), numSamples),
    ),
    logProbs: ({ rollout }, samples, weightsAddress, out) => logProbs(rollout, samples, weightsAddress, out),
    values(group, samples, version) {
      const address = valuing.slotAddress(version);
      const { rollout } = group;
      const inputs = inputsOf(group, critic !== null);
      const { open, openAt, next } = rowsThatGoOn(group, index);
      const cut = samples.filter((i) => rollout.truncated[i] !== 0 && rollout.terminated[i] === 0);
      const slots = cut.map((i) => rollout.finalSlots[i]);
      score(inputs.steps, samples, address, rollout.values, samples);
      score(inputs.steps, openAt, address, rollout.bootstrapValues, open);
      score(inputs.next, next, address, rollout.bootstrapValues, next);
      score(inputs.finals, slots, address, rollout.finalValues, cut);
    },
    vtrace(group, samples, target, options) {
      const own = new Uint8Array(group.acted.length); // [N, C] u8: what others did is a hole
      for (const i of samples) own[i] = 1;
      computeVtraceWithHoles(
        { ...stepsWithHoles(group), acted: own },
        { behaviour: group.rollout.logProbs, target },
        { ...options, rewardScale: 1, clipReward: Number.POSITIVE_INFINITY },
      );
    },
  };
}

/** What values are of: a row's own observations, or what a central critic reads. */
function inputsOf(group: GroupViews, isCentral: boolean) {
  const { rollout, criticInputs, bootstrapCriticInputs, finalCriticInputs } = group;
  return isCentral
    ? { steps: criticInputs, next: bootstrapCriticInputs, finals: finalCriticInputs }
    : {
        steps: rollout.observations,
        next: rollout.bootstrapObservations,
        finals: rollout.finalObservations,
      };
}

/**
 * Rows of a policy whose last step in the rollout leads on: to a step that is still open, which is the first one of the next rollout
 * (`openAt` is where it lies), or to what the row sees when it acts next.
 */
function rowsThatGoOn({ rollout, rowStates }: GroupViews, index: number) {
  const open: number[] = [];
  const openAt: number[] = [];
  const next: number[] = [];
  for (let n = 0; n < rollout.numRows; n++) {
    const base = n * RowField.COUNT;
    if (rowStates[base + RowField.POLICY] !== index) continue;
    const column = rowStates[base + RowField.OPEN];
    if (column >= 0) {
      open.push(n);
      openAt.push(n * rollout.rolloutLength + column);
    } else if (rowStates[base + RowField.ACTING] === 1) next.push(n);
  }
  return { open: Int32Array.from(open), openAt: Int32Array.from(openAt), next: Int32Array.from(next) };
}
