/** A thread's part in learning an objective. */
import type { Arena } from '../../../memory/arena.ts';
import type { ModelSpec } from '../../../policy/networks/model.ts';
import { instantiateKernels, type KernelModule } from '../../../simd/kernels.ts';
import type { ClosedFormSource, ObjectiveSpec } from '../../objective.ts';
import { kindOf, Word } from '../control.ts';
import { waitForPhase, workOnPhase } from '../phase-work.ts';
import { importClosedForm } from './import-closed-form.ts';
import { createObjectiveThread, type ObjectiveThread } from './items.ts';
import { runItem } from './phases.ts';
import type { ObjectiveLayout } from './regions.ts';
import { ObjectiveKind as Kind } from './words.ts';

/** What a helper is told when its thread starts; plain data. */
export interface ObjectiveHelperStart {
  readonly model: ModelSpec;
  readonly objective: ObjectiveSpec;
  readonly closedForm: ClosedFormSource;
  readonly layout: ObjectiveLayout;
}

/** A helper that hears nothing for this long looks again; it leaves only when it is told. */
const PATIENCE_MS = 60_000;

/** Computes work items until the learner is disposed of. Blocks the thread; waits asleep while there is nothing to do. */
export function participate(thread: ObjectiveThread): void {
  const { words } = thread.control;
  for (;;) {
    const phase = Atomics.load(words, Word.PHASE);
    if (kindOf(words, phase) === Kind.OVER) return;
    workOnPhase(thread, phase, runItem);
    waitForPhase(words, phase, PATIENCE_MS);
  }
}

/** Makes a thread ready to help. @throws EngineError `ENGINE_CLOSED_FORM` when the closed form's module cannot be used. */
export async function createObjectiveHelper(
  start: ObjectiveHelperStart,
  kernels: KernelModule,
  arena: Arena,
): Promise<{ participate(threadIndex: number): void }> {
  const open = await importClosedForm(start.closedForm, start.model);
  return {
    participate(threadIndex) {
      const instance = instantiateKernels(kernels, arena.memory);
      participate(createObjectiveThread({ ...start, open, kernels: instance, arena, threadIndex }));
    },
  };
}
