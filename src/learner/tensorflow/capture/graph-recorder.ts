/**
 * Records tfjs functions as one TensorFlow graph.
 *
 * A function runs once, eagerly, on the node backend; every native operation that it makes is written down with its
 * attributes, inputs and outputs. Inputs become placeholders, declared variables become resource variables, every other
 * tensor that the function meets becomes a constant, and each variable that it assigned becomes an assignment. Several
 * functions recorded by one recorder share their variables.
 */
import { EngineError } from '../../../errors.ts';
import type { Tensor, TensorFlow, Variable } from '../../../policy/tensor-types.ts';
import type { NativeBinding, NodeBackend } from '../native-binding.ts';
import {
  createGraphNodes,
  encodeAttributes,
  type GraphNodes,
  type GraphVariable,
  handleName,
  readName,
  variableNodes,
} from './graph-nodes.ts';
import { DATA_TYPES, type GraphDtype, type Message, shapeAttribute, typeAttribute } from './protobuf.ts';
import { describeTensor, type TensorDescription } from './tensor-description.ts';

export interface GraphInput {
  readonly dtype: GraphDtype;
  readonly shape: readonly number[];
}

/** A recorded function: what to feed and what to fetch. */
export interface GraphFunction {
  readonly name: string;
  readonly inputs: readonly GraphInput[];
  readonly inputNames: string;
  readonly outputNames: string;
}

/** A node that tfjs has no operation for. */
export interface EmittedNode {
  readonly op: string;
  readonly attributes: Readonly<Record<string, Message>>;
  readonly inputs: readonly (Tensor | GraphVariable)[];
  /** Tensors of the right shapes that stand for the node's outputs in what follows; their values do not matter. */
  readonly outputs?: readonly Tensor[];
  /** True when the node is wanted for its effect: it runs before the function's outputs are given. */
  readonly effect?: boolean;
}

export interface GraphRecorder {
  readonly variables: readonly GraphVariable[];
  readonly functions: readonly GraphFunction[];
  /** The graph so far, NodeDefs. */
  readonly nodes: readonly Message[];
  /** Declares a float32 variable of zeros with a stand-in of its own. */
  zeros(shape: readonly number[]): GraphVariable;
  /** @param options dtype and shape of the session's variable where they differ from the stand-in's. */
  variable(standIn: Variable, options?: { dtype?: GraphDtype; shape?: readonly number[] }): GraphVariable;
  /**
   * Runs and records a function. Stand-ins get their values back afterwards.
   *
   * Random numbers that tfjs draws in JavaScript (`tf.randomNormal`) would become constants: make them inputs.
   *
   * @param dtypes of the session's inputs where they differ from the examples' (8-bit ones, which tfjs does not know).
   * @param fn a pure function of its inputs and of the declared variables, which it may assign.
   * @throws EngineError `ENGINE_CAPTURE` naming the operation, when the function reads a tensor's value or makes an
   * operation that cannot be written into a graph.
   */
  record(
    name: string,
    fn: (...inputs: Tensor[]) => readonly Tensor[],
    examples: readonly Tensor[],
    dtypes?: readonly GraphDtype[],
  ): GraphFunction;
  /** Writes a node by hand; only inside a function that is being recorded. */
  emit(node: EmittedNode): void;
}

/** What is known while one function is recorded. */
interface Recording {
  readonly name: string;
  readonly nodes: GraphNodes;
  readonly binding: NativeBinding;
  /** Graph name of each native tensor. */
  readonly names: Map<number, string>;
  /** Graph names of the placeholders. */
  readonly inputs: ReadonlySet<string>;
  /** Native tensors that depend on inputs or variables. */
  readonly computed: Set<number>;
  /** Tensors made from arrays meanwhile. */
  readonly constants: Map<number, TensorDescription>;
  /** Shapes of native tensors, where they are known. */
  readonly shapes: Map<number, readonly number[]>;
  /** Native tensors that are products: of matrices, or of an image and a filter. */
  readonly products: Set<number>;
  /** Nodes to run before the outputs are given. */
  readonly effects: string[];
}

