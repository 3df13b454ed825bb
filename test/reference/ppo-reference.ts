/** PPO's loss in plain float64, and its gradient: numerical at the network's outputs, backpropagated through the layers. */

import { mlpParameterLayout } from '../../src/policy/networks/mlp-parameters.ts';
import type { PolicySpec } from '../../src/policy/policy-spec.ts';
import { type RowInputs, rowStatistics } from './distribution-reference.ts';
import { backwardReference, type ForwardTrace, forwardReference, tensorsOf } from './mlp-reference.ts';

export interface ReferenceBatch {
  readonly x: number[][]; // [B, obsSize] normalised
  readonly actions: number[][]; // [B, A]
  readonly masks: number[][] | null; // [B, P]
  readonly oldLogProbs: number[];
  readonly oldValues: number[];
  readonly advantages: number[];
  readonly returns: number[];
}

export interface ReferenceOptions {
  readonly clipRange: number;
  readonly entropyCoeff: number;
  readonly valueCoeff: number;
  readonly valueLoss: 'mse' | 'huber';
  /** null = no clipping of values. */
  readonly valueClipRange: number | null;
  readonly valueErrorBound: number;
  readonly klPenaltyCoeff: number;
}

const huber = (x: number) => (Math.abs(x) <= 1 ? 0.5 * x * x : Math.abs(x) - 0.5);

/** One row's share of the policy loss, entropy term included. */
function policyRow(
  spec: PolicySpec,
  row: RowInputs,
  oldLogProb: number,
  advantage: number,
  o: ReferenceOptions,
) {
  const { logProb, entropy } = rowStatistics(spec, row);
  const ratio = Math.exp(logProb - oldLogProb);
  const clipped = Math.min(Math.max(ratio, 1 - o.clipRange), 1 + o.clipRange);
  const policyLoss = -Math.min(ratio * advantage, clipped * advantage);
  const penalty = o.klPenaltyCoeff * (ratio - 1 - Math.log(ratio));
  return { policyLoss, entropy, ratio, logProb, loss: policyLoss - o.entropyCoeff * entropy + penalty };
}

function valueRow(value: number, oldValue: number, target: number, o: ReferenceOptions): number {
  const error = (x: number) => (o.valueLoss === 'huber' ? huber(x) : x * x);
  if (o.valueClipRange === null) return Math.min(error(value - target), o.valueErrorBound);
  const change = Math.min(Math.max(value - oldValue, -o.valueClipRange), o.valueClipRange);
  return Math.min(Math.max(error(value - target), error(oldValue + change - target)), o.valueErrorBound);
}

export function logStdOf(spec: PolicySpec, parameters: ArrayLike<number>): number[] {
  const tensor = tensorsOf(spec, parameters)('logStd');
  return Array.from({ length: tensor.size }, (_, k) => tensor.at(k));
}

function rowOf(
  batch: ReferenceBatch,
  r: number,
  outputs: number[],
  latent: number[],
  logStd: number[],
): RowInputs {
  return { outputs, latent, logStd, action: batch.actions[r], mask: batch.masks?.[r] ?? null };
}

/** @param latents the actor's last hidden layer, a constant of the loss (gsde); null = from this forward pass. */
export function lossReference(
  spec: PolicySpec,
  parameters: ArrayLike<number>,
  batch: ReferenceBatch,
  options: ReferenceOptions,
  latents: number[][] | null = null,
) {
  const trace = forwardReference(spec, parameters, batch.x);
  const means = meanLosses(spec, parameters, trace, batch, options, latents);
  return { ...means, latents: trace.latent };
}

/** The loss of a batch whose rows have gone through the network. */
export function meanLosses(
  spec: PolicySpec,
  parameters: ArrayLike<number>,
  trace: ForwardTrace,
  batch: ReferenceBatch,
  options: ReferenceOptions,
  latents: number[][] | null = null,
) {
  const logStd = logStdOf(spec, parameters);
  const means = { policyLoss: 0, valueLoss: 0, entropy: 0, approxKl: 0, clipFraction: 0, loss: 0 };
  const B = batch.x.length;
  for (let r = 0; r < B; r++) {
    const row = rowOf(batch, r, trace.outputs[r], (latents ?? trace.latent)[r], logStd);
    const policy = policyRow(spec, row, batch.oldLogProbs[r], batch.advantages[r], options);
    const value = valueRow(trace.values[r], batch.oldValues[r], batch.returns[r], options);
    means.policyLoss += policy.policyLoss / B;
    means.valueLoss += value / B;
    means.entropy += policy.entropy / B;
    means.approxKl += (policy.ratio - 1 - Math.log(policy.ratio)) / B;
    means.clipFraction += (Math.abs(policy.ratio - 1) > options.clipRange ? 1 : 0) / B;
    means.loss += (policy.loss + options.valueCoeff * value) / B;
  }
  return means;
}

const STEP = 1e-5;

/** f'(x) by central differences of fourth order: exact to about 1e-10 where f bends on a scale of 1e-3. */
export function slope(f: (x: number) => number, x: number): number {
  const near = f(x + STEP) - f(x - STEP);
  const far = f(x + 2 * STEP) - f(x - 2 * STEP);
  return (8 * near - far) / (12 * STEP);
}

/** dL/dparameters, float64 [layout.size]. */
export function gradientReference(
  spec: PolicySpec,
  parameters: ArrayLike<number>,
  batch: ReferenceBatch,
  options: ReferenceOptions,
): Float64Array {
  const trace = forwardReference(spec, parameters, batch.x);
  const logStd = logStdOf(spec, parameters);
  const B = batch.x.length;
  const gradLogStd = new Float64Array(logStd.length);
  const gradOutputs = trace.outputs.map((outputs, r) => {
    const lossOf = (o: number[], s: number[]) =>
      policyRow(
        spec,
        rowOf(batch, r, o, trace.latent[r], s),
        batch.oldLogProbs[r],
        batch.advantages[r],
        options,
      ).loss / B;
    for (let k = 0; k < logStd.length; k++)
      gradLogStd[k] += slope((x) => lossOf(outputs, logStd.with(k, x)), logStd[k]);
    return outputs.map((_, k) => slope((x) => lossOf(outputs.with(k, x), logStd), outputs[k]));
  });
  const gradValues = trace.values.map((value, r) =>
    slope(
      (x) => (options.valueCoeff * valueRow(x, batch.oldValues[r], batch.returns[r], options)) / B,
      value,
    ),
  );
  const gradients = backwardReference(spec, parameters, trace, gradOutputs, gradValues);
  const { offset } = tensorsOf(spec, parameters)('logStd');
  if (offset >= 0) gradients.set(gradLogStd, offset);
  return gradients;
}

/** ||a - b|| / ||b||. */
export function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let norm = 0;
  for (let k = 0; k < b.length; k++) {
    difference += (a[k] - b[k]) ** 2;
    norm += b[k] ** 2;
  }
  return Math.sqrt(difference / norm);
}

/** Indices of real parameters (padding left out). */
export function parameterIndices(spec: PolicySpec): number[] {
  return mlpParameterLayout(spec).entries.flatMap(({ offset, size }) =>
    Array.from({ length: size }, (_, k) => offset + k),
  );
}
