/**
 * `operant/algorithm`: what an algorithm is made of, for those who write one. Define it with {@link defineAlgorithm}, train it with
 * `train --algo ./my-algorithm.ts#name`; examples/reinforce is a whole one. One that learns off-policy is made of
 * {@link createOffPolicySystem}, {@link createFragments}, {@link createOffPolicyIteration}; `algorithms/dqn` shows how.
 */
// Advantages and returns

// The loop's outside, and what it stands on
export type { Algorithm, EvaluationResult, TrainResult } from '../algorithm/algorithm.ts';
export type { LossParts, PlanBounds } from '../algorithm/create-learner.ts';
export { createFragments, type FragmentOptions, type Fragments } from '../algorithm/fragments.ts';
export { createIterationTally, type IterationTally } from '../algorithm/iteration-tally.ts';
export { tellCritic, tellPolicy, tellUpdate } from '../algorithm/learning-report.ts';
export { boundedBox, createTrunk, observationInput } from '../algorithm/model-setup.ts';
export { createObjectiveAlgorithm, type ObjectiveAlgorithmParts } from '../algorithm/objective-algorithm.ts';
export {
  createObjectiveSystem,
  type ObjectiveSystem,
  type ObjectiveSystemParts,
} from '../algorithm/objective-system.ts';
export { createOffPolicyAlgorithm, type OffPolicyAlgorithmParts } from '../algorithm/off-policy-algorithm.ts';
export type { OffPolicyConfig } from '../algorithm/off-policy-config.ts';
export { createOffPolicyIteration, type OffPolicyLoop } from '../algorithm/off-policy-iteration.ts';
export {
  createOffPolicySystem,
  type OffPolicyParts,
  type OffPolicySystem,
} from '../algorithm/off-policy-system.ts';
export {
  createOnPolicyAlgorithm,
  type OnPolicyAlgorithmParts,
  type OnPolicyIteration,
} from '../algorithm/on-policy-algorithm.ts';
export type { OnPolicyConfig } from '../algorithm/on-policy-config.ts';
export { createOnPolicySystem, type OnPolicySystem } from '../algorithm/on-policy-system.ts';
// What a checkpoint holds
export { adaptedState, ownState, schedulesState, streamState } from '../algorithm/own-state.ts';
export { isCrossed, numUpdatesDue } from '../algorithm/pace.ts';
export { createRewardScaling, type RewardScaling } from '../algorithm/reward-scaling.ts';
export { createAlgorithm, type Iteration, type ShellParts } from '../algorithm/shell.ts';
export { createTransitions, fillNormals, type Transitions } from '../algorithm/transitions.ts';
export type { CheckpointContent, NamedTensor } from '../checkpoint/content.ts';
export type { PartState, StatePart } from '../checkpoint/state-part.ts';
// Options
export { actorCriticOptions, checkActorCritic } from '../config/blocks/actor-critic.ts';
export { adamOptions } from '../config/blocks/adam.ts';
export { checkMinibatches, minibatchOptions } from '../config/blocks/minibatches.ts';
export { checkNetwork, networkOptions } from '../config/blocks/network.ts';
export { checkPace, paceOptions } from '../config/blocks/pace.ts';
export { checkReplay, priorityOptions, replayOptions } from '../config/blocks/replay.ts';
export { discountOptions, gaeOptions } from '../config/blocks/returns.ts';
export { runOptions } from '../config/blocks/run.ts';
export { scheduleOptions } from '../config/blocks/schedules.ts';
export { commonOptions, offPolicyOptions, onPolicyOptions } from '../config/common-options.ts';
export {
  type ConfigInput,
  type Declarations,
  type Option,
  option,
  type ResolvedConfig,
  withDefaults,
} from '../config/option.ts';
export { conflict, type Problem } from '../config/problems.ts';
export { evaluateSchedule, type Schedule } from '../config/schedule.ts';
export type { ScheduleFunction } from '../config/schedule-functions.ts';
export { createSchedules, type Schedules } from '../config/schedules.ts';
export type { TunedDefaults } from '../config/tuned-defaults.ts';
export * as valueKind from '../config/value-kind.ts';
export {
  type AlgorithmDefinition,
  type AlgorithmParts,
  defineAlgorithm,
} from '../define/define-algorithm.ts';
// Rollouts
export type { RolloutViews } from '../experience/layout.ts';
// Learning
export type { Learner, UpdatePlan, UpdateStats } from '../learner/learner.ts';
export type { ObjectiveSpec } from '../learner/objective.ts';
export type { ObjectiveLearner } from '../learner/objective-learner.ts';
export type {
  StepLoss,
  TensorObjective,
  TensorScope,
  TensorStep,
} from '../learner/tensorflow/objective/tensor-objective.ts';
export type { LossResult, TensorBatch, TensorLoss } from '../learner/tensorflow/tensor-loss.ts';
// Metrics
export { advantageMetrics, policyMetrics, updateMetrics } from '../metrics/learning-metrics.ts';
export type { MetricDeclaration, MetricDeclarations, MetricsOf } from '../metrics/metric-keys.ts';
export type { ActingNetwork } from '../policy/networks/acting-network.ts';
export { deviationsOf, type ModelInput, type ModelSpec } from '../policy/networks/model.ts';
export {
  createParameterNoise,
  drawFactors,
  type ParameterNoise,
} from '../policy/networks/parameter-noise.ts';
export { actionStatistics } from '../policy/tensor-distributions.ts';
export type { NetworkOutputs, Scalar, Tensor, TensorFlow } from '../policy/tensor-types.ts';
export type { Stream } from '../random/alea.ts';
// Chance
export { shufflePermutation } from '../random/shuffle.ts';
export { openStream } from '../random/streams.ts';
export type { Collected, RunnerGroup } from '../rollout/runner-group.ts';
export { computeGae, explainedVariance, type GaeOptions } from '../targets/gae.ts';
export { computeNStepReturns, type NStepOptions } from '../targets/n-step.ts';
export { computeRetrace, type RetraceOptions } from '../targets/retrace.ts';
export type { RewardTransform, ValuedSteps } from '../targets/valued-steps.ts';
export { computeVtrace, type VtraceOptions, type VtraceTargets } from '../targets/vtrace.ts';
export type { Exploration } from '../weights/exploration.ts';