export function createGraphRecorder(tf: TensorFlow): GraphRecorder {
  const backend = tf.backend() as unknown as NodeBackend;
  const nodes = createGraphNodes();
  const variables: GraphVariable[] = [];
  const functions: GraphFunction[] = [];
  let current: Recording | null = null;
  const declare: GraphRecorder['variable'] = (standIn, options = {}) => {
    const { dtype = standIn.dtype as GraphDtype, shape = standIn.shape } = options;
    const variable: GraphVariable = { index: variables.length, dtype, shape, standIn };
    variables.push(variable);
    nodes.messages.push(...variableNodes(variable));
    return variable;
  };
  return {
    variables,
    functions,
    nodes: nodes.messages,
    variable: declare,
    zeros: (shape) => declare(tf.tidy(() => tf.variable(tf.zeros([...shape]), false))),
    emit(node) {
      if (current === null) throw new TypeError('Expected `emit` inside a function that is being recorded.');
      emitNode(backend, current, node);
    },
    record(name, fn, examples, dtypes = examples.map(({ dtype }) => dtype as GraphDtype)) {
      const { binding } = backend;
      const before = variables.map(({ standIn }) => ({ dataId: standIn.dataId, value: tf.clone(standIn) }));
      const recording = startRecording(backend, nodes, name, examples, dtypes, variables);
      current = recording;
      backend.binding = recordingBinding(recording);
      try {
        const outputs = tf.tidy(() => fn(...examples) as Tensor[]);
        const assigned = variables.filter(({ standIn }, k) => standIn.dataId !== before[k].dataId);
        const outputNames = finishRecording(backend, recording, outputs, assigned);
        tf.dispose(outputs);
        const inputs = examples.map(({ shape }, k) => ({ dtype: dtypes[k], shape }));
        const inputNames = backend.getInputTensorIds(examples).map((id) => `${recording.names.get(id)}:0`);
        const recorded = {
          name,
          inputs,
          inputNames: inputNames.join(','),
          outputNames: outputNames.join(','),
        };
        functions.push(recorded);
        return recorded;
      } finally {
        backend.binding = binding;
        current = null;
        variables.forEach(({ standIn }, k) => {
          standIn.assign(before[k].value);
          before[k].value.dispose();
        });
      }
    },
  };
}

function startRecording(
  backend: NodeBackend,
  nodes: GraphNodes,
  name: string,
  examples: readonly Tensor[],
  dtypes: readonly GraphDtype[],
  variables: readonly GraphVariable[],
): Recording {
  const names = new Map<number, string>();
  const shapes = new Map<number, readonly number[]>();
  backend.getInputTensorIds(examples).forEach((id, k) => {
    shapes.set(id, examples[k].shape);
    const dtype = typeAttribute(DATA_TYPES[dtypes[k]]);
    const attributes = { dtype, shape: shapeAttribute(examples[k].shape) };
    names.set(id, nodes.add('Placeholder', [], attributes));
  });
  const inputs = new Set(names.values());
  const standIns = variables.map(({ standIn }) => standIn);
  backend.getInputTensorIds(standIns).forEach((id, k) => {
    names.set(id, readName(variables[k]));
    shapes.set(id, standIns[k].shape);
  });
  const computed = new Set(names.keys());
  const { binding } = backend;
  return {
    name,
    nodes,
    binding,
    names,
    inputs,
    computed,
    constants: new Map(),
    shapes,
    products: new Set(),
    effects: [],
  };
}

