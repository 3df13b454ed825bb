/** The PPO loss once more, slowly, row by row in float64: what `loss.ts` and `gradient.ts` are checked against. */
import type { PpoLossOptions } from '../../../algorithms/ppo/loss.ts';
import { placeHeads } from '../../../src/policy/distributions/product.ts';
import {
  actionSize,
  distributionSize,
  type PolicySpec,
  type ProductSpec,
} from '../../../src/policy/policy-spec.ts';

/** The differentiable inputs, in float64, and the fixed ones. */
export interface ReferenceInputs {
  readonly numRows: number;
  readonly distributionParameters: ArrayLike<number>; // [B, P]
  readonly values: ArrayLike<number>; // [B]
  readonly latent: ArrayLike<number>; // [B, H]
  readonly logStd: ArrayLike<number>; // [A] or [H, A]
  readonly actions: ArrayLike<number>; // [B, A]
  readonly masks: ArrayLike<number> | null; // [B, P]
  readonly oldLogProbs: ArrayLike<number>;
  readonly oldValues: ArrayLike<number>;
  readonly advantages: ArrayLike<number>;
  readonly returns: ArrayLike<number>;
}

export interface ReferenceScalars {
  readonly clipRange: number;
  readonly entropyCoeff: number;
  readonly valueClipRange: number;
  readonly klPenaltyCoeff?: number;
}

type PolicyInputs = Omit<ReferenceInputs, 'oldLogProbs' | 'oldValues' | 'advantages' | 'returns'>;

export function referenceLogProbAndEntropy(
  spec: PolicySpec,
  inputs: PolicyInputs,
  row: number,
): { logProb: number; entropy: number } {
  const { distribution } = spec;
  if (distribution.kind === 'product') return productOf(spec, distribution, inputs, row);
  let logProb = 0;
  let entropy = 0;
  if (distribution.kind === 'categorical') {
    const P = distribution.sizes.reduce((a, b) => a + b, 0);
    let start = row * P;
    distribution.sizes.forEach((size, k) => {
      const weights = Array.from({ length: size }, (_, i) =>
        inputs.masks !== null && inputs.masks[start + i] === 0
          ? 0
          : Math.exp(inputs.distributionParameters[start + i]),
      );
      const total = weights.reduce((a, b) => a + b, 0);
      const probabilities = weights.map((weight) => weight / total);
      logProb += Math.log(probabilities[inputs.actions[row * distribution.sizes.length + k]]);
      for (const p of probabilities) if (p > 0) entropy -= p * Math.log(p);
      start += size;
    });
    return { logProb, entropy };
  }
  const A = distribution.size;
  for (let a = 0; a < A; a += 1) {
    const parameter = inputs.distributionParameters[row * A + a];
    const action = inputs.actions[row * A + a];
    if (distribution.kind === 'bernoulli') {
      const p = 1 / (1 + Math.exp(-parameter));
      logProb += action === 1 ? Math.log(p) : Math.log(1 - p);
      entropy -= p * Math.log(p) + (1 - p) * Math.log(1 - p);
      continue;
    }
    let variance = 0;
    if (distribution.kind === 'gaussian') variance = Math.exp(inputs.logStd[a]) ** 2;
    else {
      const H = inputs.logStd.length / A;
      for (let h = 0; h < H; h += 1) {
        variance += inputs.latent[row * H + h] ** 2 * Math.exp(inputs.logStd[h * A + a]) ** 2;
      }
      variance += 1e-6;
    }
    logProb += -((action - parameter) ** 2) / (2 * variance) - 0.5 * Math.log(2 * Math.PI * variance);
    entropy += 0.5 * Math.log(2 * Math.PI * Math.E * variance);
    if (distribution.squash) logProb -= Math.log(1 - Math.tanh(action) ** 2);
  }
  return { logProb, entropy: distribution.kind !== 'bernoulli' && distribution.squash ? -logProb : entropy };
}

const part = (numbers: ArrayLike<number>, from: number, to: number) => Array.from(numbers).slice(from, to);

