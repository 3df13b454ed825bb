/** Derivatives of a product of heads: each head's own, over its columns of the chunk. */
import { type HeadPlace, placeHeads } from '../../policy/distributions/product.ts';
import { actionSize, distributionSize, type ProductSpec } from '../../policy/policy-spec.ts';
import { type DistributionGradient, type GradientChunk, MAX_CHUNK_ROWS } from '../output-gradient.ts';

type MutableChunk = { -readonly [K in keyof GradientChunk]: GradientChunk[K] };

/** A head's view of a chunk. */
interface HeadRows {
  /** Copies the head's columns of the chunk's rows. */
  load(chunk: GradientChunk): MutableChunk;
  /** Writes what the head's gradient wrote back into the chunk's. */
  store(chunk: GradientChunk): void;
  readonly gradient: DistributionGradient;
}

/** Copies columns [first, first + size) of rows `stride` apart into dense rows. */
function takeColumns(
  from: ArrayLike<number>,
  stride: number,
  first: number,
  size: number,
  numRows: number,
  to: Float32Array | Uint8Array,
): void {
  for (let r = 0; r < numRows; r++)
    for (let k = 0; k < size; k++) to[r * size + k] = from[r * stride + first + k];
}

/**
 * log pi and H add up over heads, and so each head is weighed by the same dL/dlogProb and dL/dentropy.
 *
 * @param gradientOf of a head, as of a distribution of its own.
 */
export function productGradient(
  distribution: ProductSpec,
  hasMasks: boolean,
  gradientOf: (head: ProductSpec['heads'][number], hasMasks: boolean) => DistributionGradient,
): DistributionGradient {
  const numOutputs = distributionSize(distribution);
  const numActions = actionSize(distribution);
  const places = placeHeads(distribution);
  const maskSize = places.reduce(
    (sum, { head }) => sum + (head.kind === 'categorical' ? distributionSize(head) : 0),
    0,
  );
  const strides = { numOutputs, numActions, maskSize: hasMasks ? maskSize : 0 };
  const heads = places.map((place) =>
    openHead(place, strides, gradientOf(place.head, hasMasks && place.head.kind === 'categorical')),
  );
  const logProbsOf = new Float64Array(MAX_CHUNK_ROWS);
  const entropiesOf = new Float64Array(MAX_CHUNK_ROWS);
  return {
    evaluate(chunk, logProbs, entropies) {
      const { numRows } = chunk;
      logProbs.fill(0, 0, numRows);
      entropies.fill(0, 0, numRows);
      for (const { load, gradient } of heads) {
        gradient.evaluate(load(chunk), logProbsOf, entropiesOf);
        for (let r = 0; r < numRows; r++) {
          logProbs[r] += logProbsOf[r];
          entropies[r] += entropiesOf[r];
        }
      }
    },
    backward(chunk, byLogProb, byEntropy) {
      for (const { load, store, gradient } of heads) {
        gradient.backward(load(chunk), byLogProb, byEntropy);
        store(chunk);
      }
    },
  };
}

interface Strides {
  readonly numOutputs: number;
  readonly numActions: number;
  /** 0 = no masks. */
  readonly maskSize: number;
}

function openHead(
  { head, output, action, mask, logStd }: HeadPlace,
  { numOutputs, numActions, maskSize }: Strides,
  gradient: DistributionGradient,
): HeadRows {
  const P = distributionSize(head);
  const A = actionSize(head);
  const hasMask = maskSize > 0 && head.kind === 'categorical';
  const numLogStds = head.kind === 'gaussian' ? head.size : 0;
  const parameters = new Float32Array(MAX_CHUNK_ROWS * P); // [R, P] f32
  const actions = new Float32Array(MAX_CHUNK_ROWS * A); // [R, A] f32
  const masks = new Uint8Array(hasMask ? MAX_CHUNK_ROWS * P : 0); // [R, P] u8
  const gradParameters = new Float32Array(MAX_CHUNK_ROWS * P); // [R, P] f32
  const gradLogStd = new Float32Array(numLogStds);
  const logStds = new Float32Array(numLogStds);
  let view: MutableChunk | null = null;
  return {
    gradient,
    load(chunk) {
      const { numRows } = chunk;
      takeColumns(chunk.distributionParameters, numOutputs, output, P, numRows, parameters);
      takeColumns(chunk.actions, numActions, action, A, numRows, actions);
      if (hasMask) takeColumns(chunk.masks, maskSize, mask, P, numRows, masks);
      for (let k = 0; k < numLogStds; k++) logStds[k] = chunk.logStd[logStd + k];
      view ??= {
        ...chunk,
        ...{ distributionParameters: parameters, actions, masks, logStd: logStds },
        ...{ gradDistributionParameters: gradParameters, gradLogStd },
      };
      view.numRows = numRows;
      view.minibatchRows = chunk.minibatchRows;
      return view;
    },
    store({ numRows, gradDistributionParameters, gradLogStd: out }) {
      for (let r = 0; r < numRows; r++)
        for (let k = 0; k < P; k++)
          gradDistributionParameters[r * numOutputs + output + k] = gradParameters[r * P + k];
      for (let k = 0; k < numLogStds; k++) out[logStd + k] = gradLogStd[k];
    },
  };
}
