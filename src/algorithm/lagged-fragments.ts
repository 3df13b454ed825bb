/** Fragments whose weights are a fixed number of versions old: the same ones whatever the threads do. */
import type { RolloutViews } from '../experience/layout.ts';
import { endedEpisodes } from '../rollout/episode-ledger.ts';
import { type MetricSums, meansOf, mergeSums } from '../rollout/metric-sums.ts';
import type { Collected, RunnerGroup } from '../rollout/runner-group.ts';
import { nextTurn } from '../threads/next-turn.ts';
import type { FragmentStream } from './fragment-stream.ts';

/** P = what a part tells of its rows, C = a whole fragment. */
export interface LaggedFragmentsOptions<P, C extends object> {
  readonly publish: () => number;
  readonly runners: Pick<RunnerGroup, 'parts' | 'regroup'> & {
    collectPart(part: number, set: number, version: number): Promise<P>;
  };
  readonly numSets: number;
  /** The fragment in a block set, from its parts, which are in order. */
  readonly join: (set: number, parts: readonly P[]) => C;
  /** Versions, from 0. Block sets must be at least lag + 1, and one more for each fragment that the caller keeps; versions lag + 2. */
  readonly lag: number;
}

/** How long the event loop may stand still where everything runs in one thread. */
const TURN_MS = 20;

/**
 * Fragment i of an iteration is collected with the weights after max(0, i - lag) of its updates, i = 0, 1, ...: the workers are up to
 * `lag` fragments ahead of the learner, each at its own pace. An iteration begins with the newest weights and ends with nothing in
 * flight, so that a checkpoint between two holds no half fragment.
 *
 * Thread: main.
 */
export function createLaggedFragments<P, C extends object>({
  publish,
  runners,
  numSets,
  join,
  lag,
}: LaggedFragmentsOptions<P, C>): FragmentStream<C> {
  const { parts } = runners;
  const pending: Promise<C>[] = [];
  let numFragments = 0;
  let numGiven = 0;
  let numTaken = 0;
  let hasBegun = false;
  let waitedMs = 0;
  let turnedAt = performance.now();

  const collect = async (set: number, version: number): Promise<C> => {
    const collecting = parts.map(async (_, part) => {
      const collected = await runners.collectPart(part, set, version);
      hasBegun = true;
      return collected;
    });
    await Promise.allSettled(collecting); // nothing goes on behind the back of whoever hears of a failure
    return join(set, await Promise.all(collecting));
  };
  return {
    begin(count) {
      numFragments = count;
      numGiven = 0;
      numTaken = 0;
      hasBegun = false;
      pending.length = 0;
    },
    async next() {
      if (numGiven === 0) await runners.regroup?.();
      const version = publish();
      const last = Math.min(numTaken + lag, numFragments - 1);
      for (; numGiven <= last; numGiven++) {
        const collecting = collect(numGiven % numSets, version);
        collecting.catch(() => undefined); // awaited when its turn comes; until then a failure is not unhandled
        pending.push(collecting);
      }
      numTaken += 1;
      const startedAt = performance.now();
      if (startedAt - turnedAt >= TURN_MS) {
        await nextTurn();
        turnedAt = performance.now();
      }
      const collected = await (pending.shift() as Promise<C>);
      waitedMs += performance.now() - startedAt;
      return { ...collected, version };
    },
    get hasBegun() {
      return hasBegun;
    },
    takeMs() {
      const taken = waitedMs;
      waitedMs = 0;
      return taken;
    },
    takeMetrics: () => ({}),
    async settle() {
      await Promise.allSettled(pending);
    },
  };
}

/** A whole rollout from its parts, which are in order. */
export function joinParts(rollout: RolloutViews, parts: readonly (MetricSums | null)[]): Collected {
  const sums: MetricSums = {};
  for (const part of parts) if (part !== null) mergeSums(sums, part);
  return {
    rollout,
    episodes: endedEpisodes(rollout, 0, rollout.numRows),
    metrics: meansOf(sums),
    metricSums: parts.every((part) => part === null) ? null : sums,
  };
}
