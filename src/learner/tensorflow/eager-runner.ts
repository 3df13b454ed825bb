/** Runs every minibatch as tfjs operations, one by one: for every backend. */
import type { Scalar, TensorFlow } from '../../policy/tensor-types.ts';
import type { RolloutViews } from '../../rollout/layout.ts';
import type { UpdatePlan } from '../learner.ts';
import { type AdamOptions, type AdamVariables, adamStep } from './adam.ts';
import { type GradientStepOptions, gradientStep, type StatisticsTensors } from './gradient-step.ts';
import { gatherMinibatch } from './minibatch.ts';
import { minibatchRanges, type UpdateRunner, type UpdateTotals } from './update-runner.ts';

export interface EagerRunnerOptions extends GradientStepOptions {
  readonly variables: AdamVariables;
  readonly adam: AdamOptions;
}

/** What an update holds while it runs; scalars and statistics are tensors to be freed at its end. */
interface RunningUpdate {
  readonly rollout: RolloutViews;
  readonly plan: UpdatePlan;
  readonly scalars: Readonly<Record<string, Scalar>>;
  readonly statistics: StatisticsTensors | null;
  readonly firstStep: number;
  readonly sums: Float64Array; // [S]
  numRun: number;
  numApplied: number;
  failure: UpdateTotals['failure'];
}

const MAX_STATS = 64;

export function createEagerRunner(tf: TensorFlow, options: EagerRunnerOptions): UpdateRunner {
  const statNames: string[] = [];
  let running: RunningUpdate | null = null;

  const runMinibatch = async (update: RunningUpdate, indices: Int32Array) => {
    const { plan } = update;
    const { stats, gradient } = tf.tidy(() =>
      gradientStep(
        tf,
        options,
        options.variables.parameters,
        gatherMinibatch(tf, options.spec, update.rollout, indices),
        update.statistics,
        plan.normalizeAdvantages,
        update.scalars,
        statNames,
      ),
    );
    const values = await stats.data<'float32'>();
    const finite = values.every(Number.isFinite);
    if (finite) {
      update.numApplied += 1;
      const t = update.firstStep + update.numApplied;
      adamStep(tf, options.variables, gradient, t, plan.scalars.learningRate, options.adam);
      for (let k = 0; k < values.length; k += 1) update.sums[k] += values[k];
    } else {
      update.failure ??= { minibatch: update.numRun, stats: values };
    }
    update.numRun += 1;
    tf.dispose([stats, gradient]);
  };

  return {
    statNames,
    readsAreCostly: false,
    begin(rollout, plan, numSteps) {
      running = {
        rollout,
        plan,
        scalars: Object.fromEntries(
          Object.entries(plan.scalars).map(([name, value]) => [name, tf.keep(tf.scalar(value, 'float32'))]),
        ),
        statistics: statisticsTensors(tf, plan),
        firstStep: numSteps,
        sums: new Float64Array(MAX_STATS),
        numRun: 0,
        numApplied: 0,
        failure: null,
      };
    },
    async runEpoch(epoch) {
      if (running === null) throw new TypeError('Expected `begin` before `runEpoch`.');
      for (const [start, end] of minibatchRanges(running.plan, epoch)) {
        if (running.failure !== null && running.plan.nonFinite === 'stop') return;
        await runMinibatch(running, running.plan.permutations.slice(start, end));
      }
    },
    async readTotals() {
      if (running === null) throw new TypeError('Expected `begin` before `readTotals`.');
      const { numRun, numApplied, failure } = running;
      return { sums: running.sums.slice(), numRun, numApplied, failure };
    },
    end() {
      if (running !== null)
        tf.dispose([Object.values(running.scalars), Object.values(running.statistics ?? {})]);
      running = null;
    },
    dispose() {},
  };
}

/** Fresh arrays: tfjs keeps a reference to what it is given. */
export function statisticsTensors(
  tf: TensorFlow,
  { observationStatistics }: Pick<UpdatePlan, 'observationStatistics'>,
): StatisticsTensors | null {
  if (observationStatistics === null) return null;
  return {
    mean: tf.keep(tf.tensor1d(observationStatistics.mean.slice(), 'float32')),
    inverseStd: tf.keep(tf.tensor1d(observationStatistics.inverseStd.slice(), 'float32')),
  };
}