/** The row's part of each head, as a row of its own. */
function productOf(spec: PolicySpec, product: ProductSpec, inputs: PolicyInputs, row: number) {
  const [P, A] = [distributionSize(product), actionSize(product)];
  const sums = { logProb: 0, entropy: 0 };
  for (const { head, output, action, mask, logStd } of placeHeads(product)) {
    const numOutputs = distributionSize(head);
    const isChoice = head.kind === 'categorical';
    const from = row * spec.actionMaskSize + mask;
    const { logProb, entropy } = referenceLogProbAndEntropy(
      { ...spec, distribution: head },
      {
        ...inputs,
        distributionParameters: part(
          inputs.distributionParameters,
          row * P + output,
          row * P + output + numOutputs,
        ),
        actions: part(inputs.actions, row * A + action, row * A + action + actionSize(head)),
        logStd: head.kind === 'gaussian' ? part(inputs.logStd, logStd, logStd + head.size) : inputs.logStd,
        masks: isChoice && inputs.masks !== null ? part(inputs.masks, from, from + numOutputs) : null,
      },
      0,
    );
    sums.logProb += logProb;
    sums.entropy += entropy;
  }
  return sums;
}

export function referenceLoss(
  spec: PolicySpec,
  inputs: ReferenceInputs,
  scalars: ReferenceScalars,
  options: PpoLossOptions,
): { loss: number; stats: Record<string, number> } {
  const clip = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);
  const valueError = (x: number) => {
    if (options.valueLoss === 'mse') return x * x;
    return Math.abs(x) <= 1 ? 0.5 * x * x : Math.abs(x) - 0.5;
  };
  const sums = { policyLoss: 0, valueLoss: 0, entropy: 0, approxKl: 0, clipFraction: 0 };
  for (let row = 0; row < inputs.numRows; row += 1) {
    const { logProb, entropy } = referenceLogProbAndEntropy(spec, inputs, row);
    const logRatio = logProb - inputs.oldLogProbs[row];
    const ratio = Math.exp(logRatio);
    const advantage = inputs.advantages[row];
    const clipped = clip(ratio, 1 - scalars.clipRange, 1 + scalars.clipRange);
    sums.policyLoss -= Math.min(ratio * advantage, clipped * advantage);
    const value = inputs.values[row];
    const oldValue = inputs.oldValues[row];
    let error = valueError(value - inputs.returns[row]);
    if (options.clipValues) {
      const { valueClipRange } = scalars;
      const clippedValue = oldValue + clip(value - oldValue, -valueClipRange, valueClipRange);
      error = Math.max(error, valueError(clippedValue - inputs.returns[row]));
    }
    sums.valueLoss += Math.min(error, options.valueErrorBound ?? Number.POSITIVE_INFINITY);
    sums.entropy += entropy;
    sums.approxKl += ratio - 1 - logRatio;
    sums.clipFraction += Math.abs(ratio - 1) > scalars.clipRange ? 1 : 0;
  }
  const stats = Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / inputs.numRows]));
  const penalty = options.penalizeKl ? (scalars.klPenaltyCoeff ?? Number.NaN) * stats.approxKl : 0;
  const loss =
    stats.policyLoss + options.valueCoeff * stats.valueLoss - scalars.entropyCoeff * stats.entropy + penalty;
  return { loss, stats };
}

/** Central differences of the reference at one differentiable input. */
export function referenceGradient(
  spec: PolicySpec,
  inputs: ReferenceInputs,
  scalars: ReferenceScalars,
  options: PpoLossOptions,
  name: 'distributionParameters' | 'values' | 'logStd',
): Float64Array {
  const step = 1e-5;
  const at = Float64Array.from(inputs[name]);
  return at.map((_, i) => {
    const evaluate = (offset: number) => {
      const moved = Float64Array.from(inputs[name]);
      moved[i] += offset;
      return referenceLoss(spec, { ...inputs, [name]: moved }, scalars, options).loss;
    };
    return (evaluate(step) - evaluate(-step)) / (2 * step);
  });
}

/** ||a - b|| / ||b||. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i += 1) {
    difference += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  return Math.sqrt(difference) / Math.max(Math.sqrt(norm), 1e-12);
}
