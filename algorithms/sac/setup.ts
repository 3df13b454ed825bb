/** From SAC's options and an environment to its networks; TQC's, too. */
import type { EnvDescription } from '../../src/algorithm/environment-source.ts';
import {
  boundedBox,
  createCriticTrunk,
  createTrunk,
  observationInput,
} from '../../src/algorithm/model-setup.ts';
import type { OffPolicyParts } from '../../src/algorithm/off-policy-system.ts';
import { batchParts } from '../../src/algorithm/replay-parts.ts';
import { learntSequences } from '../../src/algorithm/sequence-rows.ts';
import type { ClosedFormSource } from '../../src/learner/objective.ts';
import type { TensorObjective } from '../../src/learner/tensorflow/objective/tensor-objective.ts';
import type { ModelSpec } from '../../src/policy/networks/model.ts';
import type { ResolvedSACConfig, SoftActorCriticConfig } from './config.ts';
import { type SacShape, type SoftActorCriticShape, sacModel, sacObjective } from './objective.ts';

/** What an algorithm does otherwise that is SAC but for its critics and losses: SAC itself, TQC. */
export interface SacCritics {
  readonly name: string;
  /** Outputs of a critic: 1, or TQC's quantiles. */
  readonly criticOutputs: number;
  /** The losses over SAC's networks, once for each engine. */
  readonly closedForm: ClosedFormSource;
  readonly losses: (model: ModelSpec) => Promise<TensorObjective>;
}

/** What follows from options alone, whatever the actions are. */
export function softActorCriticShape(
  env: EnvDescription,
  { training, envRunners }: SoftActorCriticConfig,
): SoftActorCriticShape {
  const { temperature } = training;
  const { adamBeta1, adamBeta2, adamEpsilon, weightDecay } = training;
  const isNormalized = envRunners.normalizeObservations;
  return {
    observation: observationInput(env, { network: training.network, isNormalized }),
    clipObservation: envRunners.clipObservation,
    actorTrunk: createTrunk(env, training),
    criticTrunk: createCriticTrunk(env, training),
    numCritics: training.numCritics,
    initialLogTemperature: temperature === 'auto' ? Math.log(training.initialTemperature) : null,
    policyDelay: training.policyDelay,
    maxGradNorm: training.maxGradNorm,
    adam: { adamBeta1, adamBeta2, adamEpsilon, weightDecay },
    sequences: learntSequences(training),
  };
}

/** What the system is made of. @throws ConfigError for an action space, or a network, that it is not for. */
export function sacParts(
  env: EnvDescription,
  config: ResolvedSACConfig,
  { name, criticOutputs, closedForm, losses }: SacCritics,
): OffPolicyParts {
  const { training } = config;
  const { size, low, high } = boundedBox(env, name);
  const shape: SacShape = {
    ...softActorCriticShape(env, config),
    actionSize: size,
    criticOutputs,
    initialLogStd: training.useGsde ? training.logStdInit : null,
  };
  const model = sacModel(shape);
  const isGsde = (shape.initialLogStd ?? null) !== null;
  const gsde = { kind: 'squashed-gsde', sampleFrequency: training.gsdeSampleFrequency } as const;
  return {
    model,
    objective: sacObjective(shape),
    closedForm,
    ...(isGsde ? {} : { losses: () => losses(model) }),
    acting: isGsde
      ? { network: 'actor', logStd: 'logStd', distribution: { ...gsde, size, low, high } }
      : { network: 'actor', distribution: { kind: 'squashed-gaussian', size, low, high } },
    ...batchParts(env, training),
  };
}
