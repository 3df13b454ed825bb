/**
 * Independent categoricals: log p = l_a - log sum e^l; H = -sum p log p; dlog p/dl_j = [j = a] - p_j;
 * dH/dl_j = -p_j (log p_j + H). Forbidden logits are a constant, so nothing flows to them.
 */
import { type DistributionGradient, type GradientChunk, MAX_CHUNK_ROWS } from '../output-gradient.ts';

const FORBIDDEN_LOGIT = -1e8;

interface SoftmaxCache {
  readonly logProbabilities: Float64Array; // [R, P]
  readonly probabilities: Float64Array; // [R, P]
  readonly hasMasks: boolean;
}

/** log-softmax and probabilities of logits start .. end - 1; returns the entropy. */
function evaluateSegment(cache: SoftmaxCache, chunk: GradientChunk, start: number, end: number): number {
  const { logProbabilities, probabilities, hasMasks } = cache;
  const { distributionParameters: logits, masks } = chunk;
  let top = Number.NEGATIVE_INFINITY;
  for (let j = start; j < end; j++) {
    const logit = hasMasks && masks[j] === 0 ? FORBIDDEN_LOGIT : logits[j];
    logProbabilities[j] = logit;
    if (!(logit <= top)) top = logit;
  }
  let sum = 0;
  for (let j = start; j < end; j++) {
    const shifted = logProbabilities[j] - top;
    const weight = shifted === 0 ? 1 : Math.exp(shifted);
    logProbabilities[j] = shifted;
    probabilities[j] = weight;
    sum += weight;
  }
  const logSum = Math.log(sum);
  const scale = 1 / sum;
  let entropy = 0;
  for (let j = start; j < end; j++) {
    logProbabilities[j] -= logSum;
    probabilities[j] *= scale;
    entropy -= probabilities[j] * logProbabilities[j];
  }
  return entropy;
}

interface SegmentWeights {
  taken: number;
  entropy: number;
  byLogProb: number;
  byEntropy: number;
}

function backwardSegment(
  { probabilities, logProbabilities, hasMasks }: SoftmaxCache,
  { gradDistributionParameters: out, masks }: GradientChunk,
  start: number,
  end: number,
  { taken, entropy, byLogProb, byEntropy }: SegmentWeights,
): void {
  for (let j = start; j < end; j++) {
    out[j] = -probabilities[j] * (byLogProb + byEntropy * (logProbabilities[j] + entropy));
  }
  out[taken] += byLogProb;
  if (!hasMasks) return;
  for (let j = start; j < end; j++) if (masks[j] === 0) out[j] = 0;
}

export function categoricalGradient(sizes: readonly number[], hasMasks: boolean): DistributionGradient {
  const numLogits = sizes.reduce((sum, size) => sum + size, 0);
  const numSegments = sizes.length;
  const segmentEntropies = new Float64Array(MAX_CHUNK_ROWS * numSegments); // [R, A]
  const cache: SoftmaxCache = {
    logProbabilities: new Float64Array(MAX_CHUNK_ROWS * numLogits),
    probabilities: new Float64Array(MAX_CHUNK_ROWS * numLogits),
    hasMasks,
  };
  const weights: SegmentWeights = { taken: 0, entropy: 0, byLogProb: 0, byEntropy: 0 };
  return {
    evaluate(chunk, logProbs, entropies) {
      for (let r = 0; r < chunk.numRows; r++) {
        logProbs[r] = 0;
        entropies[r] = 0;
        let start = r * numLogits;
        for (let s = 0; s < numSegments; s++) {
          const entropy = evaluateSegment(cache, chunk, start, start + sizes[s]);
          segmentEntropies[r * numSegments + s] = entropy;
          entropies[r] += entropy;
          logProbs[r] += cache.logProbabilities[start + chunk.actions[r * numSegments + s]];
          start += sizes[s];
        }
      }
    },
    backward(chunk, byLogProb, byEntropy) {
      for (let r = 0; r < chunk.numRows; r++) {
        weights.byLogProb = byLogProb[r];
        weights.byEntropy = byEntropy[r];
        let start = r * numLogits;
        for (let s = 0; s < numSegments; s++) {
          weights.taken = start + chunk.actions[r * numSegments + s];
          weights.entropy = segmentEntropies[r * numSegments + s];
          backwardSegment(cache, chunk, start, start + sizes[s], weights);
          start += sizes[s];
        }
      }
    },
  };
}
