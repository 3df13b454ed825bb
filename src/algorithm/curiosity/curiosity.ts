/** Curiosity: a bonus for what is new, with a value and advantages of its own, added to those of the environment's rewards. */

import type { StatePart } from '../../checkpoint/state-part.ts';
import { ON_POLICY_COLUMNS, type RolloutColumns, type RolloutViews } from '../../experience/layout.ts';
import type { ObjectiveLearner } from '../../learner/objective-learner.ts';
import type { CuriosityMetrics } from '../../metrics/curiosity-metrics.ts';
import { openStream, type Stream } from '../../random/streams.ts';
import { createObservationNormalizer } from '../../statistics/running-moments.ts';
import { explainedVariance } from '../../targets/gae.ts';
import { createRewardScaler } from '../../targets/reward-scaler.ts';
import { createCuriosityState } from './curiosity-state.ts';
import { fillSample, fillScored, type SampleSpec } from './fill.ts';
import { createIntrinsicSteps, type IntrinsicSteps } from './intrinsic-steps.ts';
import { type CuriosityConfig, type CuriositySystem, createCuriosityLearner } from './learner.ts';
import { createActionCoder, nextRow, nextRows } from './samples.ts';
import { createVisitCounts } from './visit-counts.ts';

/** What is learnt from a rollout, and how. */
export interface CuriosityPlan {
  readonly numEpochs: number;
  readonly permutations: Int32Array; // [numEpochs, N * T] i32, flat indices
  /** Of the bonus's value. */
  readonly learningRate: number;
}

export interface Curiosity {
  /**
   * Scores what a rollout led to and adds the bonus's advantages to the rollout's, which are filled.
   *
   * @param fillTargets fills `advantages` and `returns` of the bonus's steps, as those of the rewards were; `gamma` is the bonus's.
   */
  judge(rollout: RolloutViews, fillTargets: (steps: IntrinsicSteps, gamma: number) => void): Promise<void>;
  /**
   * The same for a rollout that was judged before and is learnt from once more: by the newest value, with the bonuses that its steps had. Statistics and
   * counts know it already.
   */
  judgeAgain: Curiosity['judge'];
  /** Learns from the rollout judged last: the bonus's value, and the networks that tell what is new. */
  learn(rollout: RolloutViews, plan: CuriosityPlan): Promise<CuriosityMetrics>;
  readonly state: StatePart;
  stop(): Promise<void>;
}

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
  system: CuriositySystem,
  config: CuriosityConfig,
  minibatchSize: number,
): Promise<Curiosity | null> {
  const { curiosity: bonus, curiosityCoeff, curiosityGamma } = config.training;
  if (bonus === null) return null;
  const { numEnvs: N, rolloutLength: T } = config.envRunners;
  const { observationSize } = system.spec;
  const learner = await createCuriosityLearner(system, config, bonus, minibatchSize).catch(
    async (error: unknown) => {
      await system.stop(); // its workers are running, and nobody else has it yet
      throw error;
    },
  );
  const normalizer = createObservationNormalizer(observationSize);
  const scaler = bonus === 'count' ? null : createRewardScaler(N, T, curiosityGamma);
  const visits = bonus === 'count' ? createVisitCounts(observationSize) : null;
  const stream = openStream(config.debugging.seed, 'curiosity');
  const steps = createIntrinsicSteps(N, T);
  let judgeMs = 0;
  const bonuses = new WeakMap<RolloutViews, Float32Array>(); // [N * T] f32, of the rollouts judged
  const sample = { observationSize, codeAction: createActionCoder(system.spec.distribution) };
  const { nonFinite } = config.faultTolerance;
  const setup = { learner, sample, batchSize: minibatchSize, nonFinite };
  const addAdvantages: Curiosity['judge'] = async (rollout, fillTargets) => {
    fillTargets(steps, curiosityGamma);
    const { advantages } = rollout;
    for (let i = 0; i < advantages.length; i++) advantages[i] += curiosityCoeff * steps.advantages[i];
  };
  return {
    async judge(rollout, fillTargets) {
      const start = performance.now();
      normalizer.absorb(rollout);
      await score(setup, rollout, steps, normalizer);
      if (visits !== null) countVisits(rollout, visits, steps.rewards);
      scaler?.absorb(steps);
      const scale = scaler?.scale ?? 1;
      for (let i = 0; i < steps.rewards.length; i++) steps.rewards[i] *= scale;
      bonuses.set(rollout, steps.rewards.slice());
      await addAdvantages(rollout, fillTargets);
      judgeMs = performance.now() - start;
    },
    async judgeAgain(rollout, fillTargets) {
      const start = performance.now();
      await score(setup, rollout, steps, normalizer);
      steps.rewards.set(bonuses.get(rollout) as Float32Array);
      await addAdvantages(rollout, fillTargets);
      judgeMs = performance.now() - start;
    },
    async learn(rollout, plan) {
      const start = performance.now();
      const stats = await learnFrom({ ...setup, config, steps, stream, normalizer }, rollout, plan);
      return {
        ...tell(steps, stats.means, visits?.size),
        'time/curiosityMs': judgeMs + performance.now() - start,
      };
    },
    state: createCuriosityState({ learner, normalizer, scaler, visits, stream }),
    stop: () => learner.dispose(),
  };
}

