/** Curiosity: a bonus for what is new, with a value and advantages of its own, added to those of the environment's rewards. */

import type { StatePart } from '../../checkpoint/state-part.ts';
import { ON_POLICY_COLUMNS, type RolloutColumns, type RolloutViews } from '../../experience/layout.ts';
import type { ObjectiveLearner } from '../../learner/objective-learner.ts';
import type { CuriosityMetrics } from '../../metrics/curiosity-metrics.ts';
import { openStream, type Stream } from '../../random/streams.ts';
import { createObservationNormalizer } from '../../statistics/running-moments.ts';
import { explainedVariance } from '../../targets/gae.ts';
import { createRewardScaler } from '../../targets/reward-scaler.ts';
import { type CuriosityParts, createCuriosityState } from './curiosity-state.ts';
import { fillSample, fillScored, type SampleSpec } from './fill.ts';
import { createIntrinsicSteps, type IntrinsicSteps } from './intrinsic-steps.ts';
import {
  type BonusPlan,
  type CuriosityConfig,
  type CuriositySystem,
  createCuriosityLearner,
} from './learner.ts';
import { createActionCoder, everyStep, type OwnSteps } from './samples.ts';
import { createVisitCounts } from './visit-counts.ts';

/** What is learnt from a rollout, and how. */
export interface CuriosityPlan {
  readonly numEpochs: number;
  readonly permutations: Int32Array; // [numEpochs, N * T] i32, flat indices
  /** Of the bonus's value. */
  readonly learningRate: number;
}

/** R = what is judged: a rollout, or the steps in it that one policy took among several agents. */
export interface Curiosity<R = RolloutViews> {
  /**
   * Scores what a rollout led to and adds the bonus's advantages to the rollout's, which are filled.
   *
   * @param fillTargets fills `advantages` and `returns` of the bonus's steps, as those of the rewards were; `gamma` is the bonus's.
   */
  judge(rollout: R, fillTargets: (steps: IntrinsicSteps, gamma: number) => void): Promise<void>;
  /**
   * The same for a rollout that was judged before and is learnt from once more: by the newest value, with the bonuses that its steps had. Statistics and
   * counts know it already.
   */
  judgeAgain: Curiosity<R>['judge'];
  /** Learns from the rollout judged last: the bonus's value, and the networks that tell what is new. */
  learn(rollout: R, plan: CuriosityPlan): Promise<CuriosityMetrics>;
  readonly state: StatePart;
  stop(): Promise<void>;
}

/** Curiosity of one policy, with what it knows: for a policy that begins anew in mid-run. */
export type OwnCuriosity = Curiosity<OwnSteps> & { readonly parts: CuriosityParts };

/**
 * Starts curiosity for a system whose rollouts have `finalObservations`.
 *
 *     bonus[t]   rnd, icm: e(x[t + 1]) / sqrt(Var(G)), G the discounted sum of e from the beginning of the run; count: 1 / sqrt(visits)
 *     adv[t]    += curiosityCoeff * (the bonus's own advantage, over its own value, without ends: the return goes on over episodes)
 *
 * Observations are whitened by running statistics and clipped to +-5 for all of its networks. Departures from Burda et al. 2018
 * (arXiv:1810.12894), section 2: the second value is a network of its own, not a head on the policy's trunk, so the policy, what acts and
 * what is exported are as they are without; statistics include the rollout they are used for, which stands in for the random steps that the
 * paper begins with; they are frozen over a rollout. Advantages are weighed 1 : coeff, the paper's 2 : 1 being 1 : 0.5.
 *
 * Workers know nothing of it, so runs are the same for any number of them. Thread: main, with helper threads as the learner's option says.
 *
 * @returns null where `curiosity` is null.
 * @throws ConfigError `CONFIG_CURIOSITY` where the bonus is not for the observations.
 */
export async function createCuriosity(
  system: CuriositySystem & { stop(): Promise<void> },
  config: CuriosityConfig,
  minibatchSize: number,
): Promise<Curiosity | null> {
  const { curiosity: bonus } = config.training;
  if (bonus === null) return null;
  const { numEnvs: numRows, rolloutLength } = config.envRunners;
  const plan = { bonus, numRows, rolloutLength, batchSize: minibatchSize, policy: null };
  const own = await openCuriosity(system, config, plan).catch(async (error: unknown) => {
    await system.stop(); // its workers are running, and nobody else has it yet
    throw error;
  });
  return {
    judge: (rollout, fillTargets) => own.judge(everyStep(rollout), fillTargets),
    judgeAgain: (rollout, fillTargets) => own.judgeAgain(everyStep(rollout), fillTargets),
    learn: (rollout, given) => own.learn(everyStep(rollout), given),
    state: own.state,
    stop: own.stop,
  };
}

