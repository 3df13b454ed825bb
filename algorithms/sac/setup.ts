/** From SAC's options and an environment to its networks. */
import type { EnvDescription } from '../../src/algorithm/environment-source.ts';
import { boundedBox, createTrunk, observationInput } from '../../src/algorithm/model-setup.ts';
import type { OffPolicyParts } from '../../src/algorithm/off-policy-system.ts';
import { type ReplayPartsOptions, replayParts } from '../../src/algorithm/replay-parts.ts';
import type { ClosedFormSource } from '../../src/learner/objective.ts';
import type { TensorObjective } from '../../src/learner/tensorflow/objective/tensor-objective.ts';
import type { ModelSpec } from '../../src/policy/networks/model.ts';
import type { ResolvedSACConfig } from './config.ts';
import { type SacShape, sacModel, sacObjective } from './objective.ts';

/** The options that shape SAC's networks; TQC has them, too. */
type ShapingConfig = Pick<ResolvedSACConfig, 'envRunners'> & {
  readonly training: Omit<ResolvedSACConfig['training'], 'numQuantiles'>;
};

/** @throws ConfigError for an action space, or a network, that it is not for. */
export function sacShape(
  env: EnvDescription,
  { training, envRunners }: ShapingConfig,
  name: string,
  criticOutputs = 1,
): SacShape {
  const { criticHiddenSizes, criticLayerNorm, temperature } = training;
  const { adamBeta1, adamBeta2, adamEpsilon, weightDecay } = training;
  const isNormalized = envRunners.normalizeObservations;
  const critic = {
    ...training,
    hiddenSizes: criticHiddenSizes ?? training.hiddenSizes,
    layerNorm: criticLayerNorm,
  };
  return {
    observation: observationInput(env, { network: training.network, isNormalized }),
    clipObservation: envRunners.clipObservation,
    actionSize: boundedBox(env, name).size,
    actorTrunk: createTrunk(env, training),
    criticTrunk: createTrunk(env, critic),
    numCritics: training.numCritics,
    criticOutputs,
    initialLogStd: training.useGsde ? training.logStdInit : null,
    initialLogTemperature: temperature === 'auto' ? Math.log(training.initialTemperature) : null,
    policyDelay: training.policyDelay,
    maxGradNorm: training.maxGradNorm,
    adam: { adamBeta1, adamBeta2, adamEpsilon, weightDecay },
  };
}

/** The losses over SAC's networks, once for each engine; TQC has others. */
export interface LossForms {
  readonly closedForm: ClosedFormSource;
  readonly losses: (model: ModelSpec) => Promise<TensorObjective>;
}

/** What the system is made of. */
export function sacParts(
  env: EnvDescription,
  shape: SacShape,
  forms: LossForms,
  training: ReplayPartsOptions & { readonly gsdeSampleFrequency: number },
): OffPolicyParts {
  const { size, low, high } = boundedBox(env, 'sac');
  const model = sacModel(shape);
  const isGsde = (shape.initialLogStd ?? null) !== null;
  const gsde = { kind: 'squashed-gsde', sampleFrequency: training.gsdeSampleFrequency } as const;
  return {
    model,
    objective: sacObjective(shape),
    closedForm: forms.closedForm,
    ...(isGsde ? {} : { losses: () => forms.losses(model) }),
    acting: isGsde
      ? { network: 'actor', logStd: 'logStd', distribution: { ...gsde, size, low, high } }
      : { network: 'actor', distribution: { kind: 'squashed-gaussian', size, low, high } },
    ...replayParts(env, training),
  };
}
