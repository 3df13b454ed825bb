/** The TensorFlow engine: any network and any loss that tfjs can express, on whichever backend was loaded. */

import { EngineError, ShapeError } from '../../errors.ts';
import type { RolloutViews } from '../../experience/layout.ts';
import {
  type CustomNetwork,
  initializeCustomParameters,
  loadCustomNetwork,
} from '../../policy/custom-network.ts';
import { initializeParameters } from '../../policy/initialize.ts';
import type { PolicySpec } from '../../policy/policy-spec.ts';
import { createTensorNetwork, type TensorNetwork } from '../../policy/tensor-network.ts';
import type { Stream } from '../../random/streams.ts';
import type { Learner, OptimizerState, UpdatePlan, UpdateStats } from '../learner.ts';
import { describeLargest } from '../non-finite-causes.ts';
import { ADAM_DEFAULTS, type AdamOptions } from './adam.ts';
import type { LoadedTensorFlow } from './backend.ts';
import { createCapturedRunner } from './capture/captured-runner.ts';
import { createTensorFlowPolicy, type TensorFlowPolicy } from './central-policy.ts';
import { describeBackend } from './describe-backend.ts';
import { createEagerRunner } from './eager-runner.ts';
import type { TensorLoss } from './tensor-loss.ts';
import type { UpdateRunner, UpdateTotals } from './update-runner.ts';

export interface TensorFlowLearnerOptions {
  readonly tensorflow: LoadedTensorFlow;
  readonly spec: PolicySpec;
  readonly loss: TensorLoss;
  /** First parameters, or the stream to draw them from. */
  readonly initial: Float32Array | Stream;
  readonly adam?: Partial<AdamOptions>;
  /** Whether updates run as captured graphs on the native binding (default true); the other backends always run eagerly. */
  readonly capture?: boolean;
  /** Global norm to which gradients are clipped; null = no clipping. */
  readonly maxGradNorm: number | null;
  /** Of a recurrent policy. Default: none. */
  readonly sequenceLength?: number;
  /** As the rollouts' layout has it. Default: 0. */
  readonly burnIn?: number;
}

export interface TensorFlowLearner extends Learner {
  readonly engine: 'tensorflow';
  /** Acts with the weights that were published to it, not with the learner's moving ones. */
  readonly policy: TensorFlowPolicy;
  /** Session calls of the captured graph so far; 0 when running eagerly. */
  readonly numSessionCalls: number;
}

/** Share of targetKl above which an update stops (Spinning Up's rule). */
const KL_FACTOR = 1.5;

/**
 * Makes a learner for one policy.
 *
 * The parameters, and Adam's two moments, are one tensor each: slices of it are the network's weights, so reading, writing,
 * clipping and stepping are single operations. Every array that goes in or out is copied.
 *
 * @throws EngineError `ENGINE_NETWORK` when a custom network's module cannot be used. ShapeError `SHAPE_PARAMETERS`.
 * Thread: main. Not reentrant: one `update` at a time.
 */
export async function createTensorFlowLearner(options: TensorFlowLearnerOptions): Promise<TensorFlowLearner> {
  const { tensorflow, spec, loss, maxGradNorm } = options;
  const { tf } = tensorflow;
  const custom = spec.network.kind === 'custom' ? await loadCustomNetwork(tf, spec, spec.network) : null;
  const network = createTensorNetwork(tf, spec, custom);
  const { layout } = network;
  let parameters = initialParameters(spec, network, custom, options.initial);
  checkSize('parameters', parameters, layout.size);
  const adam = { ...ADAM_DEFAULTS, ...options.adam };
  const capture = tensorflow.backend === 'node-gpu' && options.capture !== false;
  const createRunner = capture ? createCapturedRunner : createEagerRunner;
  const runner = createRunner(tf, {
    ...{ spec, network, loss, maxGradNorm, adam, parameters },
    sequenceLength: options.sequenceLength ?? null,
    burnIn: options.burnIn ?? 0,
  });
  const policy = createTensorFlowPolicy({ tensorflow, spec, network, parameters, capture });
  let numSteps = 0;
  // WebGPU cannot be read synchronously, so the optimizer's state is kept beside there.
  const zeros = () => new Float32Array(layout.size);
  let moments: Record<'m' | 'v', Float32Array> | null =
    tensorflow.backend === 'webgpu' ? { m: zeros(), v: zeros() } : null;

  return {
    engine: 'tensorflow',
    backend: describeBackend(tensorflow),
    layout,
    policy,
    get numSessionCalls() {
      return runner.numSessionCalls;
    },
    readParameters(out = new Float32Array(layout.size)) {
      out.set(parameters);
      return out;
    },
    writeParameters(values) {
      checkSize('parameters', values, layout.size);
      parameters = values.slice();
      runner.writeState('parameters', values);
    },
    readOptimizerState(): OptimizerState {
      const m = moments?.m.slice() ?? runner.readState('m');
      const v = moments?.v.slice() ?? runner.readState('v');
      return { step: numSteps, m, v };
    },
    writeOptimizerState({ step, m, v }) {
      checkSize('m', m, layout.size);
      checkSize('v', v, layout.size);
      numSteps = step;
      runner.writeState('m', m);
      runner.writeState('v', v);
      if (moments !== null) moments = { m: m.slice(), v: v.slice() };
    },
    async update(rollout, plan) {
      const { stats, numApplied } = await runUpdate(runner, rollout, plan, numSteps, () =>
        describeLargest(rollout, layout, parameters),
      );
      numSteps += numApplied;
      parameters = await runner.fetchState('parameters');
      if (moments !== null) {
        moments = { m: await runner.fetchState('m'), v: await runner.fetchState('v') };
      }
      if (stats instanceof EngineError) throw stats;
      return stats;
    },
    async dispose() {
      runner.dispose();
      policy.dispose();
    },
  };
}

