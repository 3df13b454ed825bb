/** Policies that learn beside each other, each from the steps that it took: what algorithms on rollouts share among several agents. */
import type { StatePart } from '../../checkpoint/state-part.ts';
import type { UpdatePlan, UpdateStats } from '../../learner/learner.ts';
import type { GroupViews } from '../../rollout/agents/agents-layout.ts';
import type { Algorithm } from '../algorithm.ts';
import { learnerState } from '../learner-state.ts';
import { tellPolicy, tellUpdate } from '../learning-report.ts';
import { statisticsState } from '../observation-statistics.ts';
import { policyState } from '../policy-state.ts';
import { computeOwnAdvantages, ownSteps } from './agents-curiosity.ts';
import type { AgentsConfig, CentralCritic, LearningPolicy } from './agents-policies.ts';
import type { StudentMetrics } from './agents-report.ts';
import { computeAdvantages, explainedBy, observedBy } from './agents-samples.ts';
import type { AgentsStage } from './agents-stage.ts';
import type { AgentsSystem } from './agents-system.ts';
import { onPolicyMoves } from './begin-anew.ts';
import { moveLeague } from './move-league.ts';
import { createRolloutAgents, type Student } from './rollout-agents.ts';

/** Collects, and has all policies that learn do so, one after the other, in the order of their names. */
export function createLearningAgents<C extends AgentsConfig>(
  name: string,
  config: C,
  system: AgentsSystem<C>,
  createStudent: (policy: LearningPolicy<C>) => Student,
): Algorithm {
  const { league } = system;
  const moves = onPolicyMoves<C>(config.debugging.seed);
  return createRolloutAgents({
    ...{ name, config, stage: system, publish: system.publish },
    ...ofPolicies(config, system),
    students: system.learning.map(createStudent),
    afterLearning(groups) {
      if (league !== null) moveLeague(system.learning, league, config.selfPlay, groups, moves);
    },
  });
}

/** What a run's shell asks of policies with an actor and a critic. */
export function ofPolicies<C extends AgentsConfig>({ selfPlay }: C, system: AgentsSystem<C>) {
  return {
    engine: system.learning[0]?.learner ?? null,
    numPast: system.league === null ? 0 : selfPlay.maxSnapshots,
    policyState: system.learning.flatMap((policy) => learnedState(policy, system)),
  };
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

/** Of one policy's steps: what its update does. */
export interface Lesson extends Omit<UpdatePlan, 'observationStatistics' | 'nonFinite'> {
  /** Flat indices of the steps. i32 */
  readonly samples: Int32Array;
}

/** And how its values run. */
interface GaeLesson extends Lesson {
  readonly gamma: number;
  readonly gaeLambda: number;
}

export interface Learned {
  readonly update: UpdateStats;
  readonly metrics: StudentMetrics;
}

/** Advantages along an agent's own steps, with those of what is new where the policy is curious, and {@link learnJudged}; then running statistics move on. */
export async function learnSteps<C extends AgentsConfig>(
  policy: LearningPolicy<C>,
  group: GroupViews,
  { gamma, gaeLambda, ...lesson }: GaeLesson,
): Promise<Learned> {
  const { curiosity, config, index } = policy;
  const { samples, ...given } = lesson;
  computeAdvantages(group, { gamma, gaeLambda, discountBy: config.multiAgent.discountBy });
  const steps = curiosity === null ? null : ownSteps(group, index, samples);
  if (steps !== null)
    await curiosity?.judge(steps, (bonus, discount) =>
      computeOwnAdvantages(steps, bonus, discount, gaeLambda),
    );
  const { update, metrics } = await learnJudged(policy, group, lesson, true);
  takeInObservations(policy, group, samples);
  const { learningRate } = given.scalars;
  const curious = steps === null ? {} : await curiosity?.learn(steps, { ...given, learningRate });
  return { update, metrics: { ...curious, ...metrics } };
}

/**
 * From steps with advantages and returns: one update of the policy and, with a central critic, one of it with the same plan.
 *
 * @param isNew whether nothing was learned from these steps before: the scale of values takes them in.
 */
export async function learnJudged<C extends AgentsConfig>(
  policy: LearningPolicy<C>,
  group: GroupViews,
  { samples, ...given }: Lesson,
  isNew: boolean,
): Promise<Learned> {
  const { config, learner, scaling, critic, valueScale } = policy;
  const plan: UpdatePlan = {
    ...given,
    observationStatistics: scaling.statistics,
    nonFinite: config.faultTolerance.nonFinite,
  };
  const explained = explainedBy(group, samples);
  if (isNew) valueScale?.absorb(group.rollout.returns, samples, (critic ?? policy).learner);
  valueScale?.normalize(group.rollout.returns, samples);
  valueScale?.normalize(group.rollout.values, samples);
  const update = await learner.update(group.rollout, plan);
  const metrics = {
    ...tellUpdate(update),
    ...(critic === null ? {} : await learnValues(critic, group, plan)),
    ...tellPolicy(learner),
    ...(explained === null ? {} : { 'train/explainedVariance': explained }),
  };
  return { update, metrics };
}

/** Running statistics of what is seen move on by a policy's own steps. */
export function takeInObservations(
  { scaling, critic }: Pick<LearningPolicy<unknown>, 'scaling' | 'critic'>,
  group: GroupViews,
  samples: Int32Array,
): void {
  if (scaling.isRunning) scaling.absorb(observedBy(group, group.rollout.observations, samples));
  if (critic?.scaling.isRunning === true)
    critic.scaling.absorb(observedBy(group, group.criticInputs, samples));
}

/** The central critic learns the same samples' returns, in the same order, from the environment's state. */
async function learnValues(
  { learner, scaling }: CentralCritic,
  group: GroupViews,
  plan: UpdatePlan,
): Promise<StudentMetrics> {
  const rollout = { ...group.rollout, observations: group.criticInputs };
  const update = await learner.update(rollout, {
    ...plan,
    observationStatistics: scaling.statistics,
    targetKl: null,
  });
  return { 'train/valueLoss': update.means.valueLoss, 'train/criticGradNorm': update.means.gradNorm };
}
