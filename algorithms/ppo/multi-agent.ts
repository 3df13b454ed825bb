/** PPO among several agents: a learner for every policy, each with the steps that it took. */

import { createAgentsAlgorithm } from '../../src/algorithm/agents/agents-algorithm.ts';
import type { CentralCritic, LearningPolicy } from '../../src/algorithm/agents/agents-policies.ts';
import {
  computeAdvantages,
  explainedBy,
  observedBy,
  samplesOf,
} from '../../src/algorithm/agents/agents-samples.ts';
import { createAgentsSystem } from '../../src/algorithm/agents/agents-system.ts';
import { policyStream } from '../../src/algorithm/agents/network-policy.ts';
import { DEFAULT_POLICY, type TableEntry } from '../../src/algorithm/agents/policy-table.ts';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { tellPolicy, tellUpdate } from '../../src/algorithm/learning-report.ts';
import { adaptedState, schedulesState, streamState } from '../../src/algorithm/own-state.ts';
import type { StatePart } from '../../src/checkpoint/state-part.ts';
import { checkLayer } from '../../src/config/check-layer.ts';
import { throwProblems } from '../../src/config/problems.ts';
import { createSchedules } from '../../src/config/schedules.ts';
import { ConfigError } from '../../src/errors.ts';
import type { JsonValue } from '../../src/json.ts';
import type { UpdatePlan } from '../../src/learner/learner.ts';
import { shufflePermutation } from '../../src/random/shuffle.ts';
import type { GroupViews } from '../../src/rollout/agents/agents-layout.ts';
import { checkPPO, ppoOptions, type ResolvedPPOConfig } from './config.ts';
import { createKlPenalty } from './kl-penalty.ts';
import { ppoLossParts } from './loss-parts.ts';

type Metrics = Partial<Record<string, number>>;

/** A policy that learns, with all that is its own. */
interface Student {
  readonly name: string;
  /** Learns from the steps that it took in a rollout of its group. */
  learn(group: GroupViews, numEnvSteps: number): Promise<Metrics>;
  readonly setSchedule: (name: string, schedule: JsonValue) => void;
  readonly state: readonly StatePart[];
}

/**
 * Starts PPO in an environment of several agents. As `createPPO`, with these differences: a sample is an agent's own step; rewards that come
 * until it acts again, or ends, are that step's; advantages run along an agent's own steps, and are normalised over one policy's samples;
 * policies learn one after the other, in the order of their names. With one agent an environment the numbers are those of `createPPO`.
 *
 * @throws ConfigError when environment, policies and options do not fit together.
 */