function initialParameters(
  spec: PolicySpec,
  { layout }: TensorNetwork,
  custom: CustomNetwork | null,
  initial: Float32Array | Stream,
): Float32Array {
  if (initial instanceof Float32Array) return initial.slice();
  const parameters = initializeParameters(spec, layout, initial);
  if (custom !== null) initializeCustomParameters(custom, layout, parameters, initial);
  return parameters;
}

/** Runs the epochs with the stop rule; an error that the plan asks for is returned, after the bookkeeping is done. */
async function runUpdate(
  runner: UpdateRunner,
  rollout: RolloutViews,
  plan: UpdatePlan,
  numSteps: number,
  causes: () => string,
): Promise<{ stats: UpdateStats | EngineError; numApplied: number }> {
  runner.begin(rollout, plan, numSteps);
  try {
    const readEveryEpoch = plan.targetKl !== null || !runner.readsAreCostly;
    let totals: UpdateTotals = { sums: [], numRun: 0, numApplied: 0, numClipped: 0, failure: null };
    let numEpochs = 0;
    while (numEpochs < plan.numEpochs) {
      await runner.runEpoch(numEpochs);
      numEpochs += 1;
      if (!readEveryEpoch && numEpochs < plan.numEpochs) continue;
      const before = totals;
      totals = await runner.readTotals();
      await new Promise((resolve) => setImmediate(resolve)); // signals and workers get their turn
      if (totals.failure !== null && plan.nonFinite === 'stop') {
        return {
          stats: nonFiniteError(runner.statNames, totals.failure, plan, causes()),
          numApplied: totals.numApplied,
        };
      }
      if (plan.targetKl === null) continue;
      const kl = runner.statNames.indexOf('approxKl');
      const mean = (totals.sums[kl] - (before.sums[kl] ?? 0)) / (numFinite(totals) - numFinite(before));
      if (mean > KL_FACTOR * plan.targetKl) break;
    }
    return { stats: means(runner.statNames, totals, numEpochs), numApplied: totals.numApplied };
  } finally {
    runner.end();
  }
}

function means(names: readonly string[], totals: UpdateTotals, numEpochs: number): UpdateStats {
  const { sums, numRun, numApplied, numClipped } = totals;
  const count = numFinite(totals);
  return {
    means: Object.fromEntries(names.map((name, k) => [name, sums[k] / count])),
    numEpochs,
    numMinibatches: numRun,
    numSkipped: numRun - numApplied,
    numClipped,
  };
}

/** Minibatches that are in the means. */
const numFinite = ({ numApplied, numClipped }: UpdateTotals): number => numApplied - numClipped;

function nonFiniteError(
  names: readonly string[],
  failure: NonNullable<UpdateTotals['failure']>,
  plan: UpdatePlan,
  causes: string,
): EngineError {
  const perEpoch = Math.ceil(plan.permutations.length / plan.numEpochs / plan.minibatchSize);
  const bad = names
    .map((name, k) => ({ name, value: failure.stats[k] }))
    .filter(({ value }) => !Number.isFinite(value));
  const { name, value } = bad.find((stat) => stat.name !== 'loss') ?? bad[0];
  return new EngineError(
    'ENGINE_NON_FINITE',
    `Expected finite numbers, got ${name} = ${value} in epoch ${Math.floor(failure.minibatch / perEpoch)}, minibatch ${failure.minibatch % perEpoch}. ` +
      `The step was not applied. ${causes}`,
  );
}

function checkSize(name: string, values: Float32Array, size: number): void {
  if (values.length !== size) {
    throw new ShapeError(
      'SHAPE_PARAMETERS',
      `Expected \`${name}\` of ${size} elements, got ${values.length}.`,
    );
  }
}
