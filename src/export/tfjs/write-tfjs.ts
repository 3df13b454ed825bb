/** A policy as a TensorFlow.js graph model: model.json and one file of weights. */

import { MASKED_LOGIT } from '../../policy/distributions/product.ts';
import { LAYER_NORM_EPSILON } from '../../policy/networks/dense-rows.ts';
import type { GraphNode, PolicyGraph, ValueDtype } from '../graph.ts';
import { type UnaryWriter, writeUnary } from '../unary-nodes.ts';
import { openTfjsNodes, type TfjsNodes } from './nodes.ts';

const DTYPES: Readonly<Record<ValueDtype, string>> = {
  float32: 'DT_FLOAT',
  uint8: 'DT_INT32', // TensorFlow.js has no bytes
  bool: 'DT_BOOL',
  int32: 'DT_INT32',
};

export interface TfjsModel {
  readonly json: object;
  readonly weights: Uint8Array;
}

/** @param weightsFile name of the file beside model.json. */
export function writeTfjs(
  graph: PolicyGraph,
  weightsFile: string,
  { operantVersion, metadata }: { readonly operantVersion: string; readonly metadata: object },
): TfjsModel {
  const writer = openTfjsNodes();
  const names: string[] = [];
  const describe = (name: string, { dtype, size }: GraphNode) => {
    const dim = [{ size: '-1' }, { size: String(size) }];
    return [name, { name: `${name}:0`, dtype: DTYPES[dtype], tensorShape: { dim } }] as const;
  };
  graph.nodes.forEach((node, k) => {
    if (node.op === 'input') names.push(writer.placeholder(node.name, DTYPES[node.dtype], node.size));
    else names.push(writeNode(writer, node, `v${k}`, names));
  });
  for (const { name, node } of graph.outputs) writer.node('Identity', [names[node]], name);
  const inputs = graph.nodes.flatMap((node) => (node.op === 'input' ? [describe(node.name, node)] : []));
  const outputs = graph.outputs.map(({ name, node }) => describe(name, graph.nodes[node]));
  const { nodes, specs, bytes } = writer.finish();
  return {
    json: {
      format: 'graph-model',
      generatedBy: `operant ${operantVersion}`,
      convertedBy: null,
      signature: { inputs: Object.fromEntries(inputs), outputs: Object.fromEntries(outputs) },
      userDefinedMetadata: metadata,
      modelTopology: { node: nodes, library: {}, versions: { producer: 1882 } },
      weightsManifest: [{ paths: [weightsFile], weights: specs }],
    },
    weights: bytes,
  };
}

const ARITHMETIC = { add: 'AddV2', sub: 'Sub', mul: 'Mul', max: 'Maximum', min: 'Minimum' } as const;

function writeNode(writer: TfjsNodes, node: GraphNode, name: string, names: readonly string[]): string {
  const inputs = node.inputs.map((input) => names[input]);
  const [x] = inputs;
  switch (node.op) {
    case 'input':
      throw new TypeError('Expected an operation, got an input.');
    case 'cast':
      return writer.node('Cast', [x], name, { SrcT: { type: 'DT_INT32' }, DstT: { type: 'DT_FLOAT' } });
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
      const product = writer.node(
        'MatMul',
        [x, writer.floats(`${name}/kernel`, node.kernel, shape)],
        `${name}/product`,
        { transpose_a: { b: false }, transpose_b: { b: false } },
      );
      return writer.node('AddV2', [product, writer.floats(`${name}/bias`, node.bias, [shape[1]])], name);
    }
    case 'layer-norm':
      return writeLayerNorm(writer, node, x, name);
    case 'conv':
      return writeConv(writer, node, x, name);
    case 'combine':
      return writer.node(ARITHMETIC[node.how], inputs, name);
    case 'slice': {
      const begin = writer.integers(`${name}/begin`, [0, node.begin]);
      return writer.node('Slice', [x, begin, writer.integers(`${name}/size`, [-1, node.size])], name);
    }
    case 'mask': {
      const low = writer.node(
        'AddV2',
        [zeros(writer, x, name), scalar(writer, `${name}/c`, MASKED_LOGIT)],
        `${name}/low`,
      );
      return writer.node('SelectV2', [inputs[1], x, low], name);
    }
    case 'softmax':
      return writer.node('Softmax', [x], name);
    case 'expectation':
      return writeExpectation(writer, node, x, name);
    case 'arg-max':
      return writeArgMax(writer, node, x, name);
    case 'positive': {
      const isPositive = writer.node('Greater', [x, scalar(writer, `${name}/zero`, 0)], `${name}/is`);
      return writer.node('Cast', [isPositive], name, {
        SrcT: { type: 'DT_BOOL' },
        DstT: { type: 'DT_INT32' },
      });
    }
    case 'concat':
      return writer.node('ConcatV2', [...inputs, writer.integers(`${name}/axis`, 1)], name, {
        N: { i: String(inputs.length) },
      });
  }
}

