/** What IMPALA and APPO stand on: workers that collect while the learner learns, and the judgement of its weights on what they bring. */
import { numEnvRunnersOf } from '../config/derived.ts';
import { ConfigError } from '../errors.ts';
import { createRolloutScorer, scorerScratchBytes } from '../learner/simd/rollout-scorer.ts';
import type { RolloutScorer } from '../learner/simd/score-kernels.ts';
import type { MetricSums } from '../rollout/metric-sums.ts';
import { openWeightBuffer } from '../weights/weight-buffer.ts';
import type { LossParts, PlanBounds } from './create-learner.ts';
import type { FragmentStream } from './fragment-stream.ts';
import { createFreeFragments } from './free-fragments.ts';
import { createLaggedFragments, joinParts } from './lagged-fragments.ts';
import { type LooseOnPolicyConfig, sequencesOf } from './on-policy-config.ts';
import { createOnPolicySystem, type OnPolicySystem } from './on-policy-system.ts';

/** The config of an algorithm whose workers have no time to help the learner. */
export type ActorLearnerConfig = LooseOnPolicyConfig & {
  readonly training: { readonly lag: number | 'free'; readonly maxPolicyLag: number };
};

export interface ActorLearnerOptions {
  /** Fragments that the algorithm learns from at a time: the newest and those that it keeps. */
  readonly numKept: number;
  /** Weights that the algorithm keeps in the arena besides the published ones, as slots of a weight buffer. */
  readonly numOwnSlots: number;
  /** Columns of the algorithm's own, f32 [N, T] each. */
  readonly numColumns: number;
}

export interface ActorLearner {
  readonly system: OnPolicySystem;
  readonly fragments: FragmentStream;
  readonly scorer: RolloutScorer;
  /** Byte address of the published weights of a version. */
  addressOf(version: number): number;
  /** Byte addresses of the algorithm's own slots. */
  readonly ownSlots: readonly number[];
  /** Copies weights and statistics from one slot to another. */
  copySlot(from: number, to: number): void;
  /** The algorithm's own columns, in the arena, where the learner can read them. */
  readonly columns: readonly Float32Array[];
  /** For people, where a run cannot be repeated. */
  readonly notes: readonly string[];
}

/**
 * @throws ConfigError when environment, network and options do not fit together; `CONFIG_CONFLICT` where lag is free and the workers
 * differ in their number of environments.
 */
export async function createActorLearner(
  config: ActorLearnerConfig,
  loss: LossParts,
  bounds: PlanBounds,
  { numKept, numOwnSlots, numColumns }: ActorLearnerOptions,
): Promise<ActorLearner> {
  const { lag, maxPolicyLag } = config.training;
  const isFree = lag === 'free';
  const numSamples = config.envRunners.numEnvs * config.envRunners.rolloutLength;
  if (isFree) checkParts(config);
  const numAhead = isFree ? 2 : lag;
  const { sequenceLength } = sequencesOf(config);
  const numSequences = sequenceLength === undefined ? 0 : numSamples / sequenceLength;
  const inOneThread = { ...config, learners: { ...config.learners, numLearnerThreads: 1 } };
  const system = await createOnPolicySystem(inOneThread, loss, bounds, {
    numSets: Math.max(2, numAhead + numKept),
    numVersions: (isFree ? maxPolicyLag : lag) + 2,
    columns: { values: true, finalObservations: true },
    scratchBytes: (spec) => scorerScratchBytes(spec, numSequences) + 4 * numColumns * numSamples,
    numOwnSlots,
  });
  const { arena, weightLayout, ownSlots, scratch } = system.memory;
  const bytes = new Uint8Array(arena.buffer);
  const firstColumn = scratch.offset + scorerScratchBytes(system.spec, numSequences);
  const weights = openWeightBuffer(arena.buffer, weightLayout);
  return {
    system,
    fragments: isFree
      ? createFreeFragments({ system, maxLag: maxPolicyLag, isRemote: config.envRunners.runners === 'ray' })
      : createLaggedFragments({
          ...{ publish: system.publish, runners: system.runners, numSets: system.runners.sets.length, lag },
          join: (set, parts: readonly (MetricSums | null)[]) => joinParts(system.runners.sets[set], parts),
        }),
    scorer: createRolloutScorer({ ...system.memory, spec: system.spec }),
    addressOf: weights.slotAddress,
    ownSlots,
    copySlot: (from, to) => void bytes.copyWithin(to, from, from + weightLayout.slotBytes),
    columns: Array.from(
      { length: numColumns },
      (_, k) => new Float32Array(arena.buffer, firstColumn + 4 * k * numSamples, numSamples),
    ),
    notes: isFree
      ? [
          `lag 'free': the learner takes what is ready, at most ${maxPolicyLag} versions late, so this run cannot be repeated bit for bit.`,
        ]
      : [],
  };
}

function checkParts(config: Pick<ActorLearnerConfig, 'environment' | 'envRunners'>): void {
  const { numEnvs, runners, numRolloutHosts, minRolloutHosts } = config.envRunners;
  const isOnRay = runners === 'ray';
  const fixed = numRolloutHosts === 'all' || minRolloutHosts !== null ? null : numRolloutHosts;
  if (isOnRay && fixed === null) return; // hosts that come and go are always of a number that divides numEnvs
  const numEnvRunners = isOnRay ? (fixed ?? 0) : numEnvRunnersOf(config);
  if (numEnvRunners > 0 && numEnvs % numEnvRunners === 0) return;
  throw new ConfigError(
    'CONFIG_CONFLICT',
    `lag 'free' needs workers with as many environments each, and here are ${numEnvRunners} for numEnvs ${numEnvs}: set ${isOnRay ? 'numRolloutHosts' : 'numEnvRunners'} to a number that divides numEnvs.`,
  );
}

/** Versions between the weights that learn and those that acted, over what is learnt from. */
export interface PolicyLag {
  /** @param acted versions that acted, one for each row, or each sample. */
  add(acted: Iterable<number>, version: number): void;
  /** Nothing was learnt from: there are no metrics. */
  readonly isEmpty: boolean;
  metrics(): { readonly 'time/policyLagMean': number; readonly 'time/policyLagMax': number };
}

export function createPolicyLag(): PolicyLag {
  let sum = 0;
  let count = 0;
  let max = 0;
  return {
    add(acted, version) {
      for (const behind of acted) {
        sum += version - behind;
        max = Math.max(max, version - behind);
        count += 1;
      }
    },
    get isEmpty() {
      return count === 0;
    },
    metrics: () => ({ 'time/policyLagMean': sum / count, 'time/policyLagMax': max }),
  };
}
