/** Where the time of a rollout on two hosts goes, place by place: what `OPERANT_RAY_STAGES` has everybody write down. */
import { readFileSync, statSync } from 'node:fs';
import type { RayCluster } from '../../test/cluster/ray-cluster.ts';
import { load } from '../machine.ts';
import { median } from '../statistics.ts';
import { buildRun, NUM_HOSTS } from './build-run.ts';

/** In the order in which a request passes them, and what lies between a place and the one before. */
const STAGES: Readonly<Record<string, string>> = {
  sent: '',
  read: 'learner to bridge, the weights before it put',
  called: "bridge: the actor's method is called",
  begun: 'Ray: call and weights travel, the actor begins',
  given: 'actor: weights and request into the pipe',
  heard: 'pipe, rollout process: weights copied',
  collected: 'rollout process: T steps in every row',
  answered: 'rollout process: checksum, into shared memory',
  received: 'pipe, reader of the actor',
  returned: 'actor: another thread wakes',
  arrived: 'Ray: the answer travels',
  handed: 'bridge: another thread wakes, into shared memory',
  settled: 'learner: read, checksum',
};
const NAMES = Object.keys(STAGES);

const CASES = [
  { numEnvs: 8, rolloutLength: 64 },
  { numEnvs: 16, rolloutLength: 1024 },
  { numEnvs: 128, rolloutLength: 1024 },
] as const;
/** Before anything is told: files are compiled, memory is touched for the first time. */
const WARM_UP = 3;

/** Of one request: ms by stage, counted from when it was sent. */
type Passage = readonly number[];

/** Those that passed every place. */
export function passagesOf(lines: readonly string[]): Passage[] {
  const at = new Map<string, Map<string, bigint>>();
  for (const line of lines) {
    const [request, host, stage, ns] = line.split(' ');
    const key = `${request} ${host}`;
    const times = at.get(key) ?? new Map<string, bigint>();
    at.set(key, times.set(stage, BigInt(ns)));
  }
  const whole = [...at.values()].filter((times) => NAMES.every((name) => times.has(name)));
  return whole.map((times) => {
    const ns = (name: string) => times.get(name) ?? 0n;
    return NAMES.map((name) => Number(ns(name) - ns('sent')) / 1e6);
  });
}

/** Those of a rollout one behind the other. @returns the one that was answered last, of each. */
function lastOfEach(passages: readonly Passage[]): Passage[] {
  return Array.from({ length: Math.floor(passages.length / NUM_HOSTS) }, (_, k) => {
    const rollout = passages.slice(NUM_HOSTS * k, NUM_HOSTS * (k + 1));
    return rollout.reduce((last, each) => ((each.at(-1) ?? 0) > (last.at(-1) ?? 0) ? each : last));
  });
}

const stepsOf = (passage: Passage) => passage.slice(1).map((at, k) => at - passage[k]);

/** Prints a table for each size. @param file what the cluster's processes write to. */
export async function measureStages(cluster: RayCluster, file: string, numRollouts: number): Promise<void> {
  for (const { numEnvs, rolloutLength } of CASES) {
    const local = await buildRun(null, numEnvs, rolloutLength);
    const onRay = await buildRun(cluster, numEnvs, rolloutLength);
    const times = { local: [] as number[], ray: [] as number[] };
    let begin = 0;
    for (let k = 0; k < WARM_UP + numRollouts; k++) {
      if (k === WARM_UP) begin = statSync(file).size;
      const here = await local.train();
      const there = await onRay.train();
      if (k < WARM_UP) continue;
      times.local.push(here.metrics['time/rolloutMs']);
      times.ray.push(there.metrics['time/rolloutMs']);
    }
    await Promise.all([local.stop(), onRay.stop()]);
    const lines = readFileSync(file).subarray(begin).toString().trim().split('\n');
    console.log(
      `CartPole, ${numEnvs} x ${rolloutLength}: local ${median(times.local).toFixed(2)} ms, on Ray ${median(times.ray).toFixed(2)} ms a rollout; load ${load()}`,
    );
    printStages(passagesOf(lines));
  }
}

function printStages(passages: readonly Passage[]): void {
  const [all, last] = [passages, lastOfEach(passages)].map((some) => some.map(stepsOf));
  const ms = (steps: readonly Passage[], k: number) => median(steps.map((each) => each[k])).toFixed(2);
  console.log('| place | before it | median of all, ms | of the later host |\n| --- | --- | --- | --- |');
  for (const [k, name] of NAMES.slice(1).entries())
    console.log(`| ${name} | ${STAGES[name]} | ${ms(all, k)} | ${ms(last, k)} |`);
  const whole = (some: readonly Passage[]) => median(some.map((each) => each.at(-1) ?? 0)).toFixed(2);
  console.log(`| | all of it | ${whole(passages)} | ${whole(lastOfEach(passages))} |`);
}
