/**
 * Runs each minibatch as one session call of a captured graph.
 *
 * Parameters and Adam's moments live in the session; so does the rollout, uploaded once per update, out of which the graph
 * gathers a minibatch by its indices. Statistics are summed in the session and read once per update (once per epoch with a
 * target KL). What crosses per minibatch is the array of indices.
 */
import type { Scalar, Tensor, TensorFlow } from '../../../policy/tensor-types.ts';
import type { UpdatePlan } from '../../learner.ts';
import type { AdamOptions } from '../adam.ts';
import { type GradientStepOptions, gradientStep, type StatisticsTensors } from '../gradient-step.ts';
import { minibatchRanges, minibatchSizes, type StateName, type UpdateRunner } from '../update-runner.ts';
import { type AdamGraphVariables, emitAdam } from './captured-adam.ts';
import { createControl, type UpdateControl } from './captured-control.ts';
import type { GraphVariable } from './graph-nodes.ts';
import { createGraphRecorder, type GraphFunction, type GraphRecorder } from './graph-recorder.ts';
import { type GraphSession, openGraphSession, type VariableWrite } from './graph-session.ts';
import { createRolloutVariables, type RolloutVariables } from './rollout-variables.ts';

export interface CapturedRunnerOptions extends GradientStepOptions {
  readonly adam: AdamOptions;
  readonly parameters: Float32Array; // [layout.size] f32
}

/** A loaded graph, for the plans that have this key. */
interface UpdateGraph {
  readonly key: string;
  readonly session: GraphSession;
  readonly state: AdamGraphVariables;
  readonly scalars: Readonly<Record<string, GraphVariable>>;
  readonly statistics: Readonly<Record<'mean' | 'inverseStd', GraphVariable>> | null;
  readonly rollout: RolloutVariables;
  readonly control: UpdateControl;
  /** One recorded update per minibatch size. */
  readonly steps: ReadonlyMap<number, GraphFunction>;
}

/** Another graph is captured when a plan's sizes, scalars or switches change; values may change freely. */
export function createCapturedRunner(tf: TensorFlow, options: CapturedRunnerOptions): UpdateRunner {
  const statNames: string[] = [];
  const size = options.parameters.length;
  const state: Record<StateName, Float32Array> = {
    parameters: options.parameters.slice(),
    m: new Float32Array(size),
    v: new Float32Array(size),
  };
  let graph: UpdateGraph | null = null;
  let plan: UpdatePlan | null = null;

  const provideGraph = (wanted: UpdatePlan): UpdateGraph => {
    const key = keyOf(wanted);
    if (graph?.key === key) return graph;
    if (graph !== null) retireGraph(graph, state);
    graph = captureUpdate(tf, options, wanted, key, statNames);
    writeState(graph, state);
    return graph;
  };
  const running = () => {
    if (graph === null || plan === null) throw new TypeError('Expected `begin` first.');
    return { graph, plan };
  };

  return {
    statNames,
    readsAreCostly: true,
    get numSessionCalls() {
      return graph?.session.numCalls ?? 0;
    },
    begin(rollout, nextPlan, numSteps) {
      const current = provideGraph(nextPlan);
      plan = nextPlan;
      current.session.write([
        ...current.rollout.upload(rollout),
        ...current.control.reset(nextPlan.nonFinite === 'stop', numSteps),
        ...scalarWrites(current, nextPlan),
        ...statisticsWrites(current, nextPlan),
      ]);
    },
    async runEpoch(epoch) {
      const current = running();
      for (const [start, end] of minibatchRanges(current.plan, epoch)) {
        const step = current.graph.steps.get(end - start);
        if (step === undefined) throw new TypeError(`No graph for a minibatch of ${end - start} rows.`);
        current.graph.session.execute(step, [current.plan.permutations.slice(start, end)]);
      }
    },
    async readTotals() {
      const current = running().graph;
      return current.control.readTotals(current.session);
    },
    end() {
      plan = null;
    },
    readState(name) {
      if (graph === null) return state[name].slice();
      return graph.session.read(graph.state[name]) as Float32Array;
    },
    async fetchState(name) {
      return this.readState(name);
    },
    writeState(name, values) {
      if (graph === null) state[name] = values.slice();
      else graph.session.write([{ variable: graph.state[name], values: values.slice() }]);
    },
    dispose() {
      graph?.session.dispose();
      graph = null;
    },
  };
}

