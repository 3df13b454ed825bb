/** What the page and its trainer tell each other. */
import type { ActingSpec, PolicyWeights } from '../../../browser/index.ts';
import type { AlgorithmName } from './settings.ts';

/** Page to trainer. `stepsPerSecond` bounds the speed of training; null = as fast as it goes. */
export type TrainerRequest =
  | {
      readonly kind: 'start';
      readonly algorithm: AlgorithmName;
      /** null = goes on from the training that was saved, with its seed. */
      readonly seed: number | null;
      readonly numThreads: number;
      readonly stepsPerSecond: number | null;
    }
  | { readonly kind: 'pace'; readonly stepsPerSecond: number | null }
  | { readonly kind: 'save' };

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
  readonly weights: PolicyWeights;
  readonly isFinished: boolean;
}

/** Trainer to page. */
export type TrainerReport =
  | {
      readonly kind: 'ready';
      readonly spec: ActingSpec;
      readonly numThreads: number;
      readonly seed: number;
      /** Where it begins: behind 0 for one that was saved. */
      readonly numEnvSteps: number;
    }
  /** `message` is null, or why it was not. */
  | { readonly kind: 'saved'; readonly numEnvSteps: number; readonly message: string | null }
  | Progress
  | { readonly kind: 'failed'; readonly message: string };