const scalar = (writer: TfjsNodes, name: string, value: number) => writer.floats(name, [value], []);

function zeros(writer: TfjsNodes, x: string, name: string): string {
  return writer.node('Mul', [x, scalar(writer, `${name}/0`, 0)], `${name}/zeros`);
}

function writeArgMax(
  writer: TfjsNodes,
  node: Extract<GraphNode, { op: 'arg-max' }>,
  x: string,
  name: string,
): string {
  const best = writer.node('ArgMax', [x, writer.integers(`${name}/axis`, 1)], `${name}/best`);
  const shape = writer.integers(`${name}/shape`, [-1, 1]);
  if (node.start === 0) return writer.node('Reshape', [best, shape], name);
  const column = writer.node('Reshape', [best, shape], `${name}/column`);
  return writer.node('AddV2', [column, writer.integers(`${name}/start`, node.start)], name);
}

function unaryWriter(writer: TfjsNodes): UnaryWriter {
  const { node } = writer;
  return {
    node,
    constant: (name, value) => scalar(writer, name, value),
    add: (inputs, name) => node('AddV2', inputs, name),
    square: (x, name) => node('Square', [x], name),
    leakyRelu: (x, name, slope) => node('LeakyRelu', [x], name, { alpha: { f: slope } }),
  };
}

function writeLayerNorm(
  writer: TfjsNodes,
  { gain, shift, size }: Extract<GraphNode, { op: 'layer-norm' }>,
  x: string,
  name: string,
): string {
  const axis = writer.integers(`${name}/axis`, [1]);
  const mean = (of: string, as: string) =>
    writer.node('Mean', [of, axis], `${name}/${as}`, { keep_dims: { b: true } });
  const centred = writer.node('Sub', [x, mean(x, 'mean')], `${name}/centred`);
  const variance = mean(writer.node('Square', [centred], `${name}/square`), 'variance');
  const safe = writer.node(
    'AddV2',
    [variance, scalar(writer, `${name}/epsilon`, LAYER_NORM_EPSILON)],
    `${name}/safe`,
  );
  const normal = writer.node(
    'Mul',
    [centred, writer.node('Rsqrt', [safe], `${name}/scale`)],
    `${name}/normal`,
  );
  const gained = writer.node('Mul', [normal, writer.floats(`${name}/gain`, gain, [size])], `${name}/gained`);
  return writer.node('AddV2', [gained, writer.floats(`${name}/shift`, shift, [size])], name);
}

function writeConv(
  writer: TfjsNodes,
  node: Extract<GraphNode, { op: 'conv' }>,
  x: string,
  name: string,
): string {
  const { kernel, kernelShape, bias, inputShape, stride } = node;
  const image = writer.node(
    'Reshape',
    [x, writer.integers(`${name}/image`, [-1, ...inputShape])],
    `${name}/nhwc`,
  );
  const filtered = writer.node(
    'Conv2D',
    [image, writer.floats(`${name}/kernel`, kernel, kernelShape)],
    `${name}/conv`,
    {
      strides: { list: { i: ['1', String(stride), String(stride), '1'] } },
      dilations: { list: { i: ['1', '1', '1', '1'] } },
      padding: { s: btoa('VALID') },
      data_format: { s: btoa('NHWC') },
    },
  );
  const sum = writer.node(
    'AddV2',
    [filtered, writer.floats(`${name}/bias`, bias, [bias.length])],
    `${name}/sum`,
  );
  return writer.node('Reshape', [sum, writer.integers(`${name}/row`, [-1, node.size])], name);
}

function writeExpectation(
  writer: TfjsNodes,
  { size, support }: Extract<GraphNode, { op: 'expectation' }>,
  x: string,
  name: string,
): string {
  const shape = writer.integers(`${name}/choices`, [-1, size, support.length]);
  const logits = writer.node('Reshape', [x, shape], `${name}/logits`);
  const probabilities = writer.node('Softmax', [logits], `${name}/probabilities`);
  const weighted = writer.node(
    'Mul',
    [probabilities, writer.floats(`${name}/support`, support, [support.length])],
    `${name}/weighted`,
  );
  return writer.node('Sum', [weighted, writer.integers(`${name}/axis`, [2])], name, {
    keep_dims: { b: false },
  });
}