type Learning = Scoring & {
  readonly config: CuriosityConfig;
  readonly steps: IntrinsicSteps;
  readonly stream: Stream;
  readonly normalizer: ObservationStatistics;
};

/** The minibatches of a rollout, in the order of the policy's. */
function learnFrom(
  { learner, sample, batchSize, nonFinite, config, steps, stream, normalizer }: Learning,
  rollout: RolloutViews,
  { numEpochs, permutations, learningRate }: CuriosityPlan,
) {
  const { curiosityLearningRate, curiosityShare: share } = config.training;
  const numSamples = steps.rewards.length;
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
      fillSample(rollout, steps, sample, { indices, share, stream }, columns);
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
  rollout: RolloutViews,
  { values, bootstrapValues, rewards }: IntrinsicSteps,
  observationStatistics: ObservationStatistics,
): Promise<void> {
  const numSamples = values.length;
  const numRows = numSamples + bootstrapValues.length;
  await learner.update({
    steps: ['score'],
    numUpdates: Math.ceil(numRows / batchSize),
    fill: (k, { columns }) => fillScored(rollout, sample, k * batchSize, batchSize, columns),
    after(k, { rowOutputs }) {
      for (let r = 0; r < Math.min(batchSize, numRows - k * batchSize); r++) {
        const i = k * batchSize + r;
        if (i >= numSamples) bootstrapValues[i - numSamples] = rowOutputs.values[r];
        else {
          values[i] = rowOutputs.values[r];
          if (rowOutputs.bonuses !== undefined) rewards[i] = rowOutputs.bonuses[r];
        }
      }
    },
    scalars: Object.fromEntries(learner.objective.scalars.map((name) => [name, 0])),
    observationStatistics,
    nonFinite,
  });
}

/** 1 / sqrt(visits), in the order (t, environment). Bellemare et al. 2016, arXiv:1606.01868, with true counts. */
function countVisits(
  rollout: RolloutViews,
  visits: ReturnType<typeof createVisitCounts>,
  rewards: Float32Array,
): void {
  const { numRows: N, rolloutLength: T, observations } = rollout;
  const size = observations.length / (N * T);
  for (let t = 0; t < T; t++) {
    for (let n = 0; n < N; n++) {
      const i = n * T + t;
      rewards[i] = 1 / Math.sqrt(visits.visit(nextRows(rollout, i), nextRow(rollout, i) * size));
    }
  }
}

function tell(
  steps: IntrinsicSteps,
  means: Readonly<Record<string, number>>,
  numVisited: number | undefined,
): CuriosityMetrics {
  const explained = explainedVariance(steps);
  const { intrinsicValueLoss, predictionLoss, inverseLoss } = means;
  const told = { intrinsicValueLoss, predictionLoss, inverseLoss };
  const losses = Object.entries(told).filter(([, mean]) => Number.isFinite(mean));
  return {
    'train/intrinsicRewardMean': steps.rewards.reduce((sum, bonus) => sum + bonus, 0) / steps.rewards.length,
    ...Object.fromEntries(losses.map(([name, mean]) => [`train/${name}`, mean])),
    ...(explained === null ? {} : { 'train/intrinsicExplainedVariance': explained }),
    ...(numVisited === undefined ? {} : { 'train/numObservationsVisited': numVisited }),
  };
}
