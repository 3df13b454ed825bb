/** Steps/s where the learner does not wait for a journey: IMPALA with a lag on two hosts beside the same on two local threads. */
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import type { RayCluster } from '../../test/cluster/ray-cluster.ts';
import { load } from '../machine.ts';
import { median } from '../statistics.ts';
import { buildActorLearner } from './build-run.ts';

/** Fragments of 13, 420 and 1700 kB from each host. */
const CASES = [
  { numEnvs: 8, rolloutLength: 64 },
  { numEnvs: 16, rolloutLength: 1024 },
  { numEnvs: 64, rolloutLength: 1024 },
] as const;
/** 0 = every fragment is waited for. */
const LAGS = [0, 2, 'free'] as const;
/** An iteration begins and ends with nothing in flight, so that two runs in turns are not in each other's way; each takes so long at least. */
const TURN_MS = 400;

/** Trains for a while, by whole iterations. */
async function stepsPerSecond(algorithm: Algorithm) {
  const [begin, first] = [performance.now(), algorithm.numEnvSteps];
  let lag = 0;
  do {
    lag = (await algorithm.train()).metrics['time/policyLagMean'];
  } while (performance.now() - begin < TURN_MS);
  return { rate: (1000 * (algorithm.numEnvSteps - first)) / (performance.now() - begin), lag };
}

/** Prints a line for each size and lag; medians of so many turns. */
export async function measureAsynchronous(cluster: RayCluster, numTurns: number): Promise<void> {
  for (const { numEnvs, rolloutLength } of CASES)
    for (const lag of LAGS) {
      const local = await buildActorLearner(null, numEnvs, rolloutLength, lag);
      const onRay = await buildActorLearner(cluster, numEnvs, rolloutLength, lag);
      const turns: { readonly here: number; readonly there: number; readonly lag: number }[] = [];
      for (let k = 0; k <= numTurns; k++) {
        const here = await stepsPerSecond(local);
        const there = await stepsPerSecond(onRay);
        if (k > 0) turns.push({ here: here.rate, there: there.rate, lag: there.lag });
      }
      await Promise.all([local.stop(), onRay.stop()]);
      const ratios = turns.map(({ here, there }) => (100 * there) / here);
      const rate = (values: readonly number[]) => `${(median(values) / 1000).toFixed(1)} k`;
      console.log(
        `IMPALA, CartPole ${numEnvs} x ${rolloutLength}, lag ${lag}: local ${rate(turns.map(({ here }) => here))} steps/s, on Ray ${rate(turns.map(({ there }) => there))}: ` +
          `${median(ratios).toFixed(0)} % of local (${Math.min(...ratios).toFixed(0)} to ${Math.max(...ratios).toFixed(0)}), versions behind ${median(turns.map((turn) => turn.lag)).toFixed(1)} on Ray; load ${load()}`,
      );
    }
}
