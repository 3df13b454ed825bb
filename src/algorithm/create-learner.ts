/** The learner that an engine choice stands for, in two steps: reserve its place in the arena, then make it. */
import { EngineError } from '../errors.ts';
import type { Learner } from '../learner/learner.ts';
import type { OutputGradientSource } from '../learner/output-gradient.ts';
import type { TensorFlowPolicy } from '../learner/tensorflow/central-policy.ts';
import type { TensorLoss } from '../learner/tensorflow/tensor-loss.ts';
import type { Arena, ArenaPlanner } from '../memory/arena.ts';
import type { PolicySpec } from '../policy/policy-spec.ts';
import { openStream } from '../random/streams.ts';
import type { WorkerTeam } from '../rollout/worker-team.ts';
import type { KernelModule } from '../simd/kernels.ts';
import type { EngineChoice } from './engine-choice.ts';
import type { OnPolicyConfig } from './on-policy-system.ts';

/** An algorithm's loss, once for each engine. */
export interface LossParts {
  /** Closed form at the network's outputs; SIMD engine. */
  readonly outputGradient: OutputGradientSource;
  /** In tfjs operations; TensorFlow engine. */
  readonly tensorLoss: (spec: PolicySpec) => Promise<TensorLoss>;
}

export interface MadeLearner {
  readonly learner: Learner;
  /** For central inference; null with the SIMD engine. */
  readonly central: TensorFlowPolicy | null;
  readonly helper: null;
}

export interface ReservedLearner {
  readonly parameterCount: number;
  create(arena: Arena, kernels: KernelModule): Promise<MadeLearner>;
  /** Lets the learner borrow the rollout workers' threads. */
  lend(team: WorkerTeam): void;
}

export async function reserveLearner(
  _planner: ArenaPlanner,
  config: OnPolicyConfig,
  spec: PolicySpec,
  choice: EngineChoice,
  loss: LossParts,
): Promise<ReservedLearner> {
  if (choice.engine === 'tensorflow') return reserveTensorFlow(config, spec, choice, loss);
  throw new EngineError('ENGINE_SIMD', 'not yet');
}

/** The TensorFlow learner needs no place in the arena. */
async function reserveTensorFlow(
  { training, debugging }: OnPolicyConfig,
  spec: PolicySpec,
  choice: Extract<EngineChoice, { engine: 'tensorflow' }>,
  loss: LossParts,
): Promise<ReservedLearner> {
  const { createTensorFlowLearner } = await import('../learner/tensorflow/learner.ts');
  const learner = await createTensorFlowLearner({
    tensorflow: choice.tensorflow,
    spec,
    loss: await loss.tensorLoss(spec),
    initial: openStream(debugging.seed, 'initialize'),
    adam: { beta1: training.adamBeta1, beta2: training.adamBeta2, epsilon: training.adamEpsilon },
    maxGradNorm: training.maxGradNorm,
  });
  return {
    parameterCount: learner.layout.size,
    create: async () => ({ learner, central: learner.policy, helper: null }),
    lend: () => undefined,
  };
}
