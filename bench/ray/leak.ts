/** Random kills, one behind the other: nothing may stay in the object stores, in memory, or among the processes. */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { openStream, type Stream } from '../../src/random/streams.ts';
import { bridgePids, kill, type RayCluster } from '../../test/cluster/ray-cluster.ts';
import { load } from '../machine.ts';
import { buildRun, NUM_HOSTS, WIDE_ENV } from './build-run.ts';
import { countLeft } from './drills.ts';
import {
  keepLogs,
  megabytes,
  numObjects,
  type Stores,
  type StoreWatch,
  watchStores,
} from './object-stores.ts';

/** Kills between two looks at memory. */
const SAMPLE_EVERY = 10;
/** Fragments of 10.7 MB from each host, which come in two answers. */
const NUM_ENVS = 8;
const ROLLOUT_LENGTH = 1280;
/** Weights of 2.6 MB: for two hosts too many to go with calls, so that they lie in the object stores. */
const HIDDEN_SIZES = [640];
/** Whoever has not been replaced by then was not missed. */
const NOTICED_WITHIN_SECONDS = 120;

/** Resident MiB of the learner, and of hosts (actors and rollout processes) and bridge together. */
interface Sample {
  readonly learner: number;
  readonly others: number;
}

const residentMegabytes = (pid: number): number => {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) / 1024;
  } catch {
    return 0; // it has ended
  }
};

function sampleOf(cluster: RayCluster): Sample {
  const pids = [...cluster.pids('actor'), ...cluster.pids('rollout'), ...bridgePids()];
  const others = pids.reduce((sum, pid) => sum + residentMegabytes(pid), 0);
  return { learner: residentMegabytes(process.pid), others };
}

const KINDS = ['rollout', 'actor', 'bridge'] as const;
type Kind = (typeof KINDS)[number];

/** One of them, any. */
function killOne(cluster: RayCluster, kind: Kind, stream: Stream): void {
  const pids = kind === 'bridge' ? bridgePids() : cluster.pids(kind);
  kill(pids[stream.integer(pids.length)]);
}

export interface LeakOptions {
  /** What comes first ends it. */
  readonly minutes: number;
  readonly numKills: number;
  /** Those of `KINDS` that are killed. */
  readonly kinds: readonly string[];
  /** Where the logs of all nodes are copied to in the end, however it ends; null = nowhere. */
  readonly logs: string | null;
}

/** What has become of the run so far. */
interface Course {
  readonly numKills: Record<Kind, number>;
  readonly samples: Sample[];
  /** Objects that stayed, and behind which kill. */
  readonly left: { readonly kill: number; readonly count: number }[];
  /** Most objects that there were when all had settled: versions of the weights come and go between a bridge's start and its third. */
  mostObjects: number;
  numIterations: number;
  numReplaced: number;
}

type Run = Awaited<ReturnType<typeof buildRun>>;

const sum = (counts: Readonly<Record<Kind, number>>) => KINDS.reduce((all, kind) => all + counts[kind], 0);

/** @returns ms that its rollout took. */
async function train(run: Run, course: Course): Promise<number> {
  const { metrics } = await run.train();
  course.numIterations += 1;
  course.numReplaced += metrics['rollout/numWorkerRestarts'];
  return metrics['time/rolloutMs'];
}

/** Kills one of a kind at some time of a rollout, and goes on until it has been replaced. */
async function killAndGoOn(cluster: RayCluster, run: Run, course: Course, kind: Kind, stream: Stream) {
  const rolloutMs = await train(run, course);
  const expected = course.numReplaced + (kind === 'bridge' ? NUM_HOSTS : 1);
  const killed = pause(rolloutMs * stream.uniform()).then(() => killOne(cluster, kind, stream));
  const begin = performance.now();
  do {
    await train(run, course);
    await killed;
  } while (course.numReplaced < expected && performance.now() - begin < 1000 * NOTICED_WITHIN_SECONDS);
}

/** Looks into the stores, and tells what has stayed there beyond what was ever there before. */
async function lookForLeft(watch: StoreWatch, course: Course, kind: Kind): Promise<void> {
  const stores = await watch.settled(course.mostObjects);
  const count = numObjects(stores) - course.mostObjects;
  if (count <= 0) return;
  const number = sum(course.numKills);
  course.mostObjects += count;
  course.left.push({ kill: number, count });
  console.log(`kill ${number} (${kind}) left ${count}: ${await watch.describe(stores)}`);
}

/** @returns whether no object is left in the stores, and no process once the run has stopped. */
export async function measureLeak(cluster: RayCluster, options: LeakOptions): Promise<boolean> {
  const run = await buildRun(cluster, NUM_ENVS, ROLLOUT_LENGTH, NUM_HOSTS, HIDDEN_SIZES, WIDE_ENV);
  const stream = openStream(1, 'kills');
  const watch = watchStores(cluster);
  const kinds = KINDS.filter((kind) => options.kinds.includes(kind));
  try {
    const numKills = { rollout: 0, actor: 0, bridge: 0 };
    const course: Course = {
      numKills,
      samples: [],
      left: [],
      mostObjects: 0,
      numIterations: 0,
      numReplaced: 0,
    };
    for (let k = 0; k < 5; k++) await train(run, course);
    const held = await watch.settled(0);
    course.mostObjects = numObjects(held);
    course.samples.push(sampleOf(cluster));
    console.log(
      `${numObjects(held)} objects, ${megabytes(held).toFixed(1)} MiB: versions of the weights, and their copies`,
    );
    const begin = performance.now();
    const minutes = () => (performance.now() - begin) / 60_000;
    while (minutes() < options.minutes && sum(numKills) < options.numKills) {
      const kind = kinds[stream.integer(kinds.length)];
      numKills[kind] += 1;
      await killAndGoOn(cluster, run, course, kind, stream);
      await lookForLeft(watch, course, kind);
      if (sum(numKills) % SAMPLE_EVERY === 0) course.samples.push(sampleOf(cluster));
    }
    const lasted = minutes();
    await run.stop();
    const numLeft = await countLeft(cluster);
    const stores = await watch.settled(0);
    report(course, lasted, stores, numLeft);
    if (numObjects(stores) > 0) console.log(`when the run has stopped: ${await watch.describe(stores)}`);
    return course.left.length === 0 && numObjects(stores) === 0 && numLeft === 0;
  } finally {
    watch.stop();
    await run.stop();
    if (options.logs !== null) keepLogs(cluster, options.logs);
  }
}

function report(course: Course, minutes: number, stores: Stores, numLeft: number): void {
  const { numKills, samples, left, numIterations, numReplaced } = course;
  const behind = left.map(({ kill: number, count }) => `${count} behind kill ${number}`).join(', ');
  console.log(
    `leak: ${minutes.toFixed(1)} min, ${numIterations} iterations, ${sum(numKills)} kills (${JSON.stringify(numKills)}), ${numReplaced} hosts replaced; objects that stayed: ${behind || 'none'}; ` +
      `${numObjects(stores)} (${megabytes(stores).toFixed(1)} MiB) and ${numLeft} processes when the run has stopped; load ${load()}`,
  );
  const series = (of: (sample: Sample) => number) => samples.map((each) => of(each).toFixed(0)).join(' ');
  console.log(
    `every ${SAMPLE_EVERY} kills: learner, MiB ${series(({ learner }) => learner)}; hosts and bridge, MiB ${series(({ others }) => others)}`,
  );
}
