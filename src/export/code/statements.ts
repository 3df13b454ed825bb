/** A policy's operations as loops, in the part of their syntax that C and JavaScript share. */

import { MASKED_LOGIT } from '../../policy/distributions/product.ts';
import { LAYER_NORM_EPSILON } from '../../policy/networks/dense-rows.ts';
import type { GraphNode, UnaryFunction, ValueDtype } from '../graph.ts';

/** What the two languages say differently. */
export interface Dialect {
  /** Before a loop's counter, and before a number that changes. */
  readonly integer: string;
  readonly real: string;
  readonly functions: Readonly<Record<'tanh' | 'exp' | 'expm1' | 'sqrt', string>>;
  number(value: number): string;
}

export interface CodeNode {
  /** Arrays of constants that the statements read, by name. */
  readonly constants: Readonly<Record<string, Float32Array>>;
  /** The array that they write; null = they write none, the node is an input. */
  readonly buffer: { readonly name: string; readonly size: number; readonly dtype: ValueDtype } | null;
  readonly lines: readonly string[];
}

/**
 * @param k number of one of the nodes: its array is `v<k>`.
 * @param names of the arrays of earlier nodes.
 */
export function codeOf(
  dialect: Dialect,
  nodes: readonly GraphNode[],
  k: number,
  names: readonly string[],
): CodeNode {
  const node = nodes[k];
  if (node.op === 'input') return { constants: {}, buffer: null, lines: [] };
  const y = `v${k}`;
  const inputs = node.inputs.map((input) => ({ name: names[input], size: nodes[input].size }));
  const { constants = {}, lines } = statements(dialect, node, y, inputs);
  return { constants, buffer: { name: y, size: node.size, dtype: node.dtype }, lines };
}

interface InputArray {
  readonly name: string;
  readonly size: number;
}

interface Statements {
  readonly constants?: Readonly<Record<string, Float32Array>>;
  readonly lines: readonly string[];
}

type Operation = Exclude<GraphNode, { op: 'input' }>;

function statements(dialect: Dialect, node: Operation, y: string, inputs: readonly InputArray[]): Statements {
  const [{ name: x, size: inputSize }] = inputs;
  const n = node.size;
  const each = (value: string): Statements => ({ lines: [loop(dialect, 'i', n, `${y}[i] = ${value};`)] });
  switch (node.op) {
    case 'cast':
      return each(`${x}[i]`);
    case 'add':
    case 'sub':
    case 'mul':
    case 'max':
    case 'min': {
      const c = `${y}_constants`;
      const constant = node.constants.length === 1 ? `${c}[0]` : `${c}[i]`;
      return { constants: { [c]: node.constants }, ...each(arithmetic(node.op, `${x}[i]`, constant)) };
    }
    case 'unary':
      return each(unary(dialect, node.function, `${x}[i]`));
    case 'combine':
      return each(`${x}[i] ${{ add: '+', sub: '-', mul: '*' }[node.how]} ${inputs[1].name}[i]`);
    case 'slice':
      return each(`${x}[${node.begin} + i]`);
    case 'mask':
      return each(`${inputs[1].name}[i] ? ${x}[i] : ${dialect.number(MASKED_LOGIT)}`);
    case 'positive':
      return each(`${x}[i] > 0 ? 1 : 0`);
    case 'dense':
      return dense(dialect, node, y, x);
    case 'layer-norm':
      return layerNorm(dialect, node, y, x);
    case 'conv':
      return conv(dialect, node, y, x);
    case 'softmax':
      return { lines: softmax(dialect, x, y, '0', n) };
    case 'expectation':
      return expectation(dialect, node, y, x);
    case 'arg-max':
      return { lines: argMax(dialect, node.start, y, x, inputSize) };
    case 'concat':
      return { lines: concat(dialect, y, inputs) };
  }
}

function loop({ integer }: Dialect, i: string, n: number | string, ...body: string[]): string {
  const inside = body.length === 1 && !body[0].includes('\n') ? ` ${body[0]} ` : `\n${indent(body)}\n`;
  return `for (${integer} ${i} = 0; ${i} < ${n}; ${i}++) {${inside}}`;
}

export function indent(lines: readonly string[]): string {
  return lines
    .flatMap((line) => line.split('\n'))
    .map((line) => `  ${line}`)
    .join('\n');
}

function arithmetic(op: 'add' | 'sub' | 'mul' | 'max' | 'min', x: string, c: string): string {
  if (op === 'max') return `${x} < ${c} ? ${c} : ${x}`; // NaN passes
  if (op === 'min') return `${x} > ${c} ? ${c} : ${x}`;
  return `${x} ${{ add: '+', sub: '-', mul: '*' }[op]} ${c}`;
}

function unary({ functions, number }: Dialect, name: UnaryFunction, x: string): string {
  const { tanh, exp, expm1, sqrt } = functions;
  const sigmoid = `1 / (1 + ${exp}(-${x}))`;
  switch (name) {
    case 'tanh':
      return `${tanh}(${x})`;
    case 'relu':
      return `${x} > 0 ? ${x} : 0`;
    case 'elu':
      return `${x} > 0 ? ${x} : ${expm1}(${x})`;
    case 'sigmoid':
      return sigmoid;
    case 'silu':
      return `${x} * (${sigmoid})`;
    case 'leaky-relu':
      return `${x} > 0 ? ${x} : ${number(0.01)} * ${x}`;
    case 'gelu': {
      const inner = `${number(Math.sqrt(2 / Math.PI))} * (${x} + ${number(0.044715)} * ${x} * ${x} * ${x})`;
      return `${x} / 2 * (1 + ${tanh}(${inner}))`;
    }
    case 'exp':
      return `${exp}(${x})`;
    case 'sqrt':
      return `${sqrt}(${x})`;
    case 'square':
      return `${x} * ${x}`;
  }
}

