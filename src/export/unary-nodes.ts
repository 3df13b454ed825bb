/** Activations and other functions of one value as nodes, in what ONNX and TensorFlow.js call alike. */
import type { UnaryFunction } from './graph.ts';

/** What the two say differently; each gives the name of the value. */
export interface UnaryWriter {
  node(operation: string, inputs: readonly string[], name: string): string;
  constant(name: string, value: number): string;
  add(inputs: readonly string[], name: string): string;
  square(x: string, name: string): string;
  leakyRelu(x: string, name: string, slope: number): string;
}

const OPERATIONS = {
  tanh: 'Tanh',
  relu: 'Relu',
  elu: 'Elu',
  sigmoid: 'Sigmoid',
  exp: 'Exp',
  sqrt: 'Sqrt',
} as const;

export function writeUnary(writer: UnaryWriter, unary: UnaryFunction, x: string, name: string): string {
  const part = (suffix: string) => `${name}/${suffix}`;
  const multiply = (a: string, b: string, as: string) => writer.node('Mul', [a, b], as);
  switch (unary) {
    case 'square':
      return writer.square(x, name);
    case 'leaky-relu':
      return writer.leakyRelu(x, name, 0.01);
    case 'silu':
      return multiply(x, writer.node('Sigmoid', [x], part('gate')), name);
    case 'gelu': {
      const cube = multiply(writer.square(x, part('square')), x, part('cube'));
      const scaled = multiply(cube, writer.constant(part('c'), 0.044715), part('scaled'));
      const sum = writer.add([x, scaled], part('sum'));
      const inner = multiply(sum, writer.constant(part('k'), Math.sqrt(2 / Math.PI)), part('inner'));
      const curve = writer.node('Tanh', [inner], part('tanh'));
      const gate = writer.add([curve, writer.constant(part('one'), 1)], part('gate'));
      return multiply(multiply(x, writer.constant(part('half'), 0.5), part('halved')), gate, name);
    }
    default:
      return writer.node(OPERATIONS[unary], [x], name);
  }
}