/** As `createCuriosity`, of whatever steps of a rollout. @throws ConfigError `CONFIG_CURIOSITY`. */
export async function openCuriosity(
  system: CuriositySystem,
  config: CuriosityConfig,
  plan: BonusPlan,
): Promise<OwnCuriosity> {
  const { curiosityCoeff, curiosityGamma } = config.training;
  const { bonus, numRows: N, rolloutLength: T, batchSize, policy } = plan;
  const { observationSize, distribution } = system.spec;
  const learner = await createCuriosityLearner(system, config, plan);
  const normalizer = createObservationNormalizer(observationSize);
  const scaler = bonus === 'count' ? null : createRewardScaler(N, T, curiosityGamma);
  const visits = bonus === 'count' ? createVisitCounts(observationSize) : null;
  const stream = openStream(config.debugging.seed, 'curiosity', ...(policy === null ? [] : [policy]));
  const parts: CuriosityParts = { learner, normalizer, scaler, visits, stream };
  const intrinsic = createIntrinsicSteps(N, T);
  let judgeMs = 0;
  const bonuses = new WeakMap<RolloutViews, Float32Array>(); // [N * T] f32, of the rollouts judged
  const sample = { observationSize, codeAction: createActionCoder(distribution) };
  const { nonFinite } = config.faultTolerance;
  const setup = { learner, sample, batchSize, nonFinite };
  const addAdvantages: OwnCuriosity['judge'] = async ({ rollout: { advantages }, samples }, fillTargets) => {
    fillTargets(intrinsic, curiosityGamma);
    for (const i of samples) advantages[i] += curiosityCoeff * intrinsic.advantages[i];
  };
  return {
    async judge(steps, fillTargets) {
      const start = performance.now();
      normalizer.absorb(steps.observed);
      await score(setup, steps, intrinsic, normalizer);
      if (visits !== null) countVisits(steps, visits, intrinsic.rewards);
      scaler?.absorb(intrinsic, steps.own);
      const scale = scaler?.scale ?? 1;
      for (const i of steps.samples) intrinsic.rewards[i] *= scale;
      bonuses.set(steps.rollout, intrinsic.rewards.slice());
      await addAdvantages(steps, fillTargets);
      judgeMs = performance.now() - start;
    },
    async judgeAgain(steps, fillTargets) {
      const start = performance.now();
      await score(setup, steps, intrinsic, normalizer);
      intrinsic.rewards.set(bonuses.get(steps.rollout) as Float32Array);
      await addAdvantages(steps, fillTargets);
      judgeMs = performance.now() - start;
    },
    async learn(steps, given) {
      const start = performance.now();
      const stats = await learnFrom({ ...setup, config, intrinsic, stream, normalizer }, steps, given);
      return {
        ...tell(intrinsic, steps.samples, stats.means, visits?.size),
        'time/curiosityMs': judgeMs + performance.now() - start,
      };
    },
    parts,
    state: createCuriosityState(parts, policy),
    stop: () => learner.dispose(),
  };
}

type Learning = Scoring & {
  readonly config: CuriosityConfig;
  readonly intrinsic: IntrinsicSteps;
  readonly stream: Stream;
  readonly normalizer: ObservationStatistics;
};

/** The minibatches of a rollout, in the order of the policy's. */
function learnFrom(
  { learner, sample, batchSize, nonFinite, config, intrinsic, stream, normalizer }: Learning,
  steps: OwnSteps,
  { numEpochs, permutations, learningRate }: CuriosityPlan,
) {
  const { curiosityLearningRate, curiosityShare: share } = config.training;
  const numSamples = steps.samples.length;
  const perEpoch = Math.ceil(numSamples / batchSize);
  const rates = { learningRate, curiosityLearningRate };
  return learner.update({
    steps: ['learn'],
    numUpdates: numEpochs * perEpoch,
    fill(k, { columns }) {
      const first = Math.floor(k / perEpoch) * numSamples;
      const begin = (k % perEpoch) * batchSize;
      const end = Math.min(begin + batchSize, numSamples);
      const indices = permutations.subarray(first + begin, first + end);
      fillSample(steps, intrinsic, sample, { indices, share, stream }, columns);
    },
    scalars: Object.fromEntries(learner.objective.scalars.map((name) => [name, rates[name as never]])),
    observationStatistics: normalizer,
    nonFinite,
  });
}

