/** A learner whose epochs begin with states of their own weights (`recomputeStates`). */
import type { Learner, UpdateStats } from '../learner/learner.ts';
import { createFreshStates, freshStatesBytes } from '../learner/simd/fresh-states.ts';
import { writeWeightSlot } from '../weights/weight-buffer.ts';
import type { OnPolicySystem, SystemOptions } from './on-policy-system.ts';

interface RecomputingConfig {
  readonly training: { readonly recomputeStates: boolean };
  readonly envRunners: { readonly numEnvs: number };
}

/** What the system needs to have for {@link recomputingLearner}. */
export function freshStatesMemory({ training, envRunners }: RecomputingConfig): Partial<SystemOptions> {
  if (!training.recomputeStates) return {};
  return { scratchBytes: (spec) => freshStatesBytes(spec, envRunners.numEnvs), numOwnSlots: 1 };
}

/** The system's learner; with `recomputeStates` an update is one of the learner's an epoch, and the rollout's states are computed anew in between. */
export function recomputingLearner(
  { learner, memory, spec, scaling }: Pick<OnPolicySystem, 'learner' | 'memory' | 'spec' | 'scaling'>,
  { training, envRunners }: RecomputingConfig,
): Pick<Learner, 'update'> {
  if (!training.recomputeStates) return learner;
  const { arena, weightLayout, ownSlots } = memory;
  const refresh = createFreshStates({ ...memory, spec }, envRunners.numEnvs);
  const parameters = new Float32Array(learner.layout.size); // [parameters] f32, reused
  return {
    async update(rollout, plan) {
      const numSamples = plan.permutations.length / plan.numEpochs;
      const epochs: UpdateStats[] = [];
      for (let epoch = 0; epoch < plan.numEpochs; epoch++) {
        if (epoch > 0) {
          learner.readParameters(parameters);
          writeWeightSlot(arena.buffer, ownSlots[0], weightLayout, parameters, scaling.statistics);
          refresh(rollout, ownSlots[0]);
        }
        const permutations = plan.permutations.subarray(epoch * numSamples, (epoch + 1) * numSamples);
        const stats = await learner.update(rollout, { ...plan, numEpochs: 1, permutations, targetKl: null });
        epochs.push(stats);
        if (plan.targetKl !== null && stats.means.approxKl > 1.5 * plan.targetKl) break;
      }
      return joinEpochs(epochs);
    },
  };
}

/** Means over the minibatches of all epochs. */
function joinEpochs(epochs: readonly UpdateStats[]): UpdateStats {
  const total = (pick: (stats: UpdateStats) => number) => epochs.reduce((sum, stats) => sum + pick(stats), 0);
  const numRun = (stats: UpdateStats) => stats.numMinibatches - stats.numSkipped;
  const count = total(numRun);
  const mean = (name: string) =>
    total((stats) => (numRun(stats) === 0 ? 0 : stats.means[name] * numRun(stats))) / count;
  return {
    means: Object.fromEntries(Object.keys(epochs[0].means).map((name) => [name, mean(name)])),
    numEpochs: epochs.length,
    numMinibatches: total((stats) => stats.numMinibatches),
    numSkipped: total((stats) => stats.numSkipped),
    numClipped: total((stats) => stats.numClipped),
  };
}
