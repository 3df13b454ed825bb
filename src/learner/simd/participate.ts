/** A rollout worker's part in learning: it lends its thread for the length of an update. */
import type { Arena } from '../../memory/arena.ts';
import type { PolicySpec } from '../../policy/policy-spec.ts';
import { instantiateKernels, type KernelModule } from '../../simd/kernels.ts';
import type { OutputGradient } from '../output-gradient.ts';
import { Kind, kindOf, Word } from './control.ts';
import { importOutputGradient } from './import-output-gradient.ts';
import { createThreadContext, type ThreadContext } from './items.ts';
import type { SimdLearnerLayout, SimdLearnerOptions } from './layout.ts';
import { waitForPhase, workOnPhase } from './phase-work.ts';
import { runItem } from './phases.ts';

/** What a helper is told when its thread starts; plain data. */
export interface SimdHelperStart {
  readonly spec: PolicySpec;
  readonly options: SimdLearnerOptions;
  readonly layout: SimdLearnerLayout;
}

export interface SimdHelper {
  /**
   * Computes work items until the update is over, then returns. Blocks the thread. May be called late, early or not at all:
   * that changes the speed of the update, not its result.
   *
   * @param threadIndex 1 .. layout.maxThreads - 1, different for every helper.
   */
  participate(threadIndex: number): void;
}

/** A helper that hears nothing for this long leaves; main notices nothing but a lost helper. */
const PATIENCE_MS = 120_000;

/** Works until the update is over. */
export function participate(context: ThreadContext): void {
  const { words } = context.control;
  for (;;) {
    const phase = Atomics.load(words, Word.PHASE);
    if (kindOf(words, phase) === Kind.OVER) return;
    workOnPhase(context, phase, runItem);
    if (!waitForPhase(words, phase, PATIENCE_MS)) return;
  }
}

/**
 * Makes a thread ready to help: imports the output gradient's module, instantiates the kernels.
 *
 * @param given in place of what the module would make: for a bundled page, where modules have no URL.
 * @throws EngineError `ENGINE_OUTPUT_GRADIENT` when the module cannot be used.
 */
export async function createSimdHelper(
  start: SimdHelperStart,
  kernelModule: KernelModule,
  arena: Arena,
  given?: OutputGradient,
): Promise<SimdHelper> {
  const outputGradient = given ?? (await importOutputGradient(start.options.outputGradient, start.spec));
  const kernels = instantiateKernels(kernelModule, arena.memory);
  const contexts = new Map<number, ThreadContext>();
  return {
    participate(threadIndex) {
      let context = contexts.get(threadIndex);
      if (context === undefined) {
        context = createThreadContext({ ...start, kernels, arena, outputGradient, threadIndex });
        contexts.set(threadIndex, context);
      }
      participate(context);
    },
  };
}
