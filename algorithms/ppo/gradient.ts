/**
 * The PPO loss as a closed-form gradient at the network's outputs: what the SIMD engine uses. The same loss stands in tfjs
 * operations in `loss.ts`, where it is easier to read; a test holds the two together.
 */
import type { JsonObject } from '../../src/json.ts';
import {
  type GradientChunk,
  MAX_CHUNK_ROWS,
  type OutputGradient,
} from '../../src/learner/output-gradient.ts';
import { createDistributionGradient } from '../../src/learner/simd/distribution-gradient.ts';
import type { PolicySpec } from '../../src/policy/policy-spec.ts';

/** The part of the loss that does not change during a run. */
interface GradientOptions {
  readonly valueCoeff: number;
  readonly valueLoss: 'mse' | 'huber';
  readonly clipValues: boolean;
}

const Scalar = { CLIP_RANGE: 0, ENTROPY_COEFF: 1, VALUE_CLIP_RANGE: 2 } as const;
const Stat = { POLICY_LOSS: 0, ENTROPY: 1, APPROX_KL: 2, CLIP_FRACTION: 3, VALUE_LOSS: 4 } as const;

/**
 * dL/d(outputs) of the PPO loss (Schulman et al. 2017, arXiv:1707.06347, equation 9), to be minimised:
 *
 *     L = policyLoss + valueCoeff * valueLoss - entropyCoeff * entropy
 *     policyLoss = -mean(min(r A, clip(r, 1 - clipRange, 1 + clipRange) A)),    r = exp(logProb - oldLogProb)
 *     valueLoss  = mean(e(V - R)),  e(x) = x^2 (no half), or Huber: x^2 / 2 where |x| <= 1, else |x| - 1/2
 *     with clipValues: mean(max(e(V - R), e(Vold + clip(V - Vold, -valueClipRange, valueClipRange) - R)))
 *
 *     dL/dlogProb = -r A / M where r A <= clip(r) A, else 0;     dL/dentropy = -entropyCoeff / M
 *     dL/dV = valueCoeff e'(V - R) / M; with clipValues 0 where the clipped error is the larger one
 *
 * M = rows of the minibatch. The larger clipped error has no slope: inside the range the two errors are the same, and outside
 * it the clipped value does not move with V. Statistics: the three terms, approxKl = mean(r - 1 - log r)
 * (http://joschu.net/blog/kl-approx.html), clipFraction = mean(|r - 1| > clipRange).
 *
 * Thread: any, one each. Float64 inside. Cost: about 0.1 us a row for two actions.
 */
export function createOutputGradient(spec: PolicySpec, options: JsonObject): OutputGradient {
  const { valueCoeff, valueLoss, clipValues } = options as unknown as GradientOptions;
  const distribution = createDistributionGradient(spec);
  const logProbs = new Float64Array(MAX_CHUNK_ROWS);
  const entropies = new Float64Array(MAX_CHUNK_ROWS);
  const byLogProb = new Float64Array(MAX_CHUNK_ROWS);
  const byEntropy = new Float64Array(MAX_CHUNK_ROWS);
  const isHuber = valueLoss === 'huber';
  return {
    scalarNames: clipValues ? ['clipRange', 'entropyCoeff', 'valueClipRange'] : ['clipRange', 'entropyCoeff'],
    statNames: ['policyLoss', 'entropy', 'approxKl', 'clipFraction', 'valueLoss'],
    policy(chunk) {
      distribution.evaluate(chunk, logProbs, entropies);
      weighPolicy(chunk, logProbs, entropies, byLogProb);
      byEntropy.fill(-chunk.scalars[Scalar.ENTROPY_COEFF] / chunk.minibatchRows, 0, chunk.numRows);
      distribution.backward(chunk, byLogProb, byEntropy);
    },
    value(chunk) {
      const { numRows, values, oldValues, returns, gradValues, stats } = chunk;
      const scale = valueCoeff / chunk.minibatchRows;
      const range = clipValues ? chunk.scalars[Scalar.VALUE_CLIP_RANGE] : 0;
      let sum = 0;
      for (let r = 0; r < numRows; r++) {
        const difference = values[r] - returns[r];
        const error = isHuber ? huber(difference) : difference * difference;
        const slope = isHuber ? Math.max(-1, Math.min(1, difference)) : 2 * difference;
        gradValues[r] = slope * scale;
        sum += error;
        if (!clipValues) continue;
        const change = Math.max(-range, Math.min(range, values[r] - oldValues[r]));
        const clipped = oldValues[r] + change - returns[r];
        const clippedError = isHuber ? huber(clipped) : clipped * clipped;
        if (clippedError > error && Math.abs(values[r] - oldValues[r]) > range) {
          gradValues[r] = 0;
          sum += clippedError - error;
        }
      }
      stats[Stat.VALUE_LOSS] = sum;
    },
  };
}

/** 0.5 x^2 where |x| <= 1, else |x| - 0.5. */
function huber(x: number): number {
  const magnitude = Math.abs(x);
  return magnitude <= 1 ? 0.5 * x * x : magnitude - 0.5;
}

/** dL/dlogProb of the clipped surrogate, and the policy's statistics (sums over the chunk). */
function weighPolicy(
  chunk: GradientChunk,
  logProbs: Float64Array,
  entropies: Float64Array,
  byLogProb: Float64Array,
): void {
  const { numRows, minibatchRows, oldLogProbs, advantages, stats } = chunk;
  const clipRange = chunk.scalars[Scalar.CLIP_RANGE];
  let surrogates = 0;
  let entropy = 0;
  let kl = 0;
  let numClipped = 0;
  for (let r = 0; r < numRows; r++) {
    const logRatio = logProbs[r] - oldLogProbs[r];
    const ratio = Math.exp(logRatio);
    const advantage = advantages[r];
    const plain = ratio * advantage;
    const clipped = Math.max(1 - clipRange, Math.min(1 + clipRange, ratio)) * advantage;
    byLogProb[r] = plain <= clipped ? -plain / minibatchRows : 0;
    surrogates += Math.min(plain, clipped);
    entropy += entropies[r];
    kl += ratio - 1 - logRatio;
    if (Math.abs(ratio - 1) > clipRange) numClipped += 1;
  }
  stats[Stat.POLICY_LOSS] = -surrogates;
  stats[Stat.ENTROPY] = entropy;
  stats[Stat.APPROX_KL] = kl;
  stats[Stat.CLIP_FRACTION] = numClipped;
}
