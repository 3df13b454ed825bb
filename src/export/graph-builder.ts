/** Puts a graph together: a method an operation, each giving the number of its value. */
import type { GraphNode, InputName, Operation, UnaryFunction, ValueDtype } from './graph.ts';

export interface GraphBuilder {
  readonly nodes: readonly GraphNode[];
  sizeOf(value: number): number;
  input(name: InputName, size: number, dtype: ValueDtype): number;
  cast(x: number): number;
  arithmetic(op: 'add' | 'sub' | 'mul' | 'max' | 'min', x: number, constants: ArrayLike<number>): number;
  unary(name: UnaryFunction, x: number): number;
  combine(how: 'add' | 'sub' | 'mul', x: number, y: number): number;
  dense(x: number, kernel: Float32Array, bias: Float32Array): number;
  layerNorm(x: number, gain: Float32Array, shift: Float32Array): number;
  conv(x: number, layer: Omit<Extract<Operation, { op: 'conv' }>, 'op'>): number;
  slice(x: number, begin: number, size: number): number;
  mask(x: number, mask: number): number;
  softmax(x: number): number;
  expectation(x: number, support: Float32Array): number;
  argMax(x: number, start: number): number;
  positive(x: number): number;
  concat(values: readonly number[]): number;
}

export function createGraphBuilder(): GraphBuilder {
  const nodes: GraphNode[] = [];
  const sizeOf = (value: number) => nodes[value].size;
  const add = (
    operation: Operation,
    inputs: readonly number[],
    size = sizeOf(inputs[0]),
    dtype: ValueDtype = 'float32',
  ): number => nodes.push({ ...operation, inputs, size, dtype }) - 1;
  return {
    nodes,
    sizeOf,
    input: (name, size, dtype) => add({ op: 'input', name }, [], size, dtype),
    cast: (x) => add({ op: 'cast' }, [x]),
    arithmetic: (op, x, constants) => add({ op, constants: Float32Array.from(constants) }, [x]),
    unary: (name, x) => add({ op: 'unary', function: name }, [x]),
    combine: (how, x, y) => add({ op: 'combine', how }, [x, y]),
    dense: (x, kernel, bias) => add({ op: 'dense', kernel, bias }, [x], bias.length),
    layerNorm: (x, gain, shift) => add({ op: 'layer-norm', gain, shift }, [x]),
    conv: (x, layer) => {
      const [height, width, filters] = layer.outputShape;
      return add({ op: 'conv', ...layer }, [x], height * width * filters);
    },
    slice: (x, begin, size) => (size === sizeOf(x) ? x : add({ op: 'slice', begin }, [x], size)),
    mask: (x, mask) => add({ op: 'mask' }, [x, mask]),
    softmax: (x) => add({ op: 'softmax' }, [x]),
    expectation: (x, support) => add({ op: 'expectation', support }, [x], sizeOf(x) / support.length),
    argMax: (x, start) => add({ op: 'arg-max', start }, [x], 1, 'int32'),
    positive: (x) => add({ op: 'positive' }, [x], sizeOf(x), 'int32'),
    concat(values) {
      if (values.length === 1) return values[0];
      const size = values.reduce((sum, value) => sum + sizeOf(value), 0);
      return add({ op: 'concat' }, values, size, nodes[values[0]].dtype);
    },
  };
}
