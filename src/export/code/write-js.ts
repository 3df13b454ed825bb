/** A policy as one JavaScript module that imports nothing: weights as base64, loops, a self-test. */
import type { JsonObject } from '../../json.ts';
import type { PolicyGraph } from '../graph.ts';
import { SELF_TEST_TOLERANCE, type SelfTest } from '../self-test.ts';
import { codeOf, type Dialect, indent } from './statements.ts';

const JAVASCRIPT: Dialect = {
  integer: 'let',
  real: 'let',
  functions: { tanh: 'Math.tanh', exp: 'Math.exp', expm1: 'Math.expm1', sqrt: 'Math.sqrt' },
  number: String,
};

/** @param title lines for the comment at the top. */
export function writeJs(
  graph: PolicyGraph,
  selfTest: SelfTest,
  title: readonly string[],
  metadata: JsonObject,
): string {
  const names = graph.nodes.map((node, k) => (node.op === 'input' ? node.name : `v${k}`));
  const codes = graph.nodes.map((_, k) => codeOf(JAVASCRIPT, graph.nodes, k, names));
  const constants = codes.flatMap(({ constants }) => Object.entries(constants));
  const buffers = codes.flatMap(({ buffer }) => (buffer === null ? [] : [buffer]));
  const results = graph.outputs.map(({ name, node }) => {
    const array = graph.nodes[node].dtype === 'int32' ? 'Int32Array' : 'Float32Array';
    return `${name}: ${array}.from(${names[node]}),`;
  });
  const { observationSize, maskSize, stateSize } = graph;
  const remembers = stateSize > 0;
  const actionSize = graph.nodes[graph.outputs[0].node].size;
  const isNumber = actionSize === 1 && graph.nodes[graph.outputs[0].node].dtype === 'int32';
  const checks = [`checkLength('observation', observation, ${observationSize});`];
  if (maskSize > 0) checks.push(`checkLength('mask', mask, ${maskSize});`);
  if (remembers) checks.push(`checkLength('state', state, ${stateSize});`);
  const given = maskSize > 0 ? 'observation, mask' : 'observation';
  const parameters = remembers ? `${given}, state` : given;
  return [
    `/**\n${title.map((line) => ` * ${line.replaceAll('*/', '* /')}`).join('\n')}\n */`,
    'const decode = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);',
    ...constants.map(([name, data]) => `const ${name} = decode('${base64(data)}');`),
    ...buffers.map(
      ({ name, size, dtype }) =>
        `const ${name} = new ${dtype === 'int32' ? 'Int32Array' : 'Float64Array'}(${size});`,
    ),
    `\n/** Spaces, and where it came from. */\nexport const metadata = ${JSON.stringify(metadata)};\n`,
    CHECK_LENGTH,
    `/** All that the policy says of one flat observation [${observationSize}]${maskSize > 0 ? ` under a mask [${maskSize}] of 0 and 1` : ''}${remembers ? `, with the state [${stateSize}] before it: zeros where an episode begins, else nextState` : ''}. */`,
    `export function run(${parameters}) {`,
    indent([...checks, ...codes.flatMap(({ lines }) => lines)]),
    `  return {\n${indent(results.map((line) => `  ${line}`))}\n  };`,
    '}\n',
    ...(remembers
      ? [actorCode(given, stateSize, isNumber)]
      : [
          '/** The most likely action, as the environment takes it. */',
          `export const act = (${parameters}) => run(${parameters}).action${isNumber ? '[0]' : ''};\n`,
        ]),
    `/** Observations and what a right reader says of them. */\nexport const selfTest = ${JSON.stringify(selfTest)};\n`,
    verify(graph),
  ].join('\n');
}

const CHECK_LENGTH = `function checkLength(name, values, length) {
  if (values?.length === length) return;
  throw new RangeError(\`Expected \${name} to be a flat array of \${length} numbers, got \${values?.length}.\`);
}
`;

/** Who acts through episodes: what there is to remember stays inside. */
function actorCode(given: string, stateSize: number, isNumber: boolean): string {
  return `/** Acts through one episode after another, not through two at once; reset() where one begins. */
export function createActor() {
  let state = new Float32Array(${stateSize});
  return {
    act(${given}) {
      const { action, nextState } = run(${given}, state);
      state = nextState;
      return action${isNumber ? '[0]' : ''};
    },
    reset() {
      state = new Float32Array(${stateSize});
    },
  };
}
`;
}

function verify({ observationSize, maskSize, stateSize }: PolicyGraph): string {
  const slice = (name: string, size: number) => `selfTest.${name}.slice(row * ${size}, (row + 1) * ${size})`;
  const given = [slice('observations', observationSize)];
  if (maskSize > 0) given.push(slice('masks', maskSize));
  if (stateSize > 0) given.push(slice('states', stateSize));
  return `/** The largest difference from the self-test, |a - b| / max(1, |b|): float32 rounding, below ${SELF_TEST_TOLERANCE}. */
export function verify() {
  let largest = 0;
  for (let row = 0; row < selfTest.numRows; row++) {
    const found = run(${given.join(', ')});
    for (const [name, values] of Object.entries(selfTest.outputs)) {
      found[name].forEach((value, k) => {
        const expected = values[row * found[name].length + k];
        const difference = Math.abs(value - expected) / Math.max(1, Math.abs(expected));
        if (!(difference <= largest)) largest = difference;
      });
    }
  }
  return largest;
}
`;
}

function base64(data: Float32Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
}
