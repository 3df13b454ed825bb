/** Fragments put together from what is ready: no two runs are the same. */
import type { RolloutViews } from '../experience/layout.ts';
import { copyRows } from '../rollout/copy-rows.ts';
import type { MetricSums } from '../rollout/metric-sums.ts';
import type { RunnerGroup } from '../rollout/runner-group.ts';
import type { FragmentStream } from './fragment-stream.ts';
import { joinParts } from './lagged-fragments.ts';

/** Sets that the workers fill; the others hold fragments. */
const NUM_COLLECTING = 2;

/** The smallest bound that can be kept: a finished part waits for two fragments at most. */
export const MIN_POLICY_LAG = 3;

export interface FreeFragmentsOptions {
  readonly system: { publish(): number; readonly runners: RunnerGroup };
  /** No step is learnt from with weights more than this many versions newer than those that made it; at least {@link MIN_POLICY_LAG}. */
  readonly maxLag: number;
  /**
   * Parts are on other machines: each is asked for two rollouts at a time, so that it need not wait for what travels, and one that comes too late is dropped and
   * counted. Threads of this machine are waited for instead.
   */
  readonly isRemote: boolean;
}

/** What a worker collects or has collected; older ones are learnt from first. */
interface PartRollout {
  readonly part: number;
  readonly set: number;
  readonly version: number;
  /** Grows with every one that is given out. */
  readonly order: number;
  sums: MetricSums | null;
}

/** The workers' rollouts: in the making, and finished but not learnt from. */
interface PartPool {
  readonly collecting: ReadonlyMap<PartRollout, Promise<void>>;
  readonly ready: PartRollout[];
  readonly failure: { readonly error: unknown } | null;
  /** So many rollouts are to be collected from here on. */
  begin(numRollouts: number): void;
  /** Every worker that has nothing to do, and room for its result, goes on with the weights of this version; later, too. */
  giveAll(version: number): void;
  /** The rows have been copied. */
  release(rollout: PartRollout): void;
  /** Those that are ready and too old for this version: forgotten, and to be collected again by whoever is free. Returns their number. */
  dropOlder(oldest: number): number;
}

function createPartPool(runners: RunnerGroup, numAtOnce: number): PartPool {
  const collecting = new Map<PartRollout, Promise<void>>();
  const ready: PartRollout[] = [];
  const state = { toGive: 0, given: 0, version: 0, failure: null as PartPool['failure'] };
  let freeSets: number[][] = [];
  const give = (part: number): void => {
    const numAsked = [...collecting.keys()].filter((other) => other.part === part).length;
    const set = freeSets[part].at(0);
    if (numAsked >= numAtOnce || set === undefined || state.toGive === 0 || state.failure !== null) return;
    freeSets[part].shift();
    state.toGive -= 1;
    const rollout: PartRollout = { part, set, version: state.version, order: state.given++, sums: null };
    const finished = runners.collectPart(part, set, state.version).then(
      (sums) => {
        rollout.sums = sums;
        collecting.delete(rollout);
        ready.push(rollout);
        give(part);
      },
      (error: unknown) => {
        collecting.delete(rollout);
        state.failure = { error };
      },
    );
    collecting.set(rollout, finished);
  };
  return {
    collecting,
    ready,
    get failure() {
      return state.failure;
    },
    begin(numRollouts) {
      freeSets = runners.parts.map(() => [0, 1]);
      state.toGive = numRollouts;
      state.failure = null;
      ready.length = 0;
    },
    giveAll(version) {
      state.version = version;
      for (let k = 0; k < numAtOnce; k++) for (let part = 0; part < runners.parts.length; part++) give(part);
    },
    release: ({ part, set }) => void freeSets[part].push(set),
    dropOlder(oldest) {
      const late = ready.filter((rollout) => rollout.version < oldest);
      for (const rollout of late) {
        ready.splice(ready.indexOf(rollout), 1);
        freeSets[rollout.part].push(rollout.set);
        state.toGive += 1;
      }
      return late.length;
    },
  };
}

/**
 * A fragment is the rows of as many finished parts as there are workers, the oldest first, perhaps several of one worker and none of
 * another. A worker that is done goes on with the newest weights at once, unless two of its rollouts wait. Before weights would be more
 * than `maxLag` versions newer than those of a rollout that is still being collected, the learner waits for it; for hosts it does not, and
 * what they bring later is dropped: another rollout is asked for in its place, and steps that nobody learns from are not counted.
 *
 * All parts have the same number of rows. Of the runners' block sets two are collected into, and the others used in turn for fragments.
 *
 * Thread: main.
 */
export function createFreeFragments({ system, maxLag, isRemote }: FreeFragmentsOptions): FragmentStream {
  const { runners } = system;
  const pool = createPartPool(runners, isRemote ? 2 : 1);
  const { collecting, ready } = pool;
  let numFragments: number | null = null;
  let numTaken = 0;
  let numDropped = 0;
  let waitedMs = 0;
  /** A rollout in the making that would be too old if the next fragment were learnt from without it. */
  const isAnyLate = (version: number) =>
    !isRemote &&
    [...collecting.keys()].some((rollout) => version + MIN_POLICY_LAG - rollout.version > maxLag);
  const dropLate = (version: number) => {
    if (!isRemote) return;
    const numLate = pool.dropOlder(version - maxLag);
    numDropped += numLate;
    if (numLate > 0) pool.giveAll(version);
  };

  return {
    begin(count) {
      numFragments = count;
      numTaken = 0;
    },
    async next() {
      if (numFragments !== null) {
        await runners.regroup?.();
        pool.begin(numFragments * runners.parts.length);
        numFragments = null;
      }
      const numParts = runners.parts.length;
      const version = system.publish();
      pool.giveAll(version);
      const startedAt = performance.now();
      dropLate(version);
      while (pool.failure === null && (ready.length < numParts || isAnyLate(version))) {
        await Promise.race(collecting.values());
        dropLate(version);
      }
      waitedMs += performance.now() - startedAt;
      if (pool.failure !== null) {
        await Promise.all(collecting.values());
        throw pool.failure.error;
      }
      ready.sort((a, b) => a.version - b.version || a.order - b.order);
      const taken = ready.splice(0, numParts);
      const into = runners.sets[NUM_COLLECTING + (numTaken++ % (runners.sets.length - NUM_COLLECTING))];
      takeRows(runners, taken, into);
      taken.forEach(pool.release);
      pool.giveAll(version);
      const parts = taken.map(({ sums }) => sums);
      return { ...joinParts(into, parts), version };
    },
    get hasBegun() {
      return numTaken > 0 || ready.length > 0;
    },
    takeMs() {
      const ms = waitedMs;
      waitedMs = 0;
      return ms;
    },
    takeMetrics() {
      const number = numDropped;
      numDropped = 0;
      return isRemote ? { 'cluster/numFragmentsDropped': number } : {};
    },
    async settle() {
      pool.begin(0);
      await Promise.all(collecting.values());
    },
  };
}

/** Puts the rows of some parts one behind the other. */
function takeRows(runners: RunnerGroup, taken: readonly PartRollout[], into: RolloutViews): void {
  let row = 0;
  for (const { part, set } of taken) {
    const { firstRow, numRows } = runners.parts[part];
    copyRows(runners.sets[set], firstRow, numRows, into, row);
    row += numRows;
  }
}