/** Writes assignments and outputs; returns the outputs' names. */
function finishRecording(
  backend: NodeBackend,
  recording: Recording,
  outputs: readonly Tensor[],
  assigned: readonly GraphVariable[],
): string[] {
  const { nodes, effects } = recording;
  for (const variable of assigned) {
    const given = nameOf(recording, backend.getInputTensorIds([variable.standIn])[0]);
    const T = typeAttribute(DATA_TYPES[variable.dtype]);
    const value = recording.inputs.has(given) ? nodes.add('DeepCopy', [given], { T }) : given; // see variableNodes
    const dtype = typeAttribute(DATA_TYPES[variable.dtype]);
    effects.push(nodes.add('AssignVariableOp', [handleName(variable), value], { dtype }));
  }
  const control = effects.map((effect) => `^${effect}`);
  const outputIds = backend.getInputTensorIds(outputs);
  return outputs.map((output, k) => {
    const T = typeAttribute(DATA_TYPES[output.dtype as GraphDtype]);
    return `${nodes.add('Identity', [nameOf(recording, outputIds[k]), ...control], { T })}:0`;
  });
}

/** Graph name of a native tensor; one that is not known yet becomes a constant. */
function nameOf(recording: Recording, id: number): string {
  const known = recording.names.get(id);
  if (known !== undefined) return known;
  const { dtype, shape, values } = recording.constants.get(id) ?? describeTensor(recording.binding, id);
  const name = recording.nodes.addConstant(dtype, shape, values);
  recording.names.set(id, name);
  return name;
}

/** The binding as a function sees it while it is recorded. */
function recordingBinding(recording: Recording): NativeBinding {
  const { binding, names, computed } = recording;
  const createTensor: NativeBinding['createTensor'] = (shape, dtype, values) => {
    const id = binding.createTensor(shape, dtype, values);
    recording.constants.set(id, { shape: [...shape], dtype, values });
    return id;
  };
  const executeOp: NativeBinding['executeOp'] = (op, attributes, inputs, numOutputs) => {
    const inputNames = inputs.map((id) => nameOf(recording, id));
    const outputs = binding.executeOp(op, attributes, inputs, numOutputs);
    const graphOp = addsBias(recording, op, inputs) ? 'BiasAdd' : op;
    const name = recording.nodes.add(graphOp, inputNames, encodeAttributes(binding, op, attributes));
    const depends = inputs.some((id) => computed.has(id));
    if (op === 'MatMul' || op === 'Conv2D') recording.products.add(outputs[0].id);
    outputs.forEach(({ id, shape }, k) => {
      names.set(id, k === 0 ? name : `${name}:${k}`);
      recording.shapes.set(id, shape);
      if (depends) computed.add(id);
    });
    return outputs;
  };
  const tensorDataSync: NativeBinding['tensorDataSync'] = (id) => {
    if (!computed.has(id)) return binding.tensorDataSync(id);
    throw new EngineError(
      'ENGINE_CAPTURE',
      `Cannot capture \`${recording.name}\`: it reads the value of ${names.get(id)}, which a graph computes only later. Use tfjs operations instead, or \`capture: false\`.`,
    );
  };
  return Object.create(binding, {
    createTensor: { value: createTensor },
    executeOp: { value: executeOp },
    tensorDataSync: { value: tensorDataSync },
  }) as NativeBinding;
}

/**
 * Whether an operation adds one number per column, or per filter, to a product. TensorFlow computes the two, and a relu
 * that follows, in one pass, but recognises BiasAdd only.
 */
function addsBias({ shapes, products }: Recording, op: string, inputs: readonly number[]): boolean {
  if ((op !== 'Add' && op !== 'AddV2') || !products.has(inputs[0])) return false;
  const bias = shapes.get(inputs[1]);
  return bias?.length === 1 && bias[0] === shapes.get(inputs[0])?.at(-1);
}

function emitNode(backend: NodeBackend, recording: Recording, node: EmittedNode): void {
  const inputs = node.inputs.map((input) =>
    'standIn' in input ? handleName(input) : nameOf(recording, backend.getInputTensorIds([input])[0]),
  );
  const name = recording.nodes.add(node.op, inputs, node.attributes);
  backend.getInputTensorIds(node.outputs ?? []).forEach((id, k) => {
    recording.names.set(id, k === 0 ? name : `${name}:${k}`);
    recording.computed.add(id);
  });
  if (node.effect) recording.effects.push(name);
}
