/** What the page and its workers tell each other. */
import type { SimdHelperStart } from '../../../src/learner/simd/participate.ts';
import type { WasmMemory } from '../../../src/memory/web-assembly.ts';
import type { PolicySpec } from '../../../src/policy/policy-spec.ts';
import type { KernelModule } from '../../../src/simd/kernels.ts';

/** Page to trainer. `stepsPerSecond` bounds the speed of training; null = as fast as it goes. */
export type TrainerRequest =
  | {
      readonly kind: 'start';
      readonly seed: number;
      readonly numThreads: number;
      readonly stepsPerSecond: number | null;
    }
  | { readonly kind: 'pace'; readonly stepsPerSecond: number | null };

export interface EpisodeEnd {
  /** Environment steps of the whole run at the end of the rollout in which the episode ended. */
  readonly numEnvSteps: number;
  readonly episodeReturn: number;
  /** Mean of the last 20 returns, this one included; null while there are fewer. */
  readonly mean: number | null;
}

export interface Progress {
  readonly kind: 'progress';
  readonly numEnvSteps: number;
  readonly numEpisodes: number;
  /** Since the first step. */
  readonly seconds: number;
  /** Over the last second; over the whole run once it is finished. */
  readonly stepsPerSecond: number;
  /** Seconds after which the mean first passed 195; null = not yet. */
  readonly solvedSeconds: number | null;
  readonly ends: readonly EpisodeEnd[];
  readonly parameters: Float32Array; // [parameters] f32
  readonly isFinished: boolean;
}

/** Trainer to page. */
export type TrainerReport =
  | { readonly kind: 'ready'; readonly spec: PolicySpec; readonly numThreads: number }
  | Progress
  | { readonly kind: 'failed'; readonly message: string };

/** Trainer to helper; all of it lies in, or is about, the shared memory. */
export interface HelperStart {
  readonly start: SimdHelperStart;
  readonly kernels: KernelModule;
  readonly memory: WasmMemory;
  /** 1 and up: the trainer is thread 0. */
  readonly threadIndex: number;
  /** Address of the team's words, see thread-team.ts. */
  readonly teamAddress: number;
}