export async function createMultiAgentPPO(config: ResolvedPPOConfig): Promise<Algorithm> {
  refuseCuriosity(config);
  const system = await createAgentsSystem<ResolvedPPOConfig>(config, {
    configOf: (entry) => configOf(config, entry),
    lossOf: ({ training }) => ppoLossParts(training),
    boundsOf: ({ training }) => training,
  });
  const students = system.learning.map((policy) => createStudent(policy));
  const isAlone = students.length === 1;

  const iterate = async (numEnvSteps: number) => {
    const start = performance.now();
    const version = system.publish();
    const collected = await system.runners.collect(version);
    const collectedAt = performance.now();
    const metrics: Metrics = {};
    for (const [k, student] of students.entries()) {
      const told = await student.learn(collected.groups[system.learning[k].group], numEnvSteps);
      for (const [key, value] of Object.entries(told))
        metrics[isAlone ? key : key.replace(/^train\//, `policy/${student.name}/`)] = value;
    }
    metrics['time/rolloutMs'] = collectedAt - start;
    metrics['time/learnMs'] = performance.now() - collectedAt;
    return { collected, metrics };
  };

  return createAgentsAlgorithm({
    ...{ name: 'ppo', config, system, iterate },
    state: students.flatMap(({ state }) => state),
    setSchedule: (name, schedule) => {
      for (const student of students) student.setSchedule(name, schedule);
    },
  });
}

/** @throws ConfigError `CONFIG_CURIOSITY`. */
function refuseCuriosity({ training: { curiosity } }: ResolvedPPOConfig): void {
  if (curiosity === null) return;
  throw new ConfigError(
    'CONFIG_CURIOSITY',
    `curiosity (${curiosity}) is for one agent in an environment, and there are several here: leave it out.`,
  );
}

/** The run's config with the policy's own options of `training`. @throws ConfigError naming what is no such option. */
function configOf(config: ResolvedPPOConfig, { name, acts }: TableEntry): ResolvedPPOConfig {
  if (acts.kind !== 'network' || Object.keys(acts.overrides).length === 0) return config;
  const { layer, problems } = checkLayer(
    { training: ppoOptions.training },
    { training: acts.overrides },
    `policy ${name}`,
  );
  throwProblems(problems);
  const own = { ...config, training: { ...config.training, ...layer.training } };
  throwProblems(checkPPO(own));
  refuseCuriosity(own);
  return own;
}

function createStudent(policy: LearningPolicy<ResolvedPPOConfig>): Student {
  const { name, config, learner, scaling, index, critic, valueScale } = policy;
  const { training, multiAgent, faultTolerance, debugging } = config;
  const { gamma, gaeLambda, minibatchSize, normalizeAdvantages, targetKl, valueClipRange, numEpochs } =
    training;
  const schedules = createSchedules(
    ppoOptions.training,
    ['learningRate', 'clipRange', 'entropyCoeff'],
    training,
  );
  const klPenalty = createKlPenalty(training);
  const shuffle = policyStream(debugging.seed, 'shuffle', name);
  const own = (field: string) => (name === DEFAULT_POLICY ? field : `${field}/${name}`);
  return {
    name,
    async learn(group, numEnvSteps) {
      const samples = samplesOf(group, index);
      const counts: Metrics = { [`policy/${name}/numSteps`]: samples.length };
      if (samples.length === 0) return counts; // nobody's turn came: there is nothing to learn from
      const scalars = {
        ...schedules.at(numEnvSteps),
        valueClipRange: valueClipRange ?? 0,
        klPenaltyCoeff: klPenalty.coeff,
      };
      computeAdvantages(group, { gamma, gaeLambda, discountBy: multiAgent.discountBy });
      const plan: UpdatePlan = {
        ...{ numEpochs, minibatchSize, scalars, normalizeAdvantages, targetKl },
        permutations: shuffledSamples(samples, numEpochs, shuffle),
        observationStatistics: scaling.statistics,
        nonFinite: faultTolerance.nonFinite,
      };
      const explained = explainedBy(group, samples);
      valueScale?.absorb(group.rollout.returns, samples, (critic ?? policy).learner);
      valueScale?.normalize(group.rollout.returns, samples);
      valueScale?.normalize(group.rollout.values, samples);
      const update = await learner.update(group.rollout, plan);
      klPenalty.adapt(update.means.approxKl);
      scaling.absorb(observedBy(group, group.rollout.observations, samples));
      return {
        ...counts,
        ...tellUpdate(update),
        ...(critic === null ? {} : await learnValues(critic, group, samples, plan)),
        ...tellPolicy(learner),
        ...(explained === null ? {} : { 'train/explainedVariance': explained }),
        'train/numEpochs': update.numEpochs,
        'train/learningRate': scalars.learningRate,
        'train/clipRange': scalars.clipRange,
        'train/entropyCoeff': scalars.entropyCoeff,
        ...(training.klPenaltyCoeff > 0 ? { 'train/klPenaltyCoeff': scalars.klPenaltyCoeff } : {}),
      };
    },
    setSchedule: schedules.set,
    state: [
      streamState(own('shuffle'), shuffle),
      schedulesState(schedules, own('schedules')),
      adaptedState(
        own('klPenaltyCoeff'),
        { path: ['training', 'klPenaltyCoeff'], value: training.klPenaltyCoeff },
        klPenalty,
      ),
    ],
  };
}

/** The central critic learns the same samples' returns, in the same order, from the environment's state. */
async function learnValues(
  { learner, scaling }: CentralCritic,
  group: GroupViews,
  samples: Int32Array,
  plan: UpdatePlan,
): Promise<Metrics> {
  const rollout = { ...group.rollout, observations: group.criticInputs };
  const update = await learner.update(rollout, {
    ...plan,
    observationStatistics: scaling.statistics,
    targetKl: null,
  });
  scaling.absorb(observedBy(group, group.criticInputs, samples));
  return { 'train/valueLoss': update.means.valueLoss, 'train/criticGradNorm': update.means.gradNorm };
}

/** [numEpochs, samples]: the samples in another order in every epoch. */
function shuffledSamples(
  samples: Int32Array,
  numEpochs: number,
  stream: Parameters<typeof shufflePermutation>[1],
) {
  const count = samples.length;
  const permutations = new Int32Array(numEpochs * count);
  for (let epoch = 0; epoch < numEpochs; epoch++) {
    const order = permutations.subarray(epoch * count, (epoch + 1) * count);
    shufflePermutation(order, stream);
    for (let k = 0; k < count; k++) order[k] = samples[order[k]];
  }
  return permutations;
}
