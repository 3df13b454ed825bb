/** What an objective's learner holds: parameters and Adam's moments as tensors, and copies of them for whoever reads. */
import { ShapeError } from '../../../errors.ts';
import { type ModelSpec, modelLayout } from '../../../policy/networks/model.ts';
import type { TensorFlow } from '../../../policy/tensor-types.ts';
import type { ObjectiveSpec } from '../../objective.ts';
import type { ObjectiveLearner } from '../../objective-learner.ts';
import { blendTargets } from '../../target-blend.ts';
import type { LoadedTensorFlow } from '../backend.ts';
import type { ObjectiveVariables } from './step-function.ts';

/** Moved by whoever runs updates. */
export interface ObjectiveCounters {
  numUpdates: number;
  /** Adam's step counter, by group in the objective's order. */
  steps: number[];
}

type StateAccess = Pick<
  ObjectiveLearner,
  | 'layout'
  | 'readParameters'
  | 'readNetwork'
  | 'writeParameters'
  | 'readOptimizerState'
  | 'writeOptimizerState'
  | 'blendTargets'
>;

export interface ObjectiveState {
  readonly variables: ObjectiveVariables;
  readonly counters: ObjectiveCounters;
  /** The learner's part of reading and writing. */
  readonly access: StateAccess;
  /** After updates, also where one of them failed: the ones before it were applied. */
  fetchWhatMoved(): Promise<void>;
  dispose(): void;
}

/** A session that has values of its own for the variables; see `../capture/capture-graph.ts`. */
export interface VariableSession {
  pull(): void;
  push(): void;
}

/** Parameters and moments are zero at first. @param session the one that runs now, if any. */
export function createObjectiveState(
  { tf, backend }: LoadedTensorFlow,
  model: ModelSpec,
  objective: ObjectiveSpec,
  session: () => VariableSession | null,
): ObjectiveState {
  const layout = modelLayout(model);
  const variables = createVariables(tf, layout.size, layout.trainedSize);
  const counters: ObjectiveCounters = { numUpdates: 0, steps: objective.groups.map(() => 0) };
  let parameters: Float32Array = new Float32Array(layout.size);
  // WebGPU cannot be read synchronously, so Adam's moments are kept beside there, too
  const zeros = () => new Float32Array(layout.trainedSize);
  let moments: Record<'m' | 'v', Float32Array> | null =
    backend === 'webgpu' ? { m: zeros(), v: zeros() } : null;
  const write = (name: keyof ObjectiveVariables, values: Float32Array) => {
    assignVariable(tf, variables, name, values);
    session()?.push();
  };
  const readMoment = (name: 'm' | 'v'): Float32Array => {
    if (moments !== null) return moments[name].slice();
    session()?.pull();
    return Float32Array.from(variables[name].dataSync<'float32'>());
  };
  const fetch = async (name: keyof ObjectiveVariables) =>
    Float32Array.from(await variables[name].data<'float32'>());
  const access: StateAccess = {
    layout,
    ...readersOf(() => parameters, layout),
    writeParameters(values) {
      write('parameters', values);
      parameters = values.slice();
    },
    readOptimizerState: () => ({
      numUpdates: counters.numUpdates,
      steps: Object.fromEntries(objective.groups.map(({ name }, g) => [name, counters.steps[g]])),
      m: readMoment('m'),
      v: readMoment('v'),
    }),
    writeOptimizerState({ numUpdates, steps, m, v }) {
      write('m', m);
      write('v', v);
      if (moments !== null) moments = { m: m.slice(), v: v.slice() };
      counters.numUpdates = numUpdates;
      counters.steps = objective.groups.map(({ name }) => steps[name]);
    },
    blendTargets(tau) {
      blendTargets(layout, model, parameters, tau);
      write('parameters', parameters);
    },
  };
  return {
    variables,
    counters,
    access,
    async fetchWhatMoved() {
      session()?.pull();
      parameters = await fetch('parameters');
      if (moments !== null) moments = { m: await fetch('m'), v: await fetch('v') };
    },
    dispose: () => tf.dispose(Object.values(variables)),
  };
}

function readersOf(
  parameters: () => Float32Array,
  { size, ranges }: StateAccess['layout'],
): Pick<StateAccess, 'readParameters' | 'readNetwork'> {
  return {
    readParameters(out = new Float32Array(size)) {
      out.set(parameters());
      return out;
    },
    readNetwork(name, out) {
      const { offset, size: length } = ranges[name];
      const part = parameters().subarray(offset, offset + length);
      if (out === undefined) return part.slice();
      out.set(part);
      return out;
    },
  };
}

function createVariables(tf: TensorFlow, size: number, trainedSize: number): ObjectiveVariables {
  const zeros = (length: number) => tf.tidy(() => tf.variable(tf.zeros([length]), false));
  return { parameters: zeros(size), m: zeros(trainedSize), v: zeros(trainedSize) };
}

function assignVariable(
  tf: TensorFlow,
  variables: ObjectiveVariables,
  name: keyof ObjectiveVariables,
  values: Float32Array,
): void {
  const [expected] = variables[name].shape;
  if (values.length !== expected) {
    throw new ShapeError(
      'SHAPE_PARAMETERS',
      `Expected ${name} of ${expected} elements, got ${values.length}.`,
    );
  }
  tf.tidy(() => variables[name].assign(tf.tensor1d(values.slice(), 'float32')));
}
