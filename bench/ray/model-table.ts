/** The model of docs/ray-scale.md for 10, 100 and 1,000 hosts. */
import { type ClusterCosts, type ClusterLoad, evaluateCluster, saturation } from './cluster-model.ts';

/**
 * As `--only model --rollouts 12` measured them on 2026-11-30 (Intel Xeon 2.8 GHz, 2 cores, Node 20.20, Ray 2.60; load 18 at the beginning, 12 at the end).
 * Of learner and rollout process the megabyte is measured apart (`unpack-cost.ts`).
 */
export const MEASURED: ClusterCosts = {
  bridge: { perFragment: 0.00166, perMegabyte: 0.00145 },
  learner: { perFragment: 0.0004, perMegabyte: 0.00097 },
  host: { perFragment: 0.00503, perMegabyte: 0.00323 },
  headPerNode: 0.00336,
};

/** Of two networks of 2 x 64 for CartPole. */
const WEIGHT_BYTES = 4 * 9155;
const NUM_HOSTS = [10, 100, 1000] as const;

const HEAD = [
  '| | 10 hosts | 100 | 1,000 | bridge busy from | learner | network | head |',
  '| --- | --- | --- | --- | --- | --- | --- | --- |',
];

/** A table as the page has it: steps/s, in bold where hosts are first not what limits; and hosts from which on a place is busy all the time. */
export function modelTable(costs: ClusterCosts): readonly string[] {
  return [...HEAD, ...Object.entries(LOADS).flatMap(([what, load]) => rowsOf(what, costs, load))];
}

const thousands = (steps: number) => `${(steps / 1000).toFixed(0)} k`;
const count = (hosts: number) => Math.round(hosts).toLocaleString('en-US');

function rowsOf(what: string, costs: ClusterCosts, load: ClusterLoad): readonly string[] {
  const points = NUM_HOSTS.map((numHosts) => evaluateCluster(costs, load, numHosts));
  const first = points.findIndex(({ asynchronous, limits }) => asynchronous < limits.hosts);
  const free = points.map(({ asynchronous }, k) =>
    k === first ? `**${thousands(asynchronous)}**` : thousands(asynchronous),
  );
  const busy = (['bridge', 'learning', 'network', 'head'] as const).map((place) =>
    count(saturation(costs, load, place)),
  );
  return [
    `| ${[`${what}: asynchronous`, ...free, `${busy[0]} hosts`, ...busy.slice(1)].join(' | ')} |`,
    `| ${['synchronous', ...points.map((point) => thousands(point.synchronous))].join(' | ')} | | | | |`,
  ];
}

/** A 10-Gbit network. Steps of a host, and learning, are of the kind of run that is named. */
const NETWORK = { weightBytes: WEIGHT_BYTES, networkBytesPerSecond: 1.25e9 };
const LOADS: Readonly<Record<string, ClusterLoad>> = {
  '10,000 steps/s a host, 1 kB a step, fragments of 1 MB': {
    ...{ ...NETWORK, stepsPerFragment: 1000, bytesPerStep: 1000 },
    ...{ hostStepsPerSecond: 10_000, learnSecondsPerStep: 0 },
  },
  '200 steps/s a host, 1 kB a step, 256 kB': {
    ...{ ...NETWORK, stepsPerFragment: 256, bytesPerStep: 1000 },
    ...{ hostStepsPerSecond: 200, learnSecondsPerStep: 0 },
  },
  'frames of 84 x 84, 2,000 steps/s a host, 7 MB': {
    ...{ ...NETWORK, stepsPerFragment: 1000, bytesPerStep: 7100 },
    ...{ hostStepsPerSecond: 2000, learnSecondsPerStep: 0 },
  },
};
