/**
 * Rollout hosts on a real Ray of this machine (a head, two nodes, two hosts): what a rollout costs beside local threads, what becomes
 * of a run whose parts are lost, and what stays behind.
 *
 *     RAY_worker_niceness=0 npm run bench:ray -- [--only throughput,asynchronous,parts,stages,drills,leak,model,table,rllib] [--kinds rollout,frozen,actor,bridge,raylet,node,frozen-node,cut] [--kills 20] [--rollouts 20] [--minutes 30] [--logs FOLDER] [--seeds 3] [--built]
 *
 * Needs OPERANT_RAY_PYTHON, a Python with ray and numpy. `--built` runs what `npm run build` has made, as an installed package runs: hosts are up sooner, since they compile no TypeScript. Ray starts actors with niceness 15: on a machine that does other work, too, RAY_worker_niceness=0 gives them their share. Throughput: milliseconds of a rollout by the size of a host's fragment, local threads and hosts taken in
 * turns, and beside them bare calls of Ray that carry as many bytes; the medians, and processor time by process. Asynchronous: steps/s of IMPALA by its lag, hosts and local threads in turns. Parts: what a megabyte costs of fragments that come in one answer, and of longer ones that come in two, in turns. Stages: where the time of a rollout goes, place by place. Drills: every kind of loss, once every other iteration of one run; `cut` takes away the link of a node in a network
 * namespace of its own (root), and is left out where that cannot be. Model: processor time of a fragment and of a megabyte from 1, 2 and 3 hosts, and what follows for 10, 100 and 1,000 (docs/ray-scale.md). Table: the same from what was measured last, without Ray. Leak: random kills of rollout processes, actors and bridges (those of `--kinds`), each as soon as the one before has been replaced, for `--minutes` or until there were `--kills` of them; what stays in an object store is told with what Ray knows of it, and `--logs` keeps what Ray wrote on every node. Rllib: PPO on CartPole with RLlib's tuned settings and two runners, RLlib and ours in turns (that Python then needs ray[rllib] and torch): time to a mean of 450, and until a killed runner is back. The exit status is 1 when the run's bits are not those of an undisturbed local one, when a loss
 * was not counted once, when somebody was not back within 10 seconds, or when a process or an object is left.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ClusterSetup, startRayCluster } from '../test/cluster/ray-cluster.ts';
import { canMakeNetworks } from '../test/cluster/ray-network.ts';
import { describeMachine, load, machineLine } from './machine.ts';
import { measureParts } from './ray/answer-parts.ts';
import { measureAsynchronous } from './ray/asynchronous.ts';
import { compareWithRllib } from './ray/beside-rllib.ts';
import { DRILL_HEAD, DRILLS, describeDrill, isDrillFine, NEEDS_NETWORK, runDrill } from './ray/drills.ts';
import { measureLeak } from './ray/leak.ts';
import { measureModel } from './ray/measure-costs.ts';
import { MEASURED, modelTable } from './ray/model-table.ts';
import { TELLING } from './ray/object-stores.ts';
import { measureStages } from './ray/stages.ts';
import { measureThroughput } from './ray/throughput.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'throughput,drills' },
    kinds: { type: 'string', default: Object.keys(DRILLS).join(',') },
    kills: { type: 'string' },
    rollouts: { type: 'string', default: '20' },
    minutes: { type: 'string', default: '30' },
    logs: { type: 'string' },
    seeds: { type: 'string', default: '3' },
    built: { type: 'boolean', default: false },
  },
});

async function withCluster(
  use: (cluster: RayCluster) => Promise<boolean>,
  { env = {}, ...setup }: ClusterSetup = {},
) {
  // A frozen node takes connections: this long until a check of it fails, three times.
  const cluster = await startRayCluster({ ...setup, env: { RAY_health_check_timeout_ms: '1000', ...env } });
  try {
    if (!(await use(cluster))) process.exitCode = 1;
  } finally {
    await cluster.stop();
  }
}

type RayCluster = Awaited<ReturnType<typeof startRayCluster>>;

const parts = values.only.split(',');
const kinds = values.kinds.split(',');
for (const kind of kinds) if (!(kind in DRILLS)) throw new Error(`There is no drill ${kind}.`);
const ofSources = parts.filter((part) => ['throughput', 'parts', 'leak'].includes(part));
if (values.built && ofSources.length > 0)
  throw new Error(`--built ships no sources, and an environment of ${ofSources} is one: leave it out.`);
console.log(`${machineLine(describeMachine())}; load ${load()}`);

const drill = (chosen: readonly string[]) => async (cluster: RayCluster) => {
  console.log(DRILL_HEAD);
  let isFine = true;
  for (const kind of chosen) {
    const result = await runDrill(cluster, kind, Number(values.kills ?? 20));
    console.log(describeDrill(result));
    isFine = isDrillFine(result) && isFine;
  }
  return isFine;
};
const here = kinds.filter((kind) => !NEEDS_NETWORK.has(kind));
const apart = kinds.filter((kind) => NEEDS_NETWORK.has(kind));

if (parts.includes('table')) for (const line of modelTable(MEASURED)) console.log(line);
const isAsked = (part: string) => parts.includes(part) && (part !== 'drills' || here.length > 0);
const numKills = values.kills === undefined ? Number.POSITIVE_INFINITY : Number(values.kills);
const leak = { minutes: Number(values.minutes), numKills, kinds, logs: values.logs ?? null };

async function measureHere(cluster: RayCluster): Promise<boolean> {
  if (parts.includes('throughput')) await measureThroughput(cluster, Number(values.rollouts));
  if (parts.includes('asynchronous')) await measureAsynchronous(cluster, Number(values.rollouts));
  if (parts.includes('parts')) await measureParts(cluster, Number(values.rollouts));
  if (parts.includes('model')) await measureModel(cluster, Number(values.rollouts));
  const isFine = isAsked('drills') ? await drill(here)(cluster) : true;
  const isTight = parts.includes('leak') ? await measureLeak(cluster, leak) : true;
  const isBack = parts.includes('rllib') ? await compareWithRllib(cluster, Number(values.seeds)) : true;
  return isFine && isTight && isBack;
}

if (['throughput', 'asynchronous', 'parts', 'model', 'drills', 'leak', 'rllib'].some(isAsked))
  await withCluster(measureHere, { env: parts.includes('leak') ? TELLING : {} });
if (parts.includes('drills') && apart.length > 0) {
  if (canMakeNetworks()) await withCluster(drill(apart), { inNamespaces: true });
  else console.log(`${apart.join(', ')}: left out, there are no rights to network namespaces here`);
}
if (parts.includes('stages')) {
  const folder = mkdtempSync(join(tmpdir(), 'op-stages-'));
  const file = join(folder, 'stages');
  const measure = async (cluster: RayCluster) => {
    await measureStages(cluster, file, Number(values.rollouts));
    return true;
  };
  await withCluster(measure, { env: { OPERANT_RAY_STAGES: file } });
  rmSync(folder, { recursive: true });
}
