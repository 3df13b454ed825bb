/** What a closed form sees of one thread: its columns, buffers and passes, over scratch in the arena. */
import { type ModelLayout, type ModelSpec, modelLayout } from '../../../policy/networks/model.ts';
import type { Kernels } from '../../../simd/kernel-exports.ts';
import {
  type FreeView,
  maxBlockRows,
  type ObjectiveSpec,
  type OpenObjective,
  type RowSpace,
  type RunStep,
  statNames,
} from '../../objective.ts';
import { createThreadColumns, type ThreadColumns } from './columns.ts';
import { createPacking, type Packing } from './packing.ts';
import { createPasses } from './passes.ts';
import type { ObjectiveLayout } from './regions.ts';
import { createQuantileLoss, createSoftmax } from './row-kernels.ts';
import { createSquashedRows } from './squashed-rows.ts';
import { createThreadJob, type ThreadJob } from './thread-job.ts';
import { createThreadScratch, type ThreadScratch } from './thread-scratch.ts';

/** Where a thread's memory lies, and what runs on it. */
export interface ThreadMemory {
  readonly buffer: ArrayBufferLike;
  readonly kernels: Kernels;
  readonly layout: ObjectiveLayout;
  readonly scalars: Float32Array;
  /** First byte of the thread's scratch. */
  readonly base: number;
}

/** One thread's rows. Set `job`, call `load`, then the step's function. */
export interface ThreadRows {
  readonly job: ThreadJob;
  readonly steps: readonly RunStep[];
  readonly stats: Float64Array;
  readonly free: ReadonlyMap<string, FreeView>;
  /** Noises of the passes that have a gradient of their parameters. */
  readonly noisyGradients: readonly string[];
  /** Networks to whose parameters' gradient more than one pass adds. */
  readonly sharedGradients: readonly string[];
  /** f32 [rows of the largest block] each, in the objective's order. */
  readonly rowOutputs: readonly Float32Array[];
  /** Copies the block's rows and clears what the closed form adds to. */
  load(): void;
}

/** Bytes of arena that one learning thread needs. */
export function measureScratch(model: ModelSpec, objective: ObjectiveSpec, open: OpenObjective): number {
  const scratch = createThreadScratch(null, 0, maxBlockRows(objective));
  openRows(model, objective, open, scratch, null);
  return scratch.byteLength;
}

/** Opens the closed form for one thread. @throws TypeError where it does not fit the model or its own description. */
export function createThreadRows(
  model: ModelSpec,
  objective: ObjectiveSpec,
  open: OpenObjective,
  memory: ThreadMemory,
): ThreadRows {
  return openRows(
    model,
    objective,
    open,
    createThreadScratch(memory.buffer, memory.base, maxBlockRows(objective)),
    memory,
  );
}

function openRows(
  model: ModelSpec,
  objective: ObjectiveSpec,
  open: OpenObjective,
  scratch: ThreadScratch,
  memory: ThreadMemory | null,
): ThreadRows {
  const kernels = memory?.kernels ?? null;
  const layout = memory?.layout ?? null;
  const parameterLayout = modelLayout(model);
  const job = createThreadJob();
  const columns = createThreadColumns(objective, layout, kernels, scratch, job);
  const packing = createPacking(model, objective, layout, kernels, scratch, job);
  const { pass, noisyGradients, sharedGradients } = createPasses(
    { model, objective, layout: parameterLayout },
    ...([layout, kernels, { packing, columns }, scratch, job] as const),
  );
  const rowOutputs = objective.rowOutputs.map(() => new Float32Array(scratch.blockRows));
  const stats = new Float64Array(statNames(objective).length);
  const free = openFree(model, parameterLayout, layout, scratch);
  const scalars = memory?.scalars ?? new Float32Array(objective.scalars.length);
  const steps = open({
    ...openNames(objective, { columns, rowOutputs, free, scalars }),
    ...openRowKernels(kernels, packing, scratch),
    sequences: objective.sequences ?? null,
    stats,
    pass,
  });
  if (steps.length !== objective.steps.length)
    throw new TypeError(
      `Expected ${objective.steps.length} steps from the closed form, got ${steps.length}.`,
    );
  const gradients = [...free.values()].map(({ gradient }) => gradient);
  return {
    job,
    steps,
    stats,
    free,
    noisyGradients,
    sharedGradients,
    rowOutputs,
    load() {
      stats.fill(0);
      for (const gradient of gradients) gradient.fill(0);
      columns.load();
    },
  };
}

/** Free parameters by name: the learner's own, and this thread's gradients. */
function openFree(
  model: ModelSpec,
  { entries }: ModelLayout,
  layout: ObjectiveLayout | null,
  scratch: ThreadScratch,
): Map<string, FreeView> {
  return new Map(
    Object.keys(model.free).map((name): [string, FreeView] => {
      const entry = entries.find((candidate) => candidate.name === name);
      const { offset, size } = entry ?? { offset: 0, size: 0 };
      const values = scratch.floats((layout?.parameters ?? 0) + 4 * offset, size);
      return [name, { values, gradient: new Float64Array(size) }];
    }),
  );
}

interface Named {
  readonly columns: ThreadColumns;
  readonly rowOutputs: readonly Float32Array[];
  readonly free: ReadonlyMap<string, FreeView>;
  readonly scalars: Float32Array;
}

/** What a closed form asks for by name. */
function openNames(objective: ObjectiveSpec, { columns, rowOutputs, free, scalars }: Named) {
  return {
    column: (name) => columns.open(name, 'float32') as Float32Array,
    integers: (name) => columns.open(name, 'int32') as Int32Array,
    bytes: (name) => columns.open(name, 'uint8') as Uint8Array,
    rowOutput: (name) => named(rowOutputs[objective.rowOutputs.indexOf(name)], 'row output', name),
    scalar(name) {
      const index = objective.scalars.indexOf(name);
      named(scalars[index], 'scalars', name);
      return () => scalars[index];
    },
    free: (name) => named(free.get(name), 'free parameters', name),
  } satisfies Partial<RowSpace>;
}

/** Buffers, and the kernels over them and over passes' outputs. */
function openRowKernels(kernels: Kernels | null, packing: Packing, scratch: ThreadScratch) {
  const buffer = (size: number) => {
    const address = scratch.take(4 * scratch.blockRows * size + 64);
    const array = scratch.floats(address, scratch.blockRows * size);
    packing.registerBuffer(array, address, size);
    return array;
  };
  return {
    buffer,
    squashedGaussian: (policy, noise) =>
      createSquashedRows(policy, noise, buffer(noise.length / scratch.blockRows), kernels, scratch),
    quantileLoss: (of) => createQuantileLoss(of, kernels, scratch),
    softmax: (of) => createSoftmax(of, kernels, scratch),
  } satisfies Partial<RowSpace>;
}

function named<T>(value: T | undefined, what: string, name: string): T {
  if (value === undefined) throw new TypeError(`Expected a name of the objective's ${what}, got ${name}.`);
  return value;
}
