/** The learner that an engine choice stands for, in two steps: reserve its place in the arena, then make it. */
import { availableParallelism } from 'node:os';
import { numLocalRunnersOf } from '../config/derived.ts';
import { ConfigError } from '../errors.ts';
import type { Learner } from '../learner/learner.ts';
import type { OutputGradientSource } from '../learner/output-gradient.ts';
import { reserveSimdLearner } from '../learner/simd/layout.ts';
import { createSimdLearner } from '../learner/simd/learner.ts';
import type { SimdHelperStart } from '../learner/simd/participate.ts';
import type { ThreadTeam } from '../learner/simd/thread-team.ts';
import type { TensorFlowPolicy } from '../learner/tensorflow/central-policy.ts';
import type { TensorLoss } from '../learner/tensorflow/tensor-loss.ts';
import type { Arena, ArenaPlanner } from '../memory/arena.ts';
import { prepareImport } from '../modules/import-module.ts';
import { initializeParameters } from '../policy/initialize.ts';
import type { PolicySpec } from '../policy/policy-spec.ts';
import { openStream, type Stream } from '../random/streams.ts';
import type { KernelModule } from '../simd/kernels.ts';
import type { EngineChoice } from './engine-choice.ts';
import { momentsOf, type OnPolicyConfig, sequencesOf } from './on-policy-config.ts';

/** An algorithm's loss, once for each engine. */
export interface LossParts {
  /** Closed form at the network's outputs; SIMD engine. */
  readonly outputGradient: OutputGradientSource;
  /** In tfjs operations; TensorFlow engine. Left out: the algorithm runs on the SIMD engine alone. */
  readonly tensorLoss?: (spec: PolicySpec) => Promise<TensorLoss>;
}

/** The largest update that will be asked for: memory is reserved for it. */
export interface PlanBounds {
  readonly numEpochs: number;
  /** Samples; at most those of a rollout. */
  readonly minibatchSize: number;
}

/** Where one of several policies learns: its own rollout, and its own beginning. */
export interface LearnerPlace {
  /** N * T of its rollouts. */
  readonly numSamples: number;
  /** Draws the first weights. */
  readonly initial: Stream;
  /** Threads that help the main one. */
  readonly numHelpers: number;
}

function onlyPolicy(config: OnPolicyConfig): LearnerPlace {
  const { envRunners, debugging } = config;
  return {
    numSamples: envRunners.numEnvs * envRunners.rolloutLength,
    initial: openStream(debugging.seed, 'initialize'),
    numHelpers: numHelpersOf(config),
  };
}

/** A learner whose place in the arena is reserved. */
export interface ReservedLearner {
  readonly parameterCount: number;
  /** For central inference; null with the SIMD engine. */
  readonly central: TensorFlowPolicy | null;
  /** What rollout workers need to lend their threads; null = they cannot help. */
  readonly helper: SimdHelperStart | null;
  create(arena: Arena, kernels: KernelModule, team: ThreadTeam | null): Promise<Learner>;
}

export async function reserveLearner(
  planner: ArenaPlanner,
  config: OnPolicyConfig,
  spec: PolicySpec,
  choice: EngineChoice,
  loss: LossParts,
  bounds: PlanBounds,
): Promise<ReservedLearner> {
  if (choice.engine === 'tensorflow') return reserveTensorFlow(config, spec, choice, loss);
  return reserveSimd(planner, config, spec, loss, bounds);
}

/** Threads that learn: the main one and, with `auto`, as many rollout workers as there are further cores. */
export function numHelpersOf(config: OnPolicyConfig): number {
  const { numLearnerThreads } = config.learners;
  const numThreads = numLearnerThreads === 'auto' ? availableParallelism() : numLearnerThreads;
  return Math.min(numThreads - 1, numLocalRunnersOf(config));
}

/** The SIMD engine's learner. */
export function reserveSimd(
  planner: ArenaPlanner,
  config: OnPolicyConfig,
  spec: PolicySpec,
  loss: LossParts,
  bounds: PlanBounds,
  { numSamples, initial, numHelpers }: LearnerPlace = onlyPolicy(config),
): ReservedLearner {
  const { training } = config;
  const moments = momentsOf(config);
  const options = {
    maxGradNorm: training.maxGradNorm,
    adamBeta1: moments.beta1,
    adamBeta2: moments.beta2,
    adamEpsilon: moments.epsilon,
    correctsBias: moments.correctsBias,
    maxEpochs: bounds.numEpochs,
    maxMinibatchSize: bounds.minibatchSize,
    outputGradient: loss.outputGradient,
    ...sequencesOf(config),
  };
  const layout = reserveSimdLearner(planner, spec, options, numSamples, 1 + numHelpers);
  return {
    parameterCount: layout.parameterCount,
    central: null,
    helper: numHelpers > 0 ? { spec, options, layout } : null,
    async create(arena, kernels, team) {
      await prepareImport(loss.outputGradient.module);
      const learner = await createSimdLearner({ arena, kernels, spec, options, layout, team });
      learner.writeParameters(initializeParameters(spec, learner.layout, initial));
      return learner;
    },
  };
}

/** The TensorFlow learner needs no place in the arena. */
async function reserveTensorFlow(
  config: OnPolicyConfig,
  spec: PolicySpec,
  choice: Extract<EngineChoice, { engine: 'tensorflow' }>,
  { tensorLoss }: LossParts,
): Promise<ReservedLearner> {
  const { training, learners, debugging } = config;
  if (tensorLoss === undefined) {
    throw new ConfigError(
      'CONFIG_ENGINE',
      "This algorithm has no loss for the TensorFlow engine. Set engine: 'simd' and network: 'mlp', or leave both out.",
    );
  }
  const { createTensorFlowLearner } = await import('../learner/tensorflow/learner.ts');
  const learner = await createTensorFlowLearner({
    tensorflow: choice.tensorflow,
    spec,
    loss: await tensorLoss(spec),
    initial: openStream(debugging.seed, 'initialize'),
    adam: momentsOf(config),
    maxGradNorm: training.maxGradNorm,
    capture: learners.captureGraph,
    ...sequencesOf(config),
  });
  const { policy: central, layout } = learner;
  return { parameterCount: layout.size, central, helper: null, create: async () => learner };
}
