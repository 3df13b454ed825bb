/** Processor time of bridge, learner and hosts by fragment and by megabyte, from 1, 2 and 3 hosts; and what follows for 10, 100 and 1,000. */
import { readFileSync } from 'node:fs';
import type { RayCluster } from '../../test/cluster/ray-cluster.ts';
import { buildRun } from './build-run.ts';
import { type ClusterCosts, type Cost, type CostSample, fitCost } from './cluster-model.ts';
import { modelTable } from './model-table.ts';
import { processorMsDuring, processorMsOf, type Who } from './processor-time.ts';
import { packSecondsPerMegabyte, unpackSecondsPerMegabyte } from './unpack-cost.ts';

const NUM_HOSTS = [1, 2, 3] as const;
const NUM_ENVS = 24;
const ROLLOUT_LENGTHS = [64, 1024, 4096] as const;
/** So little to learn that it is lost in what travels: the learner's cost is a difference. */
const HIDDEN_SIZES = [2];
/** Of CartPole: what a step is in a fragment. */
const STEP_BYTES = 51;

interface Case {
  readonly numHosts: number;
  readonly numFragments: number;
  readonly megabytes: number;
  readonly seconds: Readonly<Record<Who, number>>;
}

/** What the same iterations cost here, where nothing travels; s of processor. */
interface CostHere {
  readonly sampling: number;
  readonly learning: number;
}

/** One thread samples, and the main thread waits meanwhile: what is spent in a rollout is sampling. */
async function costHere(rolloutLength: number, numRollouts: number): Promise<CostHere> {
  const run = await buildRun(null, NUM_ENVS, rolloutLength, 1, HIDDEN_SIZES);
  try {
    await run.train();
    const cost = { sampling: 0, learning: 0 };
    for (let k = 0; k < numRollouts; k++) {
      const before = process.cpuUsage();
      const { metrics } = await run.train();
      const { user, system } = process.cpuUsage(before);
      const [sampling, learning] = [metrics['time/rolloutMs'], metrics['time/learnMs']];
      const seconds = (user + system) / 1e6;
      cost.sampling += (seconds * sampling) / (sampling + learning);
      cost.learning += (seconds * learning) / (sampling + learning);
    }
    return cost;
  } finally {
    await run.stop();
  }
}

async function measureCase(
  cluster: RayCluster,
  numHosts: number,
  rolloutLength: number,
  numRollouts: number,
): Promise<Case> {
  const run = await buildRun(cluster, NUM_ENVS, rolloutLength, numHosts, HIDDEN_SIZES);
  try {
    for (let k = 0; k < 2; k++) await run.train();
    const spent = await processorMsDuring(cluster, async () => {
      for (let k = 0; k < numRollouts; k++) await run.train();
    });
    const seconds = (who: Who) => spent[who] / 1000;
    return {
      numHosts,
      numFragments: numHosts * numRollouts,
      megabytes: (NUM_ENVS * rolloutLength * STEP_BYTES * numRollouts) / 1e6,
      seconds: {
        ...{ bridge: seconds('bridge'), learner: seconds('learner') },
        ...{ actors: seconds('actors'), rollouts: seconds('rollouts') },
      },
    };
  } finally {
    await run.stop();
  }
}

/** Of the head's first process, which keeps the cluster's book: a second for each node. */
async function headPerNode(cluster: RayCluster, use: () => Promise<void>): Promise<number> {
  const book = cluster
    .pidsOfNode(-1)
    .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('gcs_server'));
  const [spent, begin] = [processorMsOf(book), performance.now()];
  await use();
  return (processorMsOf(book) - spent) / (performance.now() - begin) / (cluster.nodes.length + 1);
}

/**
 * Prints what was measured, the constants, how far they are off in each case, and the model's table.
 *
 * Processor time hardly depends on what else a machine does; wall time would. What the hosts spend on sampling and the learner on learning is what the same
 * iterations cost without a cluster, and is taken off: the rest is what it costs that a fragment travels. Of large fragments that is a difference of two large numbers, so
 * what a megabyte costs learner and rollout process is measured apart.
 */
