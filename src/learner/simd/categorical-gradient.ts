/**
 * Independent categoricals: log p = l_a - log sum e^l; H = -sum p log p; dlog p/dl_j = [j = a] - p_j;
 * dH/dl_j = -p_j (log p_j + H). Forbidden logits are a constant, so nothing flows to them.
 */
import type { CategoricalRows, OpenCategorical } from '../../simd/native-categorical.ts';
import { type DistributionGradient, MAX_CHUNK_ROWS } from '../output-gradient.ts';
import { exponentialOfNegative } from './exponential.ts';

const FORBIDDEN_LOGIT = -1e8;

/** Of the chunk evaluated last. */
interface SoftmaxCache {
  readonly logProbabilities: Float64Array; // [R, P]
  readonly probabilities: Float64Array; // [R, P]
}

/**
 * log-softmax and probabilities of logits start .. end - 1; returns the entropy.
 *
 * Math.max instead of a comparison, and exp also of the largest's 0: a branch on which logit is the largest is often mispredicted,
 * and costs more than either. A forbidden one weighs 0 without an exp, which takes a quarter off a row of nine of which half are forbidden; to
 * the bit, since exp is 0 where the exponent is that low.
 */
function evaluateSegment(
  { logProbabilities, probabilities }: SoftmaxCache,
  logits: Float32Array,
  start: number,
  end: number,
): number {
  let top = logits[start];
  for (let j = start + 1; j < end; j++) top = Math.max(top, logits[j]);
  const isFarBelow = top > FORBIDDEN_LOGIT / 2; // else nothing is allowed, or the network is lost
  let sum = 0;
  for (let j = start; j < end; j++) {
    if (isFarBelow && logits[j] === FORBIDDEN_LOGIT) {
      probabilities[j] = 0;
      continue;
    }
    const weight = exponentialOfNegative(logits[j] - top);
    probabilities[j] = weight;
    sum += weight;
  }
  const logSum = Math.log(sum);
  const scale = 1 / sum;
  let entropy = 0;
  for (let j = start; j < end; j++) {
    const logProbability = logits[j] - top - logSum;
    const probability = probabilities[j] * scale;
    logProbabilities[j] = logProbability;
    probabilities[j] = probability;
    entropy -= probability * logProbability;
  }
  return entropy;
}

/** One categorical of two actions: the same arithmetic, to the bit, without loops, which take a fifth of a row's time. */
function pairGradient(): DistributionGradient {
  const logProbabilities = new Float64Array(MAX_CHUNK_ROWS * 2);
  const probabilities = new Float64Array(MAX_CHUNK_ROWS * 2);
  const entropyOf = new Float64Array(MAX_CHUNK_ROWS);
  return {
    evaluate({ numRows, distributionParameters: logits, actions }, logProbs, entropies) {
      for (let r = 0; r < numRows; r++) {
        const j = 2 * r;
        const top = Math.max(logits[j], logits[j + 1]);
        const shifted0 = logits[j] - top;
        const shifted1 = logits[j + 1] - top;
        const weight0 = exponentialOfNegative(shifted0);
        const weight1 = exponentialOfNegative(shifted1);
        const logSum = Math.log(weight0 + weight1);
        const scale = 1 / (weight0 + weight1);
        const log0 = shifted0 - logSum;
        const log1 = shifted1 - logSum;
        const entropy = 0 - weight0 * scale * log0 - weight1 * scale * log1;
        logProbabilities[j] = log0;
        logProbabilities[j + 1] = log1;
        probabilities[j] = weight0 * scale;
        probabilities[j + 1] = weight1 * scale;
        entropyOf[r] = entropy;
        entropies[r] = entropy;
        logProbs[r] = logProbabilities[j + actions[r]];
      }
    },
    backward({ numRows, actions, gradDistributionParameters: out }, byLogProb, byEntropy) {
      for (let r = 0; r < numRows; r++) {
        const j = 2 * r;
        const entropy = entropyOf[r];
        const weight = byLogProb[r];
        const entropyWeight = byEntropy[r];
        out[j] = -probabilities[j] * (weight + entropyWeight * (logProbabilities[j] + entropy));
        out[j + 1] = -probabilities[j + 1] * (weight + entropyWeight * (logProbabilities[j + 1] + entropy));
        out[j + actions[r]] += weight;
      }
    },
  };
}

