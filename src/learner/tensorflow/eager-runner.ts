/** Runs every minibatch as tfjs operations, one by one: for every backend. */

import type { RolloutViews } from '../../experience/layout.ts';
import type { Scalar, TensorFlow } from '../../policy/tensor-types.ts';
import type { UpdatePlan } from '../learner.ts';
import { type AdamOptions, type AdamVariables, adamStep } from './adam.ts';
import { type GradientStepOptions, gradientStep, type StatisticsTensors } from './gradient-step.ts';
import { gatherMinibatch } from './minibatch.ts';
import { MAX_STATS, minibatchRanges, type UpdateRunner, type UpdateTotals } from './update-runner.ts';

export interface EagerRunnerOptions extends GradientStepOptions {
  readonly adam: AdamOptions;
  readonly parameters: Float32Array; // [layout.size] f32, copied
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
  numClipped: number;
  failure: UpdateTotals['failure'];
}

export function createEagerRunner(tf: TensorFlow, options: EagerRunnerOptions): UpdateRunner {
  const statNames: string[] = [];
  const variables = createVariables(tf, options.parameters);
  let running: RunningUpdate | null = null;

  return {
    statNames,
    readsAreCostly: false,
    numSessionCalls: 0,
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
        numClipped: 0,
        failure: null,
      };
    },
    async runEpoch(epoch) {
      if (running === null) throw new TypeError('Expected `begin` before `runEpoch`.');
      for (const [start, end] of minibatchRanges(running.plan, epoch)) {
        if (running.failure !== null && running.plan.nonFinite === 'stop') return;
        const indices = running.plan.permutations.slice(start, end);
        await runMinibatch(tf, options, variables, running, indices, statNames);
      }
    },
    async readTotals() {
      if (running === null) throw new TypeError('Expected `begin` before `readTotals`.');
      const { numRun, numApplied, numClipped, failure } = running;
      return { sums: running.sums.slice(), numRun, numApplied, numClipped, failure };
    },
    end() {
      if (running !== null)
        tf.dispose([Object.values(running.scalars), Object.values(running.statistics ?? {})]);
      running = null;
    },
    readState: (name) => Float32Array.from(variables[name].dataSync<'float32'>()),
    fetchState: async (name) => Float32Array.from(await variables[name].data<'float32'>()),
    writeState(name, values) {
      tf.tidy(() => variables[name].assign(tf.tensor1d(values.slice(), 'float32')));
    },
    dispose() {
      tf.dispose([variables.parameters, variables.m, variables.v]);
    },
  };
}

async function runMinibatch(
  tf: TensorFlow,
  options: EagerRunnerOptions,
  variables: AdamVariables,
  update: RunningUpdate,
  indices: Int32Array,
  statNames: string[],
): Promise<void> {
  const { plan } = update;
  const { stats, gradient } = tf.tidy(() =>
    gradientStep(
      tf,
      options,
      variables.parameters,
      gatherMinibatch(tf, options.spec, update.rollout, indices, options.sequenceLength),
      update.statistics,
      plan,
      update.scalars,
      statNames,
    ),
  );
  const values = await stats.data<'float32'>();
  const areFinite = values.every(Number.isFinite);
  if (areFinite || plan.nonFinite === 'clip') {
    update.numApplied += 1;
    const t = update.firstStep + update.numApplied;
    adamStep(tf, variables, gradient, t, plan.scalars.learningRate, options.adam);
  }
  if (areFinite) for (let k = 0; k < values.length; k += 1) update.sums[k] += values[k];
  else if (plan.nonFinite === 'clip') update.numClipped += 1;
  else update.failure ??= { minibatch: update.numRun, stats: values };
  update.numRun += 1;
  tf.dispose([stats, gradient]);
}

function createVariables(tf: TensorFlow, parameters: Float32Array): AdamVariables {
  const variable = (values: Float32Array) =>
    tf.tidy(() => tf.variable(tf.tensor1d(values, 'float32'), false));
  return {
    parameters: variable(parameters.slice()),
    m: variable(new Float32Array(parameters.length)),
    v: variable(new Float32Array(parameters.length)),
  };
}

/** Fresh arrays: tfjs keeps a reference to what it is given. */
function statisticsTensors(
  tf: TensorFlow,
  { observationStatistics }: Pick<UpdatePlan, 'observationStatistics'>,
): StatisticsTensors | null {
  if (observationStatistics === null) return null;
  return {
    mean: tf.keep(tf.tensor1d(observationStatistics.mean.slice(), 'float32')),
    inverseStd: tf.keep(tf.tensor1d(observationStatistics.inverseStd.slice(), 'float32')),
  };
}