function dense(
  dialect: Dialect,
  { kernel, bias }: Extract<Operation, { op: 'dense' }>,
  y: string,
  x: string,
): Statements {
  const n = bias.length;
  return {
    constants: { [`${y}_kernel`]: kernel, [`${y}_bias`]: bias },
    lines: [
      loop(dialect, 'j', n, `${y}[j] = ${y}_bias[j];`),
      loop(
        dialect,
        'i',
        kernel.length / n,
        loop(dialect, 'j', n, `${y}[j] += ${x}[i] * ${y}_kernel[i * ${n} + j];`),
      ),
    ],
  };
}

function layerNorm(
  dialect: Dialect,
  { gain, shift, size }: Extract<Operation, { op: 'layer-norm' }>,
  y: string,
  x: string,
): Statements {
  const { real, functions, number } = dialect;
  const normal = `(${x}[i] - ${y}_mean) * ${y}_scale`;
  return {
    constants: { [`${y}_gain`]: gain, [`${y}_shift`]: shift },
    lines: [
      `${real} ${y}_mean = 0, ${y}_scale = 0;`,
      loop(dialect, 'i', size, `${y}_mean += ${x}[i];`),
      `${y}_mean /= ${size};`,
      loop(dialect, 'i', size, `${y}_scale += (${x}[i] - ${y}_mean) * (${x}[i] - ${y}_mean);`),
      `${y}_scale = 1 / ${functions.sqrt}(${y}_scale / ${size} + ${number(LAYER_NORM_EPSILON)});`,
      loop(dialect, 'i', size, `${y}[i] = ${normal} * ${y}_gain[i] + ${y}_shift[i];`),
    ],
  };
}

function conv(dialect: Dialect, node: Extract<Operation, { op: 'conv' }>, y: string, x: string): Statements {
  const { kernel, kernelShape, bias, stride, inputShape, outputShape } = node;
  const [kernelHeight, kernelWidth, numInputs, numFilters] = kernelShape;
  const [height, width] = outputShape;
  const at = `(row * ${width} + column) * ${numFilters} + f`;
  const from = `((row * ${stride} + i) * ${inputShape[1]} + column * ${stride}) * ${numInputs} + j`;
  const weight = `(i * ${kernelWidth * numInputs} + j) * ${numFilters} + f`;
  const patch = loop(
    dialect,
    'j',
    kernelWidth * numInputs,
    loop(dialect, 'f', numFilters, `${y}[${at}] += ${x}[${from}] * ${y}_kernel[${weight}];`),
  );
  const place = [
    loop(dialect, 'f', numFilters, `${y}[${at}] = ${y}_bias[f];`),
    loop(dialect, 'i', kernelHeight, patch),
  ];
  return {
    constants: { [`${y}_kernel`]: kernel, [`${y}_bias`]: bias },
    lines: [loop(dialect, 'row', height, loop(dialect, 'column', width, ...place))],
  };
}

/** Over `n` elements from `first` on. */
function softmax(dialect: Dialect, x: string, y: string, first: string, n: number): string[] {
  const { real, functions } = dialect;
  const at = first === '0' ? 'j' : `${first} + j`;
  return [
    '{',
    indent([
      `${real} top = ${x}[${first}], sum = 0;`,
      loop(dialect, 'j', n, `if (${x}[${at}] > top) top = ${x}[${at}];`),
      loop(dialect, 'j', n, `${y}[${at}] = ${functions.exp}(${x}[${at}] - top); sum += ${y}[${at}];`),
      loop(dialect, 'j', n, `${y}[${at}] /= sum;`),
    ]),
    '}',
  ];
}

function expectation(
  dialect: Dialect,
  { size, support }: Extract<Operation, { op: 'expectation' }>,
  y: string,
  x: string,
): Statements {
  const { real, functions } = dialect;
  const at = `${x}[i * ${support.length} + j]`;
  return {
    constants: { [`${y}_support`]: support },
    lines: [
      loop(
        dialect,
        'i',
        size,
        `${real} top = ${x}[i * ${support.length}], sum = 0, total = 0;`,
        loop(dialect, 'j', support.length, `if (${at} > top) top = ${at};`),
        loop(
          dialect,
          'j',
          support.length,
          `${real} weight = ${functions.exp}(${at} - top);`,
          'total += weight;',
          `sum += weight * ${y}_support[j];`,
        ),
        `${y}[i] = sum / total;`,
      ),
    ],
  };
}

function argMax(dialect: Dialect, start: number, y: string, x: string, n: number): string[] {
  const value = start === 0 ? 'best' : `best + (${start})`;
  return [
    '{',
    indent([
      `${dialect.integer} best = 0;`,
      loop(dialect, 'j', n, `if (${x}[j] > ${x}[best]) best = j;`),
      `${y}[0] = ${value};`,
    ]),
    '}',
  ];
}

function concat(dialect: Dialect, y: string, inputs: readonly InputArray[]): string[] {
  let offset = 0;
  return inputs.map(({ name, size }) => {
    offset += size;
    return loop(dialect, 'i', size, `${y}[${offset - size} + i] = ${name}[i];`);
  });
}
