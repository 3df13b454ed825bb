/** First values of the flat parameter vector; both engines start from these. */
import type { Stream } from '../random/streams.ts';
import type { ParameterEntry, ParameterLayout } from '../weights/parameter-layout.ts';
import type { PolicySpec } from './policy-spec.ts';

/**
 * Draws initial parameters for a policy.
 *
 * With `spec.initialization.orthogonal`: kernels are gain * Q, Q a uniformly distributed (semi-)orthogonal matrix (Saxe et al.
 * 2014, arXiv:1312.6120), biases are 0. Gains: `policyGain` for `actor/head`, `valueGain` for `critic/head`, `hiddenGain` for the
 * rest, but 1 for the kernels of recurrent cells (each of which is one matrix over all gates) and of attention (but for the layers of its blocks). Without it: kernels and biases of a layer are U(-1/sqrt(fanIn), 1/sqrt(fanIn)), PyTorch's default for Linear and
 * Conv2d. Attention's layer normalisation begins as none, the biases of its scores at 0, those of its gates at `gateBias`.
 * `logStd` is the constant `initialization.logStd` either way, and `forgetBias` is added to the biases of the gate that keeps a cell's state
 * (an LSTM's forget gate, a GRU's update gate: second of the gates in both).
 *
 * A kernel [..., in, out] counts as a matrix [fanIn, out], where fanIn is the product of all dimensions but the last. Padding
 * between entries is 0.
 *
 * @param stream draws; one named stream per policy. Entries are drawn in the layout's order.
 * @returns f32 [layout.size], a new array.
 * Cost: two Gram-Schmidt passes, about 4 * max(in, out) * min(in, out)^2 operations per kernel (1 ms at 64 x 64).
 */
export function initializeParameters(
  spec: Pick<PolicySpec, 'initialization'>,
  layout: ParameterLayout,
  stream: Stream,
): Float32Array {
  const parameters = new Float32Array(layout.size);
  const { orthogonal, forgetBias = 0 } = spec.initialization;
  let fanIn = 1;
  for (const entry of layout.entries) {
    const target = parameters.subarray(entry.offset, entry.offset + entry.size);
    const constant = constantOf(entry, spec);
    if (constant !== null) target.fill(constant);
    else if (entry.shape.length >= 2) {
      const numOutputs = entry.shape[entry.shape.length - 1];
      fanIn = entry.size / numOutputs;
      if (orthogonal) target.set(orthogonalMatrix(fanIn, numOutputs, gainOf(entry, spec), stream));
      else fillUniform(target, 1 / Math.sqrt(fanIn), stream);
    } else if (!orthogonal) fillUniform(target, 1 / Math.sqrt(fanIn), stream); // the bias after its kernel
    if (/\/cell(\/\d+)?\/bias$/.test(entry.name)) {
      for (let k = fanIn; k < 2 * fanIn; k += 1) target[k] += forgetBias; // fanIn = units: the state's kernel is the one before
    }
  }
  return parameters;
}

/** Of entries that nothing is drawn for; null = the others. */
function constantOf(
  { name }: ParameterEntry,
  { initialization }: Pick<PolicySpec, 'initialization'>,
): number | null {
  if (name === 'logStd') return initialization.logStd;
  const [tower, block, ...parts] = name.split('/');
  if (tower === undefined || !block?.startsWith('block')) return null;
  if (/^(gate|feedGate)\/bias$/.test(parts.join('/'))) return initialization.gateBias ?? 2;
  return BLOCK_CONSTANTS[parts[parts.length - 1]] ?? null;
}

/** Of attention's blocks, by the last part of a name. */
const BLOCK_CONSTANTS: Readonly<Record<string, number | undefined>> = {
  gain: 1,
  shift: 0,
  contentBias: 0,
  positionBias: 0,
};

function gainOf(entry: ParameterEntry, { initialization }: Pick<PolicySpec, 'initialization'>): number {
  if (entry.name.startsWith('actor/head/')) return initialization.policyGain;
  if (entry.name.startsWith('critic/head/')) return initialization.valueGain;
  if (entry.name.includes('/cell/')) return 1;
  if (/\/block\d+\/(?!feed[01]\/)/.test(entry.name)) return 1;
  return initialization.hiddenGain;
}

function fillUniform(target: Float32Array, bound: number, stream: Stream): void {
  for (let i = 0; i < target.length; i += 1) target[i] = bound * (2 * stream.uniform() - 1);
}

/**
 * A matrix whose shorter side's vectors are orthogonal and of length `gain`, row-major [rows, columns].
 *
 * Gram-Schmidt on standard normal vectors keeps the diagonal of R positive, so Q is uniform over orthogonal matrices
 * (Mezzadri 2007, arXiv:math-ph/0609050) without a sign correction. Each vector is orthogonalised twice, which is
 * enough for full float64 accuracy (Giraud et al. 2005).
 */
export function orthogonalMatrix(rows: number, columns: number, gain: number, stream: Stream): Float64Array {
  const length = Math.max(rows, columns);
  const count = Math.min(rows, columns);
  const vectors: Float64Array[] = [];
  for (let k = 0; k < count; k += 1) {
    const vector = new Float64Array(length);
    fillNormal(vector, stream);
    orthogonalise(vector, vectors);
    vectors.push(vector);
  }
  const matrix = new Float64Array(rows * columns); // [rows, columns]
  for (let k = 0; k < count; k += 1) {
    for (let i = 0; i < length; i += 1) {
      const index = rows >= columns ? i * columns + k : k * columns + i;
      matrix[index] = gain * vectors[k][i];
    }
  }
  return matrix;
}

/**
 * By itself, as every stream has a `normal` of its own: machine code for one stream's is thrown away at the next, with the loops that stand around the call, and
 * those would begin again in the interpreter (10 ms of a process's second build).
 */
function fillNormal(vector: Float64Array, stream: Stream): void {
  for (let i = 0; i < vector.length; i += 1) vector[i] = stream.normal();
}

/** To all of `units`, and to length 1. */
function orthogonalise(vector: Float64Array, units: readonly Float64Array[]): void {
  for (let pass = 0; pass < 2; pass += 1) {
    for (let k = 0; k < units.length; k += 1) subtractProjection(vector, units[k]);
  }
  const norm = Math.sqrt(dot(vector, vector));
  for (let i = 0; i < vector.length; i += 1) vector[i] /= norm;
}

function subtractProjection(vector: Float64Array, unit: Float64Array): void {
  const projection = dot(vector, unit);
  for (let i = 0; i < vector.length; i += 1) vector[i] -= projection * unit[i];
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += a[i] * b[i];
  return sum;
}
