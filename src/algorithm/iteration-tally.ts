/** What an iteration of many fragments and updates adds up to. */
import type { ObjectiveStats } from '../learner/objective-learner.ts';
import type { EpisodeSummary } from '../rollout/episode-summary.ts';
import { type MetricSums, meansOf, mergeSums } from '../rollout/metric-sums.ts';
import type { Collected } from '../rollout/runner-group.ts';
import type { Iteration } from './shell.ts';

export interface IterationTally {
  addFragment(collected: Pick<Collected, 'episodes' | 'metricSums'>): void;
  addUpdates(stats: ObjectiveStats): void;
  /** Updates since the iteration began. */
  readonly numUpdates: number;
  /** The objective's statistics averaged over the updates, as `train/<name>`, with counts of updates; finite numbers only. */
  trainMetrics(): Record<string, number>;
  /** The iteration as the shell takes it. */
  finish(numEnvSteps: number, metrics: Readonly<Partial<Record<string, number>>>): Iteration;
}

export function createIterationTally(): IterationTally {
  const episodes: EpisodeSummary[] = [];
  const envSums: MetricSums = {};
  const trainSums: Record<string, { sum: number; count: number }> = {};
  const counts = { numUpdates: 0, numSkippedUpdates: 0, numClippedUpdates: 0 };
  return {
    addFragment(collected) {
      for (const episode of collected.episodes) episodes.push(episode);
      if (collected.metricSums !== null) mergeSums(envSums, collected.metricSums);
    },
    addUpdates({ means, numUpdates, numSkipped, numClipped }) {
      counts.numUpdates += numUpdates;
      counts.numSkippedUpdates += numSkipped;
      counts.numClippedUpdates += numClipped;
      for (const name in means) {
        const mean = means[name];
        if (!Number.isFinite(mean)) continue;
        trainSums[name] ??= { sum: 0, count: 0 };
        trainSums[name].sum += mean * numUpdates;
        trainSums[name].count += numUpdates;
      }
    },
    get numUpdates() {
      return counts.numUpdates;
    },
    trainMetrics() {
      const named = (entries: Record<string, number>) =>
        Object.entries(entries).map(([name, value]) => [`train/${name}`, value] as const);
      return Object.fromEntries([...named(meansOf(trainSums)), ...named(counts)]);
    },
    finish: (numEnvSteps, metrics) => ({ numEnvSteps, episodes, envMetrics: meansOf(envSums), metrics }),
  };
}