function forbid(logits: Float32Array, masks: Uint8Array, out: Float32Array, count: number): Float32Array {
  for (let j = 0; j < count; j++) out[j] = masks[j] === 0 ? FORBIDDEN_LOGIT : logits[j];
  return out;
}

/** By machine code where the chunk has it, and for chunks in which nothing is unusual; else in TypeScript. */
export function categoricalGradient(sizes: readonly number[], hasMasks: boolean): DistributionGradient {
  const isPair = sizes.length === 1 && sizes[0] === 2 && !hasMasks;
  const written = isPair ? pairGradient() : generalGradient(sizes, hasMasks);
  let open: OpenCategorical | undefined;
  let native: CategoricalRows | null = null;
  let isNative = false; // of the chunk evaluated last
  return {
    evaluate(chunk, logProbs, entropies) {
      if (chunk.openCategorical !== open) {
        open = chunk.openCategorical;
        native = open?.(sizes, hasMasks) ?? null;
      }
      const areIntegers = chunk.actions instanceof Int32Array; // beside continuous ones they are floats, which machine code would take for indices far outside
      isNative = areIntegers && (native?.evaluate(chunk, logProbs, entropies) ?? false);
      if (!isNative) written.evaluate(chunk, logProbs, entropies);
    },
    backward(chunk, byLogProb, byEntropy) {
      if (isNative) native?.backward(chunk, byLogProb, byEntropy);
      else written.backward(chunk, byLogProb, byEntropy);
    },
  };
}

function generalGradient(sizes: readonly number[], hasMasks: boolean): DistributionGradient {
  const numLogits = sizes.reduce((sum, size) => sum + size, 0);
  const numSegments = sizes.length;
  const entropiesOf = new Float64Array(MAX_CHUNK_ROWS * numSegments); // [R, A]
  const maskedLogits = new Float32Array(hasMasks ? MAX_CHUNK_ROWS * numLogits : 0);
  const cache: SoftmaxCache = {
    logProbabilities: new Float64Array(MAX_CHUNK_ROWS * numLogits),
    probabilities: new Float64Array(MAX_CHUNK_ROWS * numLogits),
  };
  const { logProbabilities, probabilities } = cache;
  return {
    evaluate({ numRows, distributionParameters, masks, actions }, logProbs, entropies) {
      const logits = hasMasks
        ? forbid(distributionParameters, masks, maskedLogits, numRows * numLogits)
        : distributionParameters;
      let start = 0;
      let k = 0;
      for (let r = 0; r < numRows; r++) {
        let logProb = 0;
        let entropy = 0;
        for (let s = 0; s < numSegments; s++) {
          const end = start + sizes[s];
          entropiesOf[k] = evaluateSegment(cache, logits, start, end);
          entropy += entropiesOf[k];
          logProb += logProbabilities[start + actions[k++]];
          start = end;
        }
        logProbs[r] = logProb;
        entropies[r] = entropy;
      }
    },
    backward({ numRows, actions, masks, gradDistributionParameters: out }, byLogProb, byEntropy) {
      let start = 0;
      let k = 0;
      for (let r = 0; r < numRows; r++) {
        const weight = byLogProb[r];
        const entropyWeight = byEntropy[r];
        for (let s = 0; s < numSegments; s++) {
          const end = start + sizes[s];
          const entropy = entropiesOf[k];
          for (let j = start; j < end; j++)
            out[j] = -probabilities[j] * (weight + entropyWeight * (logProbabilities[j] + entropy));
          out[start + actions[k++]] += weight;
          start = end;
        }
      }
      if (hasMasks) for (let j = 0; j < start; j++) if (masks[j] === 0) out[j] = 0;
    },
  };
}
