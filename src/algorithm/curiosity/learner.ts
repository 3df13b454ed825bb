/** The learner of curiosity's networks: an objective of its own beside the policy's, in memory of its own. */
import type { curiosityOptions } from '../../config/blocks/curiosity.ts';
import type { learnersOptions } from '../../config/blocks/learners.ts';
import type { ResolvedSection } from '../../config/option.ts';
import { describeSpace } from '../../env/space-json.ts';
import { ConfigError } from '../../errors.ts';
import type { ObjectiveLearner } from '../../learner/objective-learner.ts';
import { createArena, createArenaPlanner } from '../../memory/arena.ts';
import { orthogonalMatrix } from '../../policy/initialize.ts';
import { type ModelSpec, modelLayout } from '../../policy/networks/model.ts';
import { openStream, type Stream } from '../../random/streams.ts';
import { reserveObjectiveLearner } from '../create-objective-learner.ts';
import type { LooseOnPolicyConfig } from '../on-policy-config.ts';
import type { OnPolicySystem } from '../on-policy-system.ts';
import { type Bonus, type CuriosityShape, curiosityModel, curiosityObjective } from './model.ts';
import { actionCode } from './samples.ts';
import { isCountable } from './visit-counts.ts';

export type CuriositySystem = Pick<OnPolicySystem, 'spec' | 'observationSpace' | 'choice'> & {
  readonly memory: Pick<OnPolicySystem['memory'], 'kernels'>;
};

/** What is judged, and for whom. */
export interface BonusPlan {
  readonly bonus: Bonus;
  readonly numRows: number; // N
  readonly rolloutLength: number; // T
  /** Rows of its minibatches. */
  readonly batchSize: number;
  /** Among several agents, its name; null = there is one policy. */
  readonly policy: string | null;
}

export type CuriosityConfig = Pick<LooseOnPolicyConfig, 'envRunners' | 'faultTolerance' | 'debugging'> & {
  readonly training: LooseOnPolicyConfig['training'] & ResolvedSection<typeof curiosityOptions>;
  readonly learners: Pick<ResolvedSection<typeof learnersOptions>, 'captureGraph'> & {
    readonly numLearnerThreads?: number | 'auto';
  };
};

const IS_SOURCE = import.meta.url.endsWith('.ts');
const GRADIENT = new URL(IS_SOURCE ? './gradient.ts' : './gradient.js', import.meta.url).href;

/** @throws ConfigError `CONFIG_CURIOSITY` for counts of what is no discrete observation. */
export async function createCuriosityLearner(
  { spec, observationSpace, choice, memory }: CuriositySystem,
  config: CuriosityConfig,
  { bonus, batchSize, policy }: BonusPlan,
): Promise<ObjectiveLearner> {
  if (bonus === 'count' && !isCountable(observationSpace)) {
    throw new ConfigError(
      'CONFIG_CURIOSITY',
      `curiosity (count) counts discrete observations (Discrete, MultiDiscrete, MultiBinary), got ${describeSpace(observationSpace)}. Use curiosity: 'rnd'.`,
    );
  }
  const shape = shapeOf(spec, config, bonus);
  const model = curiosityModel(shape);
  const { numLearnerThreads = 1, captureGraph } = config.learners;
  const planner = createArenaPlanner();
  const reserved = await reserveObjectiveLearner(
    planner,
    {
      model,
      objective: curiosityObjective(shape),
      closedForm: {
        module: GRADIENT,
        export: 'createCuriosityGradient',
        options: { bonus, sizes: [...shape.actions.sizes], numNumbers: shape.actions.numNumbers },
      },
      losses: async () => (await import('./loss.ts')).createCuriosityLoss(bonus, shape.actions),
      batchSize,
    },
    { choice, numLearnerThreads, captureGraph, spec: null },
  );
  const learner = await reserved.create(createArena(planner), memory.kernels);
  learner.writeParameters(firstWeights(model, config.debugging.seed, policy));
  return learner;
}

/** What a model begins with: a function of the master seed and of whose it is; null = there is one policy. */
export function firstWeights(model: ModelSpec, seed: number, policy: string | null): Float32Array {
  return initialize(model, openStream(seed, 'initialize', 'curiosity', ...(policy === null ? [] : [policy])));
}

function shapeOf(spec: CuriositySystem['spec'], { training }: CuriosityConfig, bonus: Bonus): CuriosityShape {
  const { curiosityHiddenSizes: hiddenSizes, curiosityFeatures, maxGradNorm } = training;
  const { adamBeta1, adamBeta2, adamEpsilon } = training;
  const { network, observationSize: size, observationDtype: dtype, observationShape } = spec;
  const activation = 'leaky-relu' as const;
  return {
    bonus,
    observation: {
      size,
      dtype,
      shape: network.kind === 'conv' ? observationShape : [size],
      isNormalized: true,
    },
    trunk:
      network.kind === 'conv'
        ? { kind: 'conv', layers: network.layers, hiddenSizes, activation }
        : { kind: 'mlp', hiddenSizes, activation, layerNorm: false },
    numFeatures: curiosityFeatures,
    actions: actionCode(spec.distribution),
    maxGradNorm,
    adam: { adamBeta1, adamBeta2, adamEpsilon },
  };
}

/** Orthogonal kernels of gain sqrt(2), biases 0, as the policy's: a random network whose outputs differ as much as its inputs do. */
function initialize(model: ModelSpec, stream: Stream): Float32Array {
  const { entries, size } = modelLayout(model);
  const parameters = new Float32Array(size);
  for (const { name, shape, offset, size: length } of entries) {
    if (!name.endsWith('/kernel')) continue;
    const numOutputs = shape[shape.length - 1];
    const gain = name === 'value/head/kernel' ? 1 : Math.SQRT2;
    parameters.set(orthogonalMatrix(length / numOutputs, numOutputs, gain, stream), offset);
  }
  return parameters;
}
