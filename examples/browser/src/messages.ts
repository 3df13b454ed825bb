/** What the page and its trainer tell each other. */
import type { ActingSpec, PolicyWeights } from '../../../browser/index.ts';
import type { AlgorithmName } from './settings.ts';

/** Page to trainer. `stepsPerSecond` bounds the speed of training; null = as fast as it goes. */
export type TrainerRequest =
  | {
      readonly kind: 'start';
      readonly algorithm: AlgorithmName;
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
  readonly weights: PolicyWeights;
  readonly isFinished: boolean;
}

/** Trainer to page. */
export type TrainerReport =
  | { readonly kind: 'ready'; readonly spec: ActingSpec; readonly numThreads: number }
  | Progress
  | { readonly kind: 'failed'; readonly message: string };
