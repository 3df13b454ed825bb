/** The model of docs/ray-scale.md for 10, 100 and 1,000 hosts. */
import { type ClusterCosts, type ClusterLoad, evaluateCluster, saturation } from './cluster-model.ts';

/**
 * As `--only model` measured them on 2026-11-29 (AMD EPYC, 2 cores, Node 20.20, Ray 2.60; load 8 at the beginning, 30 at the end; 20 rollouts of each case).
 * The learner's megabyte is `unpackSecondsPerMegabyte` (0.23 to 0.29 ms in five calls).
 */
export const MEASURED: ClusterCosts = {
  bridge: { perFragment: 0.00273, perMegabyte: 0.00157 },
  learner: { perFragment: 0.00116, perMegabyte: 0.00025 },
  host: { perFragment: 0.00413, perMegabyte: 0.00843 },
  headPerNode: 0.00253,
};

/** Of two networks of 2 x 64 for CartPole. */
const WEIGHT_BYTES = 4 * 9155;

export function printModel(costs: ClusterCosts): void {
  for (const [what, load] of Object.entries(LOADS)) {
    console.log(`\n${what}`);
    for (const numHosts of [10, 100, 1000]) {
      const { asynchronous, synchronous, bottleneck, headLoad } = evaluateCluster(costs, load, numHosts);
      const k = (steps: number) => `${(steps / 1000).toFixed(0)} k`;
      console.log(
        `${numHosts} hosts: asynchronous ${k(asynchronous)}, synchronous ${k(synchronous)} steps/s; ${bottleneck} first; head ${(100 * headLoad).toFixed(1)} %`,
      );
    }
    const at = (name: 'learning' | 'bridge' | 'network' | 'head') =>
      `${name} ${saturation(costs, load, name).toFixed(1)}`;
    console.log(
      `busy all the time from so many hosts on: ${(['learning', 'bridge', 'network', 'head'] as const).map(at).join(', ')}`,
    );
  }
}

/** A 10-Gbit network. Steps of a host, and learning, are of the kind of run that is named. */
const NETWORK = { weightBytes: WEIGHT_BYTES, networkBytesPerSecond: 1.25e9 };
const LOADS: Readonly<Record<string, ClusterLoad>> = {
  'a simulator of 10,000 steps/s a host, 1 kB a step, fragments of 1 MB': {
    ...{ ...NETWORK, stepsPerFragment: 1000, bytesPerStep: 1000 },
    ...{ hostStepsPerSecond: 10_000, learnSecondsPerStep: 0 },
  },
  'a slow simulator of 200 steps/s a host, 1 kB a step, fragments of 256 kB': {
    ...{ ...NETWORK, stepsPerFragment: 256, bytesPerStep: 1000 },
    ...{ hostStepsPerSecond: 200, learnSecondsPerStep: 0 },
  },
  'frames of 84 x 84 bytes, 2,000 steps/s a host, fragments of 7 MB': {
    ...{ ...NETWORK, stepsPerFragment: 1000, bytesPerStep: 7100 },
    ...{ hostStepsPerSecond: 2000, learnSecondsPerStep: 0 },
  },
};