/** State goes through host memory from one graph to the next. */
function retireGraph(
  { session, state: variables }: UpdateGraph,
  state: Record<StateName, Float32Array>,
): void {
  for (const name of STATE_NAMES) state[name] = session.read(variables[name]) as Float32Array;
  session.dispose();
}

function writeState(
  { session, state: variables }: UpdateGraph,
  state: Record<StateName, Float32Array>,
): void {
  session.write(STATE_NAMES.map((name) => ({ variable: variables[name], values: state[name].slice() })));
}

const STATE_NAMES = ['parameters', 'm', 'v'] as const;

function keyOf(plan: UpdatePlan): string {
  return JSON.stringify([
    minibatchSizes(plan),
    Object.keys(plan.scalars),
    plan.normalizeAdvantages,
    plan.nonFinite === 'clip',
    plan.observationStatistics !== null,
  ]);
}

function scalarWrites({ scalars }: UpdateGraph, plan: UpdatePlan): VariableWrite[] {
  return Object.entries(scalars).map(([name, variable]) => ({
    variable,
    values: Float32Array.of(plan.scalars[name]),
  }));
}

function statisticsWrites(
  { statistics }: UpdateGraph,
  { observationStatistics }: UpdatePlan,
): VariableWrite[] {
  if (statistics === null || observationStatistics === null) return [];
  return [
    { variable: statistics.mean, values: observationStatistics.mean.slice() },
    { variable: statistics.inverseStd, values: observationStatistics.inverseStd.slice() },
  ];
}

/** Records one update per minibatch size and loads them into a session. */
function captureUpdate(
  tf: TensorFlow,
  options: CapturedRunnerOptions,
  plan: UpdatePlan,
  key: string,
  statNames: string[],
): UpdateGraph {
  const recorder = createGraphRecorder(tf);
  const { zeros } = recorder;
  const size = options.parameters.length;
  const state = { parameters: zeros([size]), m: zeros([size]), v: zeros([size]) };
  const scalars = Object.fromEntries(Object.keys(plan.scalars).map((name) => [name, zeros([])]));
  const { observationSize } = options.spec;
  const statistics =
    plan.observationStatistics === null
      ? null
      : { mean: zeros([observationSize]), inverseStd: zeros([observationSize]) };
  const rollout = createRolloutVariables(tf, recorder, options.spec, options.sequenceLength, options.burnIn);
  try {
    const variables = { recorder, state, scalars, statistics, rollout, control: createControl(tf, recorder) };
    const steps = new Map(
      minibatchSizes(plan).map((numRows) => [
        numRows,
        recordStep(tf, options, plan, variables, numRows, statNames),
      ]),
    );
    const session = openGraphSession(tf, recorder);
    return { key, session, steps, ...variables };
  } finally {
    tf.dispose(recorder.variables.map(({ standIn }) => standIn));
  }
}

interface StepVariables extends Omit<UpdateGraph, 'key' | 'session' | 'steps'> {
  readonly recorder: GraphRecorder;
}

/** One update: gather, loss, gradient, statistics, Adam. Its input is the minibatch's indices. */
function recordStep(
  tf: TensorFlow,
  options: CapturedRunnerOptions,
  plan: UpdatePlan,
  { recorder, state, scalars, statistics, rollout, control }: StepVariables,
  numRows: number,
  statNames: string[],
): GraphFunction {
  const example = tf.zeros([numRows], 'int32');
  try {
    return recorder.record(
      `update of ${numRows} rows`,
      (indices) => {
        const { stats, gradient } = gradientStep(
          tf,
          options,
          state.parameters.standIn,
          rollout.gather(indices),
          statistics === null ? null : (standIns(statistics) as unknown as StatisticsTensors),
          plan,
          standIns(scalars) as unknown as Record<string, Scalar>,
          statNames,
        );
        const { apply, t, numRun } = control.track(stats, plan.nonFinite === 'clip');
        const learningRate = scalars.learningRate.standIn;
        emitAdam(tf, recorder, state, { gradient, apply, t, learningRate }, options.adam);
        return [numRun];
      },
      [example],
    );
  } finally {
    example.dispose();
  }
}

function standIns(variables: Readonly<Record<string, GraphVariable>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(variables).map(([name, { standIn }]) => [name, standIn]));
}