export async function measureModel(cluster: RayCluster, numRollouts: number): Promise<void> {
  const cases: Case[] = [];
  const head = await headPerNode(cluster, async () => {
    for (const rolloutLength of ROLLOUT_LENGTHS) {
      const here = await costHere(rolloutLength, numRollouts);
      const ms = (seconds: number) => ((1000 * seconds) / numRollouts).toFixed(2);
      console.log(
        `here, ${NUM_ENVS} x ${rolloutLength}: ${ms(here.sampling)} ms of processor for sampling, ${ms(here.learning)} for learning`,
      );
      for (const numHosts of NUM_HOSTS) {
        const { seconds, ...rest } = await measureCase(cluster, numHosts, rolloutLength, numRollouts);
        const [learner, rollouts] = [seconds.learner - here.learning, seconds.rollouts - here.sampling];
        const travelling = { ...seconds, learner, rollouts };
        cases.push({ ...rest, seconds: travelling });
      }
    }
  });
  const samples = (who: Who): CostSample[] =>
    cases.map(({ numFragments, megabytes, seconds }) => ({ numFragments, megabytes, seconds: seconds[who] }));
  const costs: ClusterCosts = {
    bridge: fitCost(samples('bridge')),
    learner: smallCost(samples('learner'), unpackSecondsPerMegabyte()),
    host: sumOf(fitCost(samples('actors')), smallCost(samples('rollouts'), packSecondsPerMegabyte())),
    headPerNode: head,
  };
  report(cases, costs);
  for (const line of modelTable(costs)) console.log(line);
}

/**
 * Of large fragments it is a difference of two numbers that are much larger, so a megabyte is measured apart.
 *
 * @param samples those of the shortest rollouts first.
 */
function smallCost(samples: readonly CostSample[], perMegabyte: number): Cost {
  const small = samples.slice(0, NUM_HOSTS.length);
  const spent = small.reduce((sum, { seconds, megabytes }) => sum + seconds - perMegabyte * megabytes, 0);
  const numFragments = small.reduce((sum, sample) => sum + sample.numFragments, 0);
  return { perFragment: Math.max(0, spent / numFragments), perMegabyte };
}

const sumOf = (a: Cost, b: Cost): Cost => ({
  perFragment: a.perFragment + b.perFragment,
  perMegabyte: a.perMegabyte + b.perMegabyte,
});

function report(cases: readonly Case[], costs: ClusterCosts): void {
  const ms = (seconds: number) => (1000 * seconds).toFixed(2);
  for (const { numHosts, numFragments, megabytes, seconds } of cases) {
    const hosts = seconds.actors + seconds.rollouts;
    const who = Object.entries({ ...costs, headPerNode: null }).flatMap(([name, cost]) => {
      if (cost === null) return [];
      const spent = { bridge: seconds.bridge, learner: seconds.learner, host: hosts }[name] ?? 0;
      const fitted = cost.perFragment * numFragments + cost.perMegabyte * megabytes;
      return [`${name} ${ms(spent / numFragments)} (model ${ms(fitted / numFragments)})`];
    });
    who.push(`of the host the actor ${ms(seconds.actors / numFragments)}`);
    console.log(
      `${numHosts} hosts, fragments of ${((1000 * megabytes) / numFragments).toFixed(0)} kB: ms of processor a fragment: ${who.join(', ')}`,
    );
  }
  for (const [name, cost] of Object.entries({
    bridge: costs.bridge,
    learner: costs.learner,
    host: costs.host,
  }))
    console.log(`${name}: ${ms(cost.perFragment)} ms a fragment + ${ms(cost.perMegabyte)} ms a megabyte`);
  console.log(`head: ${(100 * costs.headPerNode).toFixed(3)} % of a processor for each node`);
}
