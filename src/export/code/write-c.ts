/** A policy as one C99 header: constants, no allocation, no library but math.h. With POLICY_SELF_TEST defined it has a main that checks itself. */
import type { PolicyGraph, ValueDtype } from '../graph.ts';
import { SELF_TEST_TOLERANCE, type SelfTest } from '../self-test.ts';
import { codeOf, type Dialect, indent } from './statements.ts';

const C: Dialect = {
  integer: 'int',
  real: 'float',
  functions: { tanh: 'tanhf', exp: 'expf', expm1: 'expm1f', sqrt: 'sqrtf' },
  number: literal,
};

const TYPES: Readonly<Record<ValueDtype, string>> = {
  float32: 'float',
  uint8: 'unsigned char',
  bool: 'unsigned char',
  int32: 'int',
};

/** Nine digits say which float32 is meant. */
function literal(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'INFINITY' : '-INFINITY';
  const digits = Math.fround(value).toPrecision(9);
  return `${/[.e]/.test(digits) ? digits : `${digits}.0`}f`;
}

/** @param title lines for the comment at the top. */
export function writeC(graph: PolicyGraph, selfTest: SelfTest, title: readonly string[]): string {
  const remembers = graph.stateSize > 0;
  const names = graph.nodes.map((node, k) => (node.op === 'input' ? node.name : `v${k}`));
  const codes = graph.nodes.map((_, k) => codeOf(C, graph.nodes, k, names));
  const constants = codes.flatMap(({ constants }) => Object.entries(constants));
  const buffers = codes.flatMap(({ buffer }) => (buffer === null ? [] : [buffer]));
  const fields = graph.outputs.map(({ name, node }) => {
    const { dtype, size } = graph.nodes[node];
    return `${TYPES[dtype]} ${name}[${size}];`;
  });
  const results = graph.outputs.map(({ name, node }) => {
    const { size } = graph.nodes[node];
    return `for (int i = 0; i < ${size}; i++) { out->${name}[i] = ${names[node]}[i]; }`;
  });
  const body = [
    ...buffers.map(({ name, size, dtype }) => `static ${TYPES[dtype]} ${name}[${size}];`),
    ...(graph.maskSize === 0 ? ['(void)mask;'] : []),
    ...codes.flatMap(({ lines }) => lines),
    ...results,
  ];
  return [
    comment(title),
    '#ifndef OPERANT_POLICY_H\n#define OPERANT_POLICY_H\n#include <math.h>\n',
    `#define POLICY_OBSERVATION_SIZE ${graph.observationSize}`,
    `#define POLICY_MASK_SIZE ${graph.maskSize}`,
    ...(remembers ? [`#define POLICY_STATE_SIZE ${graph.stateSize}`] : []),
    '',
    ...constants.map(([name, data]) => `static const float policy_${name}[${data.length}] = ${list(data)};`),
    `\ntypedef struct {\n${indent(fields)}\n} policy_outputs;\n`,
    `/* observation: [POLICY_OBSERVATION_SIZE]; mask: [POLICY_MASK_SIZE], 1 = allowed, NULL without masks. Not for two threads at once. */`,
    ...(remembers
      ? [
          '/* state: [POLICY_STATE_SIZE], zeros where an episode begins, else out->nextState of the step before, which it may be. */',
        ]
      : []),
    `static void policy_run(const ${TYPES[graph.observationDtype]} *observation, const unsigned char *mask, ${remembers ? 'const float *state, ' : ''}policy_outputs *out) {`,
    indent(body).replaceAll(/\b(v\d+_(?:constants|kernel|bias|gain|shift|support))\b/g, 'policy_$1'),
    '}\n',
    selfTestMain(graph, selfTest),
    '#endif\n',
  ].join('\n');
}

function comment(lines: readonly string[]): string {
  return ['/*', ...lines.map((line) => ` * ${line.replaceAll('*/', '* /')}`), ' */'].join('\n');
}

function list(data: ArrayLike<number>, show: (value: number) => string = literal): string {
  const items = Array.from(data, show);
  const lines: string[] = [];
  for (let i = 0; i < items.length; i += 8) lines.push(`  ${items.slice(i, i + 8).join(', ')}`);
  return `{\n${lines.join(',\n')}\n}`;
}

function selfTestMain(
  graph: PolicyGraph,
  { numRows, observations, masks, states, outputs }: SelfTest,
): string {
  const isBytes = graph.observationDtype === 'uint8';
  const type = TYPES[graph.observationDtype];
  const expected = graph.outputs.map(({ name, node }) => ({
    name,
    size: graph.nodes[node].size,
    values: outputs[name] ?? [],
  }));
  const compare = expected.map(({ name, size }) =>
    [
      `for (int i = 0; i < ${size}; i++) {`,
      `  double b = test_${name}[row * ${size} + i], difference = fabs(out.${name}[i] - b) / fmax(1, fabs(b));`,
      '  if (!(difference <= largest)) largest = difference;',
      '}',
    ].join('\n'),
  );
  const state = states === undefined ? '' : `test_states + row * ${graph.stateSize}, `;
  const mask = masks === null ? 'NULL' : `test_masks + row * ${graph.maskSize}`;
  return [
    '#ifdef POLICY_SELF_TEST\n#include <stddef.h>\n#include <stdio.h>',
    `static const ${type} test_observations[] = ${list(observations, isBytes ? String : literal)};`,
    ...(masks === null ? [] : [`static const unsigned char test_masks[] = ${list(masks, String)};`]),
    ...(states === undefined ? [] : [`static const float test_states[] = ${list(states)};`]),
    ...expected.map(({ name, values }) => `static const double test_${name}[] = ${list(values, String)};`),
    'int main(void) {',
    indent([
      'double largest = 0;',
      `for (int row = 0; row < ${numRows}; row++) {`,
      indent([
        'policy_outputs out;',
        `policy_run(test_observations + row * ${graph.observationSize}, ${mask}, ${state}&out);`,
        ...compare,
      ]),
      '}',
      'printf("%.9g\\n", largest);',
      `return largest <= ${SELF_TEST_TOLERANCE} ? 0 : 1;`,
    ]),
    '}',
    '#endif',
  ].join('\n');
}
