/** A policy as an ONNX model, opset 17, for batches of any size: inputs `observation`, with masks `mask`, of recurrent policies `state`; outputs by their names. */

import { MASKED_LOGIT } from '../../policy/distributions/product.ts';
import { LAYER_NORM_EPSILON } from '../../policy/networks/dense-rows.ts';
import type { GraphNode, PolicyGraph, ValueDtype } from '../graph.ts';
import { type UnaryWriter, writeUnary } from '../unary-nodes.ts';
import {
  type Attribute,
  modelMessage,
  ONNX_TYPES,
  type OnnxDtype,
  type OnnxModel,
  onnxNode,
  tensorMessage,
} from './messages.ts';

export const ONNX_OPSET = 17;

/** ONNX's argmax gives int64, so discrete actions are. */
const DTYPES: Readonly<Record<ValueDtype, OnnxDtype>> = {
  float32: 'float32',
  uint8: 'uint8',
  bool: 'bool',
  int32: 'int64',
};

export function writeOnnx(
  graph: PolicyGraph,
  { producerVersion, metadata }: Pick<OnnxModel, 'producerVersion' | 'metadata'>,
): Uint8Array {
  const writer = openWriter();
  const names: string[] = [];
  graph.nodes.forEach((node, k) => {
    names.push(node.op === 'input' ? node.name : writeNode(writer, node, `v${k}`, names));
  });
  for (const { name, node } of graph.outputs) writer.node('Identity', [names[node]], name);
  const describe = (name: string, node: GraphNode) => ({ name, dtype: DTYPES[node.dtype], size: node.size });
  return modelMessage({
    producerVersion,
    opset: ONNX_OPSET,
    nodes: writer.nodes,
    tensors: writer.tensors,
    inputs: graph.nodes.flatMap((node) => (node.op === 'input' ? [describe(node.name, node)] : [])),
    outputs: graph.outputs.map(({ name, node }) => describe(name, graph.nodes[node])),
    metadata,
  });
}

interface Writer {
  readonly nodes: Uint8Array[];
  readonly tensors: Uint8Array[];
  /** Gives the output's name. */
  node(
    operation: string,
    inputs: readonly string[],
    output: string,
    attributes?: Readonly<Record<string, Attribute>>,
  ): string;
  floats(name: string, data: ArrayLike<number>, shape: readonly number[]): string;
  integers(name: string, data: readonly number[]): string;
}

function openWriter(): Writer {
  const nodes: Uint8Array[] = [];
  const tensors: Uint8Array[] = [];
  const add = (name: string, data: Float32Array | BigInt64Array, shape: readonly number[]) => {
    tensors.push(tensorMessage(name, data, shape));
    return name;
  };
  return {
    nodes,
    tensors,
    node(operation, inputs, output, attributes) {
      nodes.push(onnxNode(operation, inputs, output, attributes));
      return output;
    },
    floats: (name, data, shape) => add(name, Float32Array.from(data), shape),
    integers: (name, data) => add(name, BigInt64Array.from(data, BigInt), [data.length]),
  };
}

const ARITHMETIC = { add: 'Add', sub: 'Sub', mul: 'Mul', max: 'Max', min: 'Min' } as const;

