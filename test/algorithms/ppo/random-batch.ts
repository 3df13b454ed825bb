/** Random minibatches for the loss tests: every distribution, with and without masks. */
import {
  actionDtype,
  actionSize,
  alternativesOf,
  type DistributionSpec,
  distributionSize,
  freeLogStdSize,
  type PolicySpec,
} from '../../../src/policy/policy-spec.ts';
import { openStream } from '../../../src/random/streams.ts';

export interface RandomBatch {
  readonly numRows: number;
  readonly distributionParameters: Float32Array; // [B, P]
  readonly values: Float32Array; // [B]
  readonly latent: Float32Array; // [B, H]
  readonly logStd: Float32Array; // [A] or [H, A] or empty
  readonly actions: Float32Array | Int32Array; // [B, A]
  readonly masks: Uint8Array | null; // [B, P]
  readonly oldLogProbs: Float32Array; // [B]
  readonly oldValues: Float32Array; // [B]
  readonly advantages: Float32Array; // [B]
  readonly returns: Float32Array; // [B]
}

const bounds = (size: number) => ({ low: Array(size).fill(-2), high: Array(size).fill(2) });

const PRODUCT: DistributionSpec = {
  kind: 'product',
  heads: [
    { kind: 'categorical', sizes: [4] },
    { kind: 'gaussian', size: 2, squash: false, ...bounds(2) },
    { kind: 'bernoulli', size: 1 },
    { kind: 'gaussian', size: 1, squash: true, ...bounds(1) },
    { kind: 'categorical', sizes: [2] },
  ],
};

/** Name, distribution and mask size of every kind. */
export const DISTRIBUTIONS: readonly (readonly [string, DistributionSpec, number])[] = [
  ['categorical', { kind: 'categorical', sizes: [4] }, 0],
  ['masked categorical', { kind: 'categorical', sizes: [4] }, 4],
  ['multi-categorical', { kind: 'categorical', sizes: [3, 2, 4] }, 0],
  ['masked multi-categorical', { kind: 'categorical', sizes: [3, 2, 4] }, 9],
  ['bernoulli', { kind: 'bernoulli', size: 3 }, 0],
  ['gaussian', { kind: 'gaussian', size: 2, squash: false, ...bounds(2) }, 0],
  ['squashed gaussian', { kind: 'gaussian', size: 2, squash: true, ...bounds(2) }, 0],
  ['gsde', { kind: 'gsde', size: 2, squash: false, sampleFrequency: 4, ...bounds(2) }, 0],
  ['squashed gsde', { kind: 'gsde', size: 2, squash: true, sampleFrequency: -1, ...bounds(2) }, 0],
  ['product', PRODUCT, 0],
  ['masked product', PRODUCT, 6],
];

export function specFor(
  distribution: DistributionSpec,
  maskSize = 0,
  overrides: Partial<PolicySpec> = {},
): PolicySpec {
  return {
    observationSize: 5,
    observationDtype: 'float32',
    observationShape: [5],
    actionMaskSize: maskSize,
    network: { kind: 'mlp', hiddenSizes: [8, 6], activation: 'tanh', shared: false },
    distribution,
    normalizeObservations: false,
    clipObservation: 10,
    initialization: { orthogonal: true, hiddenGain: Math.SQRT2, policyGain: 0.5, valueGain: 1, logStd: -0.3 },
    ...overrides,
  };
}

/** Which elements are bits, that no mask lies over. */
const bitsOf = (distribution: DistributionSpec): boolean[] =>
  distribution.kind === 'product'
    ? distribution.heads.flatMap(bitsOf)
    : Array.from({ length: actionSize(distribution) }, () => distribution.kind === 'bernoulli');

/** Alternatives of every choice that masks lie over. */
export function choiceSizes(distribution: DistributionSpec): readonly number[] {
  const bits = bitsOf(distribution);
  return alternativesOf(distribution).filter((count, a) => count > 0 && !bits[a]);
}

/** Draws the choices and bits of all rows, as their masks allow; numbers stay as they are. @param actions [rows, A] */
export function drawChoices(
  { distribution, actionMaskSize }: PolicySpec,
  actions: Float32Array | Int32Array,
  masks: Uint8Array | null,
  integer: (bound: number) => number,
): void {
  const A = actionSize(distribution);
  const elements = alternativesOf(distribution);
  const bits = bitsOf(distribution);
  for (let row = 0; row * A < actions.length; row += 1) {
    let start = row * actionMaskSize;
    for (let a = 0; a < A; a += 1) {
      if (elements[a] === 0) continue;
      do actions[row * A + a] = integer(elements[a]);
      while (!bits[a] && masks !== null && masks[start + actions[row * A + a]] === 0);
      if (!bits[a]) start += elements[a];
    }
  }
}

/** A mask row with at least one allowed entry in every component. */
export function randomMask(sizes: readonly number[], uniform: () => number): number[] {
  return sizes.flatMap((size) => {
    const allowed = Array.from({ length: size }, () => (uniform() < 0.6 ? 1 : 0));
    allowed[Math.floor(uniform() * size)] = 1;
    return allowed;
  });
}

/** A batch whose old log-probabilities are near `logProbOf` of the drawn actions, so that ratios fall on both sides of the clip. */
export function randomBatch(
  spec: PolicySpec,
  numRows: number,
  seed: number,
  logProbOf: (batch: RandomBatch, row: number) => number,
): RandomBatch {
  const stream = openStream(seed, 'random-batch');
  const { distribution } = spec;
  const normals = (length: number, scale = 1) => Float32Array.from({ length }, () => scale * stream.normal());
  const latentSize = 6;
  const P = distributionSize(distribution);
  const A = actionSize(distribution);
  const logStdSize = distribution.kind === 'gsde' ? latentSize * A : freeLogStdSize(distribution);
  const sizes = choiceSizes(distribution);
  const masks =
    spec.actionMaskSize === 0
      ? null
      : Uint8Array.from(Array.from({ length: numRows }, () => randomMask(sizes, stream.uniform)).flat());
  const actions = actionDtype(distribution) === 'int32' ? new Int32Array(numRows * A) : normals(numRows * A);
  drawChoices(spec, actions, masks, stream.integer);
  const batch: RandomBatch = {
    numRows,
    distributionParameters: normals(numRows * P, 0.8),
    values: normals(numRows),
    latent: normals(numRows * latentSize, 0.5),
    logStd: normals(logStdSize, 0.3),
    actions,
    masks,
    oldLogProbs: new Float32Array(numRows),
    oldValues: new Float32Array(numRows),
    advantages: normals(numRows),
    returns: normals(numRows, 1.5),
  };
  for (let row = 0; row < numRows; row += 1) {
    batch.oldLogProbs[row] = logProbOf(batch, row) + 0.3 * stream.normal();
    batch.oldValues[row] = batch.values[row] + 0.4 * stream.normal();
  }
  return batch;
}
