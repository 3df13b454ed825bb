/** The learner of an objective that an engine choice stands for, in two steps: reserve its place in the arena, then make it. */
import { availableParallelism } from 'node:os';
import { ConfigError } from '../errors.ts';
import { hasDropout } from '../learner/dropout.ts';
import type { ClosedFormSource, ObjectiveSpec } from '../learner/objective.ts';
import type { ObjectiveLearner } from '../learner/objective-learner.ts';
import { importClosedForm } from '../learner/simd/objective/import-closed-form.ts';
import { reserveObjective } from '../learner/simd/objective/layout.ts';
import { createSimdObjectiveLearner } from '../learner/simd/objective/learner.ts';
import type { ObjectiveHelperStart } from '../learner/simd/objective/participate.ts';
import type { LoadedTensorFlow } from '../learner/tensorflow/backend.ts';
import type { TensorFlowPolicy } from '../learner/tensorflow/central-policy.ts';
import type { TensorObjective } from '../learner/tensorflow/objective/tensor-objective.ts';
import type { Arena, ArenaPlanner } from '../memory/arena.ts';
import { prepareImport } from '../modules/import-module.ts';
import { type ModelSpec, modelLayout } from '../policy/networks/model.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import type { KernelModule } from '../simd/kernels.ts';
import { threadEntryUrl } from '../threads/exec-argv.ts';
import { createJobThreads } from '../threads/job-threads.ts';
import type { EngineChoice } from './engine-choice.ts';

/** What is learnt, once for each engine. */
export interface ObjectiveParts {
  readonly model: ModelSpec;
  readonly objective: ObjectiveSpec;
  /** Closed form at the networks' outputs; SIMD engine. */
  readonly closedForm: ClosedFormSource;
  /** In tfjs operations; TensorFlow engine. Absent = this algorithm does not run there. */
  readonly losses?: () => Promise<TensorObjective>;
  /** Rows of the largest batch. */
  readonly batchSize: number;
}

export interface ObjectiveLearnerOptions {
  readonly choice: EngineChoice;
  readonly numLearnerThreads: number | 'auto';
  readonly captureGraph: boolean;
  /** What acts: by central inference where the kernels do not cover its network; null = nothing of the model acts. */
  readonly spec: ActingSpec | null;
}

export interface ReservedObjectiveLearner {
  /** For central inference; null with the SIMD engine. */
  readonly central: TensorFlowPolicy | null;
  /** Parameters and moments are zero at first. */
  create(arena: Arena, kernels: KernelModule): Promise<ObjectiveLearner>;
}

/** An update that is smaller than this for each thread is over before helpers have woken. In floating-point operations. */
const FLOPS_PER_THREAD = 8e6;

/** Threads that learn; with `auto` as many as there are cores and as the work of one update is worth. */
export function numLearnerThreadsOf(
  { model, batchSize }: Pick<ObjectiveParts, 'model' | 'batchSize'>,
  numLearnerThreads: number | 'auto',
  numCores = availableParallelism(),
): number {
  if (numLearnerThreads !== 'auto') return numLearnerThreads;
  const flops = 6 * batchSize * modelLayout(model).trainedSize; // forward, both ways back
  return Math.max(1, Math.min(numCores, Math.floor(flops / FLOPS_PER_THREAD)));
}

/** Whether no other engine learns this: there are no losses for it, or networks that it does not know: with dropout, or recurrent cells. */
export function isSimdOnly({ model, losses }: Pick<ObjectiveParts, 'model' | 'losses'>): boolean {
  return losses === undefined || needsKernels(model);
}

const needsKernels = ({ networks }: ModelSpec): boolean =>
  Object.values(networks).some(
    ({ trunk }) => hasDropout(trunk) || (trunk.kind === 'mlp' && trunk.cell !== undefined),
  );

/** @throws ConfigError `CONFIG_ENGINE` where the algorithm has no losses for TensorFlow; EngineError `ENGINE_CLOSED_FORM`. */
export async function reserveObjectiveLearner(
  planner: ArenaPlanner,
  parts: ObjectiveParts,
  options: ObjectiveLearnerOptions,
): Promise<ReservedObjectiveLearner> {
  const { choice } = options;
  return choice.engine === 'tensorflow'
    ? reserveTensorFlow(parts, choice, options)
    : reserveSimd(planner, parts, options);
}

/** The TensorFlow learner needs no place in the arena. */
async function reserveTensorFlow(
  { model, objective, losses, batchSize }: ObjectiveParts,
  { tensorflow, reason }: Extract<EngineChoice, { engine: 'tensorflow' }>,
  { captureGraph: capture, spec }: ObjectiveLearnerOptions,
): Promise<ReservedObjectiveLearner> {
  if (losses === undefined || needsKernels(model)) {
    throw new ConfigError(
      'CONFIG_ENGINE',
      `This algorithm learns on the simd engine alone, and tensorflow was chosen (${reason}). Use network: 'mlp' and leave \`engine\` and \`backend\` out.`,
    );
  }
  const { createTensorObjectiveLearner } = await import('../learner/tensorflow/objective/learner.ts');
  const setup = { tensorflow, model, objective, losses: await losses(), maxBatchSize: batchSize, capture };
  const central = spec === null ? null : await openCentralPolicy(tensorflow, spec, capture);
  return { central, create: async () => createTensorObjectiveLearner(setup) };
}

async function openCentralPolicy(
  tensorflow: LoadedTensorFlow,
  spec: ActingSpec,
  capture: boolean,
): Promise<TensorFlowPolicy> {
  const { createTensorNetwork } = await import('../policy/tensor-network.ts');
  const { createTensorFlowPolicy } = await import('../learner/tensorflow/central-policy.ts');
  const network = createTensorNetwork(tensorflow.tf, spec);
  const parameters = new Float32Array(network.layout.size);
  return createTensorFlowPolicy({ tensorflow, spec, network, parameters, capture });
}

async function reserveSimd(
  planner: ArenaPlanner,
  parts: ObjectiveParts,
  { numLearnerThreads }: ObjectiveLearnerOptions,
): Promise<ReservedObjectiveLearner> {
  const { model, objective, closedForm, batchSize } = parts;
  const numThreads = numLearnerThreadsOf(parts, numLearnerThreads);
  await prepareImport(closedForm.module);
  const open = await importClosedForm(closedForm, model);
  const layout = reserveObjective(planner, model, objective, open, batchSize, numThreads);
  const helper: ObjectiveHelperStart = { model, objective, closedForm, layout };
  return {
    central: null,
    async create(arena, kernels) {
      const module = threadEntryUrl('../learner/simd/objective/participate', import.meta.url);
      const imports = [closedForm.module];
      const source = { module, export: 'createObjectiveHelper', imports, start: helper };
      const team = numThreads > 1 ? createJobThreads(numThreads - 1, source, kernels, arena) : null;
      return createSimdObjectiveLearner({ arena, kernels, model, objective, open, layout, team });
    },
  };
}