function writeNode(writer: Writer, node: GraphNode, name: string, names: readonly string[]): string {
  const inputs = node.inputs.map((input) => names[input]);
  const [x] = inputs;
  switch (node.op) {
    case 'input':
      throw new TypeError('Expected an operation, got an input.');
    case 'cast':
      return writer.node('Cast', [x], name, { to: ONNX_TYPES.float32 });
    case 'add':
    case 'sub':
    case 'mul':
    case 'max':
    case 'min': {
      const constants = writer.floats(`${name}/constants`, node.constants, [1, node.constants.length]);
      return writer.node(ARITHMETIC[node.op], [x, constants], name);
    }
    case 'unary':
      return writeUnary(unaryWriter(writer), node.function, x, name);
    case 'dense': {
      const shape = [node.kernel.length / node.bias.length, node.bias.length];
      const kernel = writer.floats(`${name}/kernel`, node.kernel, shape);
      return writer.node('Gemm', [x, kernel, writer.floats(`${name}/bias`, node.bias, [shape[1]])], name);
    }
    case 'layer-norm': {
      const gain = writer.floats(`${name}/gain`, node.gain, [node.size]);
      const shift = writer.floats(`${name}/shift`, node.shift, [node.size]);
      const attributes = { axis: -1, epsilon: { float: LAYER_NORM_EPSILON } };
      return writer.node('LayerNormalization', [x, gain, shift], name, attributes);
    }
    case 'conv':
      return writeConv(writer, node, x, name);
    case 'combine':
      return writer.node(ARITHMETIC[node.how], inputs, name);
    case 'slice': {
      const [starts, ends] = [node.begin, node.begin + node.size].map((at, k) =>
        writer.integers(`${name}/${k}`, [at]),
      );
      return writer.node('Slice', [x, starts, ends, writer.integers(`${name}/axes`, [1])], name);
    }
    case 'mask': {
      const low = writer.floats(`${name}/masked`, [MASKED_LOGIT], [1, 1]);
      return writer.node('Where', [inputs[1], x, low], name);
    }
    case 'softmax':
      return writer.node('Softmax', [x], name, { axis: -1 });
    case 'expectation':
      return writeExpectation(writer, node, x, name);
    case 'arg-max': {
      const isShifted = node.start !== 0;
      const best = writer.node('ArgMax', [x], isShifted ? `${name}/best` : name, { axis: 1, keepdims: 1 });
      return isShifted
        ? writer.node('Add', [best, writer.integers(`${name}/start`, [node.start])], name)
        : best;
    }
    case 'positive': {
      const isPositive = writer.node(
        'Greater',
        [x, writer.floats(`${name}/zero`, [0], [1, 1])],
        `${name}/is`,
      );
      return writer.node('Cast', [isPositive], name, { to: ONNX_TYPES.int64 });
    }
    case 'concat':
      return writer.node('Concat', inputs, name, { axis: 1 });
  }
}

function unaryWriter({ node, floats }: Writer): UnaryWriter {
  return {
    node,
    constant: (name, value) => floats(name, [value], [1, 1]),
    add: (inputs, name) => node('Add', inputs, name),
    square: (x, name) => node('Mul', [x, x], name),
    leakyRelu: (x, name, slope) => node('LeakyRelu', [x], name, { alpha: { float: slope } }),
  };
}

/** ONNX has channels first: there and back, so that everything else keeps its order. */
function writeConv(
  writer: Writer,
  node: Extract<GraphNode, { op: 'conv' }>,
  x: string,
  name: string,
): string {
  const { kernel, kernelShape, inputShape, stride } = node;
  const [height, width, numInputs, numFilters] = kernelShape;
  const data = new Float32Array(kernel.length); // [filters, in, height, width]
  for (let i = 0; i < kernel.length; i++) {
    const filter = i % numFilters;
    const input = Math.floor(i / numFilters) % numInputs;
    const place = Math.floor(i / numFilters / numInputs);
    data[(filter * numInputs + input) * height * width + place] = kernel[i];
  }
  const image = writer.node(
    'Reshape',
    [x, writer.integers(`${name}/image`, [-1, ...inputShape])],
    `${name}/nhwc`,
  );
  const first = writer.node('Transpose', [image], `${name}/nchw`, { perm: [0, 3, 1, 2] });
  const inputs = [
    first,
    writer.floats(`${name}/kernel`, data, [numFilters, numInputs, height, width]),
    writer.floats(`${name}/bias`, node.bias, [numFilters]),
  ];
  const filtered = writer.node('Conv', inputs, `${name}/conv`, { strides: [stride, stride] });
  const last = writer.node('Transpose', [filtered], `${name}/last`, { perm: [0, 2, 3, 1] });
  return writer.node('Reshape', [last, writer.integers(`${name}/row`, [-1, node.size])], name);
}

function writeExpectation(
  writer: Writer,
  node: Extract<GraphNode, { op: 'expectation' }>,
  x: string,
  name: string,
): string {
  const numAtoms = node.support.length;
  const shape = writer.integers(`${name}/choices`, [-1, node.size, numAtoms]);
  const logits = writer.node('Reshape', [x, shape], `${name}/logits`);
  const probabilities = writer.node('Softmax', [logits], `${name}/probabilities`, { axis: -1 });
  const support = writer.floats(`${name}/support`, node.support, [numAtoms, 1]);
  const values = writer.node('MatMul', [probabilities, support], `${name}/values`);
  return writer.node('Reshape', [values, writer.integers(`${name}/row`, [-1, node.size])], name);
}
