/** An objective on the SIMD engine with a batch in its arena: the gradient of one step, and a learner. */
import type { ClosedFormSource, ObjectiveSpec, OpenObjective } from '../../src/learner/objective.ts';
import type { ObjectiveBatch } from '../../src/learner/objective-learner.ts';
import { createObjectiveThread, numShares } from '../../src/learner/simd/objective/items.ts';
import { planBlocks, reserveObjective } from '../../src/learner/simd/objective/layout.ts';
import {
  createSimdObjectiveLearner,
  type SimdObjectiveSetup,
} from '../../src/learner/simd/objective/learner.ts';
import type { ObjectiveHelperStart } from '../../src/learner/simd/objective/participate.ts';
import { createPerturbation } from '../../src/learner/simd/objective/perturbation.ts';
import { ObjectiveWord as Word } from '../../src/learner/simd/objective/words.ts';
import { createArena, createArenaPlanner } from '../../src/memory/arena.ts';
import { type ModelSpec, modelLayout } from '../../src/policy/networks/model.ts';
import { openStream, type Stream } from '../../src/random/streams.ts';
import { instantiateKernels, loadKernels } from '../../src/simd/loader.ts';
import { createJobThreads, type JobThreads } from '../../src/threads/job-threads.ts';

export type Columns = Readonly<Record<string, readonly number[]>>;

/** Parameters of about 0.3 in every tensor, zero in the padding. */
export function randomModelParameters(model: ModelSpec, stream: Stream, scale = 0.3): Float32Array {
  const layout = modelLayout(model);
  const parameters = new Float32Array(layout.size);
  for (const { name, offset, size } of layout.entries) {
    const base = name.endsWith('/gain') ? 1 : 0;
    for (let k = offset; k < offset + size; k++) parameters[k] = base + scale * stream.normal();
  }
  return parameters;
}

export async function openFixture(
  model: ModelSpec,
  objective: ObjectiveSpec,
  open: OpenObjective,
  batchSize: number,
  helpers: { readonly numHelpers: number; readonly closedForm: ClosedFormSource } | null = null,
) {
  const module = await loadKernels();
  const planner = createArenaPlanner();
  const numThreads = 1 + (helpers?.numHelpers ?? 0);
  const layout = reserveObjective(planner, model, objective, open, batchSize, numThreads);
  const arena = createArena(planner);
  const setup = { arena, kernels: module, model, objective, open, layout };
  const team = helpers === null ? null : startHelpers(helpers, setup);
  const learner = createSimdObjectiveLearner({ ...setup, team });
  const kernels = instantiateKernels(module, arena.memory);
  const thread = createObjectiveThread({ ...setup, kernels, threadIndex: 0 });
  const perturb = createPerturbation(model, layout, kernels, arena.buffer);
  /** Columns, and factors of noises. */
  const fill = (columns: Columns, batch: Pick<ObjectiveBatch, 'columns' | 'noises'>) => {
    for (const { name } of objective.columns) batch.columns[name].set(columns[name]);
    for (const name in batch.noises) batch.noises[name].set(columns[name]);
  };
  return {
    learner,
    layout,
    fill,
    /** The gradient of step `step` over the batch, f32 [trainedSize]; nothing is stepped. */
    gradient(step: number, columns: Columns, scalars: Readonly<Record<string, number>>): Float32Array {
      const { words, scalars: shared } = thread.control;
      const arrays = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };
      for (const { name, dtype, size, address } of layout.columns)
        new arrays[dtype](arena.buffer as ArrayBuffer, address, batchSize * size).set(columns[name]);
      for (const { name, factors } of layout.noises)
        new Float32Array(arena.buffer as ArrayBuffer, factors, columns[name].length).set(columns[name]);
      perturb();
      shared.set(objective.scalars.map((name) => scalars[name]));
      words[Word.NUM_THREADS] = 1;
      words[Word.NUM_ROWS] = batchSize;
      words[Word.IS_NORMALIZED] = 0;
      phase += 2;
      for (let item = 0; item < planBlocks(batchSize, objective).numGroups; item++)
        thread.gradient(step, item, phase);
      const shares = numShares(thread.work[step].slices.length, words);
      for (let share = 0; share < shares; share++) thread.reduce(step, share);
      return thread.summedGradient.slice();
    },
  };
}

let phase = 0;

function startHelpers(
  { numHelpers, closedForm }: { readonly numHelpers: number; readonly closedForm: ClosedFormSource },
  { arena, kernels, model, objective, layout }: Omit<SimdObjectiveSetup, 'open'>,
): JobThreads {
  const start: ObjectiveHelperStart = { model, objective, closedForm, layout };
  const source = { module: HELPER, export: 'createObjectiveHelper', start };
  return createJobThreads(numHelpers, source, kernels, arena);
}

const HELPER = new URL('../../src/learner/simd/objective/participate.ts', import.meta.url).href;

/** Normal numbers [rows * size], always the same for a name. */
export function normals(name: string, count: number, scale = 1): number[] {
  const stream = openStream(7, 'fixture', name);
  return Array.from({ length: count }, () => Math.fround(scale * stream.normal()));
}
