/** One iteration of an off-policy algorithm: rounds of a fragment, then the updates that are due. */
import type { RolloutViews } from '../experience/layout.ts';
import type { ObjectiveStats } from '../learner/objective-learner.ts';
import type { Metrics } from '../metrics/metric-keys.ts';
import type { Fragments } from './fragments.ts';
import { createIterationTally } from './iteration-tally.ts';
import type { OffPolicySystem } from './off-policy-system.ts';
import { fragmentsPerIteration, numUpdatesDue, type PaceOptions } from './pace.ts';
import type { Iteration } from './shell.ts';

export interface OffPolicyLoop {
  readonly system: Pick<OffPolicySystem, 'replay' | 'scaling'>;
  readonly fragments: Fragments;
  /** Of a replay buffer that keeps more than fragments, or draws other things than transitions. Absent = `system.replay`, and its transitions. */
  readonly memory?: {
    append(rollout: RolloutViews): void;
    holdsBatch(): boolean;
  };
  readonly pace: PaceOptions & {
    readonly stepsPerIteration: number;
    readonly batchSize: number;
    readonly nStep: number;
  };
  /** Makes `numUpdates` updates; the run is at environment step `numEnvSteps`. */
  readonly learn: (numUpdates: number, numEnvSteps: number) => Promise<ObjectiveStats>;
  /** After each round, which took the run from one environment step to another: hard copies of targets. */
  readonly afterRound?: (before: number, after: number) => void;
  /** The algorithm's own at the end of an iteration, besides `train/<statistic>` of its objective. */
  readonly metrics: (numEnvSteps: number) => Metrics;
}

/**
 * For each round of an iteration:
 *
 *     fragment        trainEvery steps in every environment, with the published policy and its exploration
 *     append          to the replay buffer; observation statistics take it in
 *     learn           numUpdatesDue(...) updates, each from a batch of its own; none while the buffer does not hold one: a run that resumes
 *                     without its buffer collects first
 *     afterRound      targets, counted in environment steps
 *
 * @returns what the shell calls; `numEnvSteps` = environment steps of the run before the iteration.
 */
export function createOffPolicyIteration(loop: OffPolicyLoop): (numEnvSteps: number) => Promise<Iteration> {
  const { system, fragments, pace, learn, afterRound } = loop;
  const { replay, scaling } = system;
  const memory = loop.memory ?? {
    append: (rollout: RolloutViews) => replay.append(rollout),
    holdsBatch: () => replay.numSampleable(pace.nStep) >= pace.batchSize,
  };
  const { numSteps } = fragments;
  return async (numEnvSteps) => {
    const tally = createIterationTally();
    const numFragments = fragmentsPerIteration(pace.stepsPerIteration, numSteps);
    fragments.begin(numFragments, numEnvSteps);
    let learnMs = 0;
    let step = numEnvSteps;
    for (let k = 0; k < numFragments; k++, step += numSteps) {
      const next = fragments.next();
      const collected = next instanceof Promise ? await next : next;
      memory.append(collected.rollout);
      scaling.absorb(collected.rollout);
      tally.addFragment(collected);
      const numUpdates = memory.holdsBatch() ? numUpdatesDue(pace, step, step + numSteps) : 0;
      if (numUpdates > 0) {
        const begin = performance.now();
        tally.addUpdates(await learn(numUpdates, step + numSteps));
        learnMs += performance.now() - begin;
      }
      afterRound?.(step, step + numSteps);
    }
    return tally.finish(numFragments * numSteps, {
      ...tally.trainMetrics(),
      ...loop.metrics(step),
      'replay/size': replay.size,
      'time/rolloutMs': fragments.takeMs(),
      'time/learnMs': learnMs,
    });
  };
}