/** What a system needs for it: where an episode ended, what it truly led to. */
export function columnsOf({ curiosity }: { readonly curiosity: string | null }): {
  readonly columns?: RolloutColumns;
} {
  return curiosity === null ? {} : { columns: { ...ON_POLICY_COLUMNS, finalObservations: true } };
}

interface ObservationStatistics {
  readonly mean: Float32Array;
  readonly inverseStd: Float32Array;
}

interface Scoring {
  readonly learner: ObjectiveLearner;
  readonly sample: SampleSpec;
  readonly batchSize: number;
  /** That of `learn`: a captured graph is made anew for another one. */
  readonly nonFinite: 'stop' | 'skip' | 'clip';
}

/** Values of all observations, and e of what each step led to: `values`, `bootstrapValues`, `rewards` of the steps. */
async function score(
  { learner, sample, batchSize, nonFinite }: Scoring,
  steps: OwnSteps,
  { values, bootstrapValues, rewards }: IntrinsicSteps,
  observationStatistics: ObservationStatistics,
): Promise<void> {
  const { samples } = steps;
  const numSamples = samples.length;
  const numRows = numSamples + bootstrapValues.length;
  await learner.update({
    steps: ['score'],
    numUpdates: Math.ceil(numRows / batchSize),
    fill: (k, { columns }) => fillScored(steps, sample, k * batchSize, batchSize, columns),
    after(k, { rowOutputs }) {
      for (let r = 0; r < Math.min(batchSize, numRows - k * batchSize); r++) {
        const s = k * batchSize + r;
        if (s >= numSamples) bootstrapValues[s - numSamples] = rowOutputs.values[r];
        else {
          values[samples[s]] = rowOutputs.values[r];
          if (rowOutputs.bonuses !== undefined) rewards[samples[s]] = rowOutputs.bonuses[r];
        }
      }
    },
    scalars: Object.fromEntries(learner.objective.scalars.map((name) => [name, 0])),
    observationStatistics,
    nonFinite,
  });
}

/** 1 / sqrt(visits), in the order (t, row). Bellemare et al. 2016, arXiv:1606.01868, with true counts. */
function countVisits(
  steps: OwnSteps,
  visits: ReturnType<typeof createVisitCounts>,
  rewards: Float32Array,
): void {
  const { numRows: N, rolloutLength: T, observations } = steps.rollout;
  const size = observations.length / (N * T);
  for (let t = 0; t < T; t++) {
    for (let n = 0; n < N; n++) {
      const i = n * T + t;
      if (steps.own[i] === 0) continue;
      rewards[i] = 1 / Math.sqrt(visits.visit(steps.nextRows(i), steps.nextRow(i) * size));
    }
  }
}

function tell(
  { rewards, returns, values }: IntrinsicSteps,
  samples: Int32Array,
  means: Readonly<Record<string, number>>,
  numVisited: number | undefined,
): CuriosityMetrics {
  const of = (column: Float32Array) => Float32Array.from(samples, (i) => column[i]); // [S] f32
  const explained = explainedVariance({ returns: of(returns), values: of(values) });
  const { intrinsicValueLoss, predictionLoss, inverseLoss } = means;
  const told = { intrinsicValueLoss, predictionLoss, inverseLoss };
  const losses = Object.entries(told).filter(([, mean]) => Number.isFinite(mean));
  return {
    'train/intrinsicRewardMean': of(rewards).reduce((sum, bonus) => sum + bonus, 0) / samples.length,
    ...Object.fromEntries(losses.map(([name, mean]) => [`train/${name}`, mean])),
    ...(explained === null ? {} : { 'train/intrinsicExplainedVariance': explained }),
    ...(numVisited === undefined ? {} : { 'train/numObservationsVisited': numVisited }),
  };
}
