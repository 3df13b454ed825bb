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
import { exponential } from '../../src/learner/simd/exponential.ts';
import type { PolicySpec } from '../../src/policy/policy-spec.ts';
import type { PpoLossOptions } from './loss.ts';

const Stat = { POLICY_LOSS: 0, ENTROPY: 1, APPROX_KL: 2, CLIP_FRACTION: 3, VALUE_LOSS: 4 } as const;

/**
 * dL/d(outputs) of the PPO loss (Schulman et al. 2017, arXiv:1707.06347, equation 9), to be minimised:
 *
 *     L = policyLoss + valueCoeff * valueLoss - entropyCoeff * entropy [+ klPenaltyCoeff * approxKl]
 *     policyLoss = -mean(min(r A, clip(r, 1 - clipRange, 1 + clipRange) A)),    r = exp(logProb - oldLogProb)
 *     valueLoss  = mean(e(V - R)),  e(x) = x^2 (no half), or Huber: x^2 / 2 where |x| <= 1, else |x| - 1/2
 *     with clipValues: mean(max(e(V - R), e(Vold + clip(V - Vold, -valueClipRange, valueClipRange) - R)))
 *
 *     with valueErrorBound: the smaller one of that and the bound, row by row
 *
 *     dL/dlogProb = -r A / M where r A <= clip(r) A, else 0 [+ klPenaltyCoeff (r - 1) / M];     dL/dentropy = -entropyCoeff / M
 *     dL/dV = valueCoeff e'(V - R) / M; 0 where the clipped error is the larger one, or the error beyond its bound
 *
 * M = rows of the minibatch. The larger clipped error has no slope: inside the range the two errors are the same, and outside
 * it the clipped value does not move with V. Statistics: the three terms, approxKl = mean(r - 1 - log r)
 * (http://joschu.net/blog/kl-approx.html), clipFraction = mean(|r - 1| > clipRange).
 *
 * Thread: any, one each. Float64 inside. Cost: about 0.1 us a row for two actions.
 */
export function createOutputGradient(spec: PolicySpec, options: JsonObject): OutputGradient {
  const { valueCoeff, valueLoss, clipValues, valueErrorBound, penalizeKl } =
    options as unknown as PpoLossOptions;
  const distribution = createDistributionGradient(spec);
  const logProbs = new Float64Array(MAX_CHUNK_ROWS);
  const entropies = new Float64Array(MAX_CHUNK_ROWS);
  const byLogProb = new Float64Array(MAX_CHUNK_ROWS);
  const byEntropy = new Float64Array(MAX_CHUNK_ROWS);
  const isHuber = valueLoss === 'huber';
  const bound = valueErrorBound ?? Number.POSITIVE_INFINITY;
  const scalarNames = [
    'clipRange',
    'entropyCoeff',
    ...(clipValues ? ['valueClipRange'] : []),
    ...(penalizeKl ? ['klPenaltyCoeff'] : []),
  ];
  const at = (name: string) => scalarNames.indexOf(name);
  const index = {
    clipRange: at('clipRange'),
    entropyCoeff: at('entropyCoeff'),
    valueClipRange: at('valueClipRange'),
    klPenaltyCoeff: at('klPenaltyCoeff'),
  };
  return {
    scalarNames,
    statNames: ['policyLoss', 'entropy', 'approxKl', 'clipFraction', 'valueLoss'],
    policy(chunk) {
      const { scalars } = chunk;
      const klPenaltyCoeff = penalizeKl ? scalars[index.klPenaltyCoeff] : 0;
      distribution.evaluate(chunk, logProbs, entropies);
      weighPolicy(chunk, scalars[index.clipRange], klPenaltyCoeff, logProbs, entropies, byLogProb);
      byEntropy.fill(-scalars[index.entropyCoeff] / chunk.minibatchRows, 0, chunk.numRows);
      distribution.backward(chunk, byLogProb, byEntropy);
    },
    value(chunk) {
      const { numRows, values, oldValues, returns, gradValues, stats } = chunk;
      const scale = valueCoeff / chunk.minibatchRows;
      const range = clipValues ? chunk.scalars[index.valueClipRange] : 0;
      let sum = 0;
      for (let r = 0; r < numRows; r++) {
        const difference = values[r] - returns[r];
        let error = errorOf(difference, isHuber);
        const slope = isHuber ? Math.max(-1, Math.min(1, difference)) : 2 * difference;
        gradValues[r] = slope * scale;
        const clipped = clipValues ? clippedDifference(values[r], oldValues[r], returns[r], range) : 0;
        const clippedError = errorOf(clipped, isHuber);
        if (clippedError > error) {
          gradValues[r] = 0;
          error = clippedError;
        }
        if (error > bound) {
          gradValues[r] = 0;
          error = bound;
        }
        sum += error;
      }
      stats[Stat.VALUE_LOSS] = sum;
    },
  };
}

/** Difference of the clipped value from the return; 0 inside the range, where it is the same as the value's own. */
function clippedDifference(value: number, oldValue: number, target: number, range: number): number {
  const change = value - oldValue;
  return Math.abs(change) > range ? oldValue + Math.max(-range, Math.min(range, change)) - target : 0;
}

/** x^2; Huber: 0.5 x^2 where |x| <= 1, else |x| - 0.5. */
function errorOf(x: number, isHuber: boolean): number {
  if (!isHuber) return x * x;
  const magnitude = Math.abs(x);
  return magnitude <= 1 ? 0.5 * x * x : magnitude - 0.5;
}

/** dL/dlogProb of the clipped surrogate and the penalty, and the policy's statistics (sums over the chunk). */
function weighPolicy(
  chunk: GradientChunk,
  clipRange: number,
  klPenaltyCoeff: number,
  logProbs: Float64Array,
  entropies: Float64Array,
  byLogProb: Float64Array,
): void {
  const { numRows, minibatchRows, oldLogProbs, advantages, stats } = chunk;
  let surrogates = 0;
  let entropy = 0;
  let kl = 0;
  let numClipped = 0;
  for (let r = 0; r < numRows; r++) {
    const logRatio = logProbs[r] - oldLogProbs[r];
    const ratio = exponential(logRatio);
    const advantage = advantages[r];
    const plain = ratio * advantage;
    const clipped = Math.max(1 - clipRange, Math.min(1 + clipRange, ratio)) * advantage;
    byLogProb[r] = plain <= clipped ? -plain / minibatchRows : 0;
    if (klPenaltyCoeff > 0) byLogProb[r] += (klPenaltyCoeff * (ratio - 1)) / minibatchRows;
    surrogates += Math.min(plain, clipped);
    entropy += entropies[r];
    kl += ratio - 1 - logRatio;
    numClipped += Math.abs(ratio - 1) > clipRange ? 1 : 0; // a branch not taken for long would throw away V8's code when it is
  }
  stats[Stat.POLICY_LOSS] = -surrogates;
  stats[Stat.ENTROPY] = entropy;
  stats[Stat.APPROX_KL] = kl;
  stats[Stat.CLIP_FRACTION] = numClipped;
}
