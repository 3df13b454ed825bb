/** The shared sections. An algorithm's declarations are one of these sets plus its `training`. */
import { environmentOptions, envRunnersOptions } from './blocks/environment.ts';
import { evaluationOptions } from './blocks/evaluation.ts';
import { faultToleranceOptions } from './blocks/fault-tolerance.ts';
import { learnersOptions } from './blocks/learners.ts';
import { onPolicySamplingOptions } from './blocks/on-policy-sampling.ts';
import { offPolicyEnvRunnersOptions } from './blocks/pace.ts';
import { checkpointingOptions, debuggingOptions, reportingOptions, stoppingOptions } from './blocks/run.ts';

/** Of every algorithm that acts in environments while it learns. */
export const commonOptions = {
  environment: environmentOptions,
  envRunners: envRunnersOptions,
  learners: learnersOptions,
  evaluation: evaluationOptions,
  checkpointing: checkpointingOptions,
  faultTolerance: faultToleranceOptions,
  reporting: reportingOptions,
  debugging: debuggingOptions,
  stopping: stoppingOptions,
};

/** Of every on-policy algorithm: an iteration is `rolloutLength` steps in each environment. */
export const onPolicyOptions = {
  ...commonOptions,
  envRunners: { ...envRunnersOptions, ...onPolicySamplingOptions },
};

/** Of every off-policy algorithm: how much an iteration collects follows from its pace (`paceOptions`, in `training`). */
export const offPolicyOptions = { ...commonOptions, envRunners: offPolicyEnvRunnersOptions };
