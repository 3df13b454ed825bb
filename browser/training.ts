/** What a page sees of an algorithm that trains in it, whichever it is. */

import type { VectorEnv } from '../src/env/vector-env.ts';
import { initializeRollout, openRollout } from '../src/experience/layout.ts';
import type { OptimizerState } from '../src/learner/learner.ts';
import type { ObjectiveOptimizerState } from '../src/learner/objective-learner.ts';
import type { Arena, Region } from '../src/memory/arena.ts';
import type { ActingSpec } from '../src/policy/policy-spec.ts';
import type { StreamState } from '../src/random/streams.ts';
import type { ReplayCopy } from '../src/replay/replay-copy.ts';
import { createEpisodeLedger } from '../src/rollout/episode-ledger.ts';
import type { EpisodeSummary } from '../src/rollout/episode-summary.ts';
import { meansOf } from '../src/rollout/metric-sums.ts';
import { restoreRows } from '../src/rollout/restore-rows.ts';
import { FRESH_ROW, type RowState } from '../src/rollout/row-states.ts';
import type { Collected } from '../src/rollout/runner-group.ts';
import { createSampler } from '../src/rollout/sampler.ts';
import type { SamplingLayout } from '../src/rollout/sampling-layout.ts';
import { createKernelPolicy } from '../src/simd/kernel-policy.ts';
import { instantiateKernels, type KernelModule } from '../src/simd/kernels.ts';
import type { MomentsState } from '../src/statistics/running-moments.ts';
import type { RewardScalerState } from '../src/targets/reward-scaler.ts';
import type { ObservationStatistics } from '../src/weights/observation-statistics.ts';
import { openWeightBuffer, type WeightBufferLayout } from '../src/weights/weight-buffer.ts';

/** N environments of one task in this thread: `cartPoleVector`, or `(n) => vectorizeEnv(myEnv, n)`. */
export type MakeVectorEnv = (numEnvs: number) => VectorEnv;

/** Weights that act, and how what is observed is scaled for them. */
export interface PolicyWeights {
  readonly parameters: Float32Array; // [parameters] f32, a copy
  readonly statistics: { readonly mean: Float32Array; readonly inverseStd: Float32Array } | null; // [obsSize] f32 each, copies
}

export interface PageIteration {
  /** Environment steps of the training so far. */
  readonly numEnvSteps: number;
  /** Episodes that ended in it, in order. */
  readonly episodes: readonly EpisodeSummary[];
  /** By the keys of `docs/metrics.md`. */
  readonly metrics: Readonly<Partial<Record<string, number>>>;
}

/**
 * An algorithm in a thread of a page (a worker of its own: an iteration takes this thread). The same seed and options give the same run as
 * in Node, to the bit where the kernels are the same build.
 */
export interface PageTraining {
  /** What acts, for `createPageActor`; plain data that can be posted. */
  readonly spec: ActingSpec;
  readonly numEnvSteps: number;
  /** Collects, and learns from it. Calls must not overlap. */
  train(): Promise<PageIteration>;
  /** What acts by now; plain data that can be posted. */
  weights(): PolicyWeights;
  /** Everything that it goes on from, between two calls of `train`: copies, plain data. Of DQN the replay buffer is most of it. */
  getState(): PageTrainingState;
  /**
   * Goes on from there, as if it had never stopped: environment, options and kernels the same.
   *
   * @returns rows whose running episode could not be led back and begins anew: none, where environments draw from their seeds alone.
   * @throws CheckpointError `CHECKPOINT_MISMATCH` for another algorithm or other options, `CHECKPOINT_REPLAY` for a replay buffer that is not as it
   * was taken; then nothing has changed.
   */
  setState(state: PageTrainingState): Promise<readonly number[]>;
}

/** What a training goes on from. */
export type PageTrainingState = RolloutTrainingState | ReplayTrainingState;

/** What every algorithm remembers. */
export interface CommonState {
  /** The options that it was made with, as JSON. */
  readonly options: string;
  readonly numEnvSteps: number;
  readonly parameters: Float32Array; // [parameters] f32, of all networks
  readonly observations: MomentsState | null;
  readonly rows: readonly RowState[]; // [N]
}

/** PPO's. */
export type RolloutTrainingState = CommonState & {
  readonly algorithm: 'ppo';
  readonly optimizer: OptimizerState;
  readonly rewards: RewardScalerState | null;
  readonly shuffle: StreamState;
};

/** DQN's: as large as its replay buffer. */
export type ReplayTrainingState = CommonState & {
  readonly algorithm: 'dqn';
  readonly optimizer: ObjectiveOptimizerState;
  readonly replay: ReplayCopy;
  readonly draws: StreamState;
};

/** What collects, and where its environments are. */
export interface Collecting {
  collect(version: number): Collected;
  rowStates(): RowState[];
  restore(states: readonly RowState[]): Promise<readonly number[]>;
}

export interface CollectingParts {
  readonly arena: Arena;
  readonly kernels: KernelModule;
  readonly spec: ActingSpec;
  readonly sampling: SamplingLayout;
  readonly weightLayout: WeightBufferLayout;
  readonly scratch: Region;
  readonly makeVectorEnv: MakeVectorEnv;
  readonly vectorEnv: VectorEnv;
  readonly seed: number;
}

/** Collects rollouts in this thread with published weights, as a runner group in process does. */
export async function createCollecting(parts: CollectingParts): Promise<Collecting> {
  const { arena, kernels, spec, sampling, weightLayout, scratch, makeVectorEnv, vectorEnv, seed } = parts;
  for (const address of sampling.setAddresses) initializeRollout(arena.buffer, address, sampling.rollout);
  const sets = sampling.setAddresses.map((address) => openRollout(arena.buffer, address, sampling.rollout));
  const sampler = createSampler({
    vectorEnv,
    firstRow: 0,
    seed,
    spec,
    buffer: arena.buffer,
    layout: sampling,
    weights: openWeightBuffer(arena.buffer, weightLayout),
    policy: createKernelPolicy(instantiateKernels(kernels, arena.memory), spec, arena, scratch, weightLayout),
  });
  const makeSingle = async () => makeVectorEnv(1);
  const context = { vectorEnv, sampler, spec, seed, makeSingle };
  await restoreRows(
    context,
    Array.from({ length: vectorEnv.numRows }, () => FRESH_ROW),
  );
  const ledger = createEpisodeLedger(spec, vectorEnv.numRows);
  let numCollected = 0;
  return {
    collect(version) {
      const set = numCollected++ % sets.length;
      sampler.collect(set, version);
      const episodes = ledger.absorb(sets[set]);
      const metricSums = sampler.takeMetrics();
      return {
        rollout: sets[set],
        episodes,
        metrics: metricSums === null ? {} : meansOf(metricSums),
        metricSums,
      };
    },
    rowStates: () => ledger.rowStates(0, vectorEnv.numRows),
    async restore(states) {
      ledger.setRowStates(states);
      const restarted = await restoreRows(context, states);
      ledger.restartRows(restarted);
      return restarted;
    },
  };
}

/** Copies: the trainer goes on changing its own. */
export function copyStatistics(statistics: ObservationStatistics | null): PolicyWeights['statistics'] {
  return statistics && { mean: statistics.mean.slice(), inverseStd: statistics.inverseStd.slice() };
}
