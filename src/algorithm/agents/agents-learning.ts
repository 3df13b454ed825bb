/** Policies that learn beside each other, each from the steps that it took: what algorithms on rollouts share among several agents. */
import type { StatePart } from '../../checkpoint/state-part.ts';
import type { JsonValue } from '../../json.ts';
import type { UpdatePlan, UpdateStats } from '../../learner/learner.ts';
import type { GroupViews } from '../../rollout/agents/agents-layout.ts';
import type { Algorithm } from '../algorithm.ts';
import { learnerState } from '../learner-state.ts';
import { tellPolicy, tellUpdate } from '../learning-report.ts';
import { statisticsState } from '../observation-statistics.ts';
import { policyState } from '../policy-state.ts';
import type { Iteration } from '../shell.ts';
import { createAgentsAlgorithm } from './agents-algorithm.ts';
import { computeOwnAdvantages, ownSteps } from './agents-curiosity.ts';
import type { AgentsConfig, CentralCritic, LearningPolicy } from './agents-policies.ts';
import { tellAgents } from './agents-report.ts';
import { computeAdvantages, explainedBy, observedBy } from './agents-samples.ts';
import type { AgentsStage } from './agents-stage.ts';
import type { AgentsSystem } from './agents-system.ts';
import { onPolicyMoves } from './begin-anew.ts';
import { moveLeague } from './move-league.ts';

export type AgentMetrics = Partial<Record<string, number>>;

const CURIOSITY_MS = 'time/curiosityMs';

/** A policy that learns, with all that is its own. */
export interface Student {
  readonly name: string;
  /** Learns from the steps that it took in a rollout of its group. */
  learn(group: GroupViews, numEnvSteps: number): Promise<AgentMetrics>;
  readonly setSchedule: (name: string, schedule: JsonValue) => void;
  readonly state: readonly StatePart[];
}

/** Collects, and has all policies that learn do so, one after the other, in the order of their names. */
export function createLearningAgents<C extends AgentsConfig>(
  name: string,
  config: C,
  system: AgentsSystem<C>,
  createStudent: (policy: LearningPolicy<C>) => Student,
): Algorithm {
  const students = system.learning.map(createStudent);
  /** Whose metrics are called as those of a run with one policy. */
  const first = students.length === 1 ? students[0].name : system.league?.learner;
  const { envRunners } = config;
  const moves = onPolicyMoves<C>(config.debugging.seed);
  const iterate = async (numEnvSteps: number): Promise<Iteration> => {
    const start = performance.now();
    const version = system.publish();
    const collected = await system.runners.collect(version);
    const collectedAt = performance.now();
    const metrics: AgentMetrics = {};
    for (const [k, student] of students.entries()) {
      const told = await student.learn(collected.groups[system.learning[k].group], numEnvSteps);
      for (const [key, value] of Object.entries(told)) {
        if (key === CURIOSITY_MS)
          metrics[key] = (metrics[key] ?? 0) + Number(value); // of all policies together
        else
          metrics[student.name === first ? key : key.replace(/^train\//, `policy/${student.name}/`)] = value;
      }
    }
    metrics['time/rolloutMs'] = collectedAt - start;
    metrics['time/learnMs'] = performance.now() - collectedAt;
    const { league } = system;
    const episodes = league?.absorb(collected.episodes) ?? collected.episodes;
    if (league !== null) moveLeague(system.learning, league, config.selfPlay, collected.groups, moves);
    return {
      ...{ numEnvSteps: envRunners.numEnvs * envRunners.rolloutLength, episodes },
      envMetrics: collected.metrics,
      metrics: { ...metrics, ...tellAgents(episodes), ...league?.metrics() },
      ...(league === null ? {} : { league: league.rows() }),
    };
  };
  const numPast = system.league === null ? 0 : config.selfPlay.maxSnapshots;
  return createAgentsAlgorithm({
    ...{ name, config, stage: system, iterate, numPast, rolloutLength: envRunners.rolloutLength },
    engine: system.learning[0]?.learner ?? null,
    isHalfDone: () => !system.runners.isCollecting,
    policyState: system.learning.flatMap((policy) => learnedState(policy, system)),
    state: students.flatMap(({ state }) => state),
    setSchedule: (schedule, value) => {
      for (const student of students) student.setSchedule(schedule, value);
    },
  });
}

/** Networks, optimizers and statistics of a policy that learns. */
function learnedState<C>(
  { name: policy, group, spec, learner, scaling, critic, valueScale, curiosity }: LearningPolicy<C>,
  { source, seats }: AgentsStage,
): readonly StatePart[] {
  return [
    policyState({ source, spec, ...seats.groups[group].spaces }, learner.layout, policy),
    learnerState(learner, { policy, part: critic === null ? 'whole' : 'actor' }),
    statisticsState(scaling, spec, { policy }),
    ...(critic === null
      ? []
      : [
          learnerState(critic.learner, { policy, part: 'critic' }),
          statisticsState(critic.scaling, critic.spec, { policy, part: 'critic' }),
        ]),
    ...(valueScale === null ? [] : [valueScale.state]),
    ...(curiosity === null ? [] : [curiosity.state]),
  ];
}

/** Of one policy's steps: what its update does, and how its values run. */
export interface Lesson extends Omit<UpdatePlan, 'observationStatistics' | 'nonFinite'> {
  /** Flat indices of the steps. i32 */
  readonly samples: Int32Array;
  readonly gamma: number;
  readonly gaeLambda: number;
}

/**
 * Advantages along an agent's own steps, with those of what is new where the policy is curious, one update of the policy and, with a central critic, one of it with the same plan; then running
 * statistics move on.
 */
export async function learnSteps<C extends AgentsConfig>(
  policy: LearningPolicy<C>,
  group: GroupViews,
  { samples, gamma, gaeLambda, ...given }: Lesson,
): Promise<{ readonly update: UpdateStats; readonly metrics: AgentMetrics }> {
  const { config, learner, scaling, critic, valueScale, curiosity } = policy;
  computeAdvantages(group, { gamma, gaeLambda, discountBy: config.multiAgent.discountBy });
  const steps = curiosity === null ? null : ownSteps(group, policy.index, samples);
  if (steps !== null)
    await curiosity?.judge(steps, (bonus, discount) =>
      computeOwnAdvantages(steps, bonus, discount, gaeLambda),
    );
  const plan: UpdatePlan = {
    ...given,
    observationStatistics: scaling.statistics,
    nonFinite: config.faultTolerance.nonFinite,
  };
  const explained = explainedBy(group, samples);
  valueScale?.absorb(group.rollout.returns, samples, (critic ?? policy).learner);
  valueScale?.normalize(group.rollout.returns, samples);
  valueScale?.normalize(group.rollout.values, samples);
  const update = await learner.update(group.rollout, plan);
  if (scaling.isRunning) scaling.absorb(observedBy(group, group.rollout.observations, samples));
  const { learningRate } = given.scalars;
  const metrics = {
    ...(steps === null ? {} : await curiosity?.learn(steps, { ...given, learningRate })),
    ...tellUpdate(update),
    ...(critic === null ? {} : await learnValues(critic, group, samples, plan)),
    ...tellPolicy(learner),
    ...(explained === null ? {} : { 'train/explainedVariance': explained }),
  };
  return { update, metrics };
}

/** The central critic learns the same samples' returns, in the same order, from the environment's state. */
async function learnValues(
  { learner, scaling }: CentralCritic,
  group: GroupViews,
  samples: Int32Array,
  plan: UpdatePlan,
): Promise<AgentMetrics> {
  const rollout = { ...group.rollout, observations: group.criticInputs };
  const update = await learner.update(rollout, {
    ...plan,
    observationStatistics: scaling.statistics,
    targetKl: null,
  });
  if (scaling.isRunning) scaling.absorb(observedBy(group, group.criticInputs, samples));
  return { 'train/valueLoss': update.means.valueLoss, 'train/criticGradNorm': update.means.gradNorm };
}
