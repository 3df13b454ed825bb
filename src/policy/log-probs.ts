/** Log-probabilities of actions that were chosen in plain TypeScript; the kernels give theirs with the action. */
import { NO_EXPLORATION } from '../weights/exploration.ts';
import type { SampleCall } from './choose-actions.ts';
import { GSDE_VARIANCE_EPSILON } from './distributions/gsde.ts';
import { createProductLogProb } from './distributions/product-log-prob.ts';
import { asProduct, type DistributionSpec, type PolicySpec } from './policy-spec.ts';
import { forEachRow } from './sample-rows.ts';

const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);

/** Of the stored actions of each row, with the tanh correction where they are squashed. Thread: any; allocates nothing per row. */
export function writeLogProbs(spec: PolicySpec, call: SampleCall): void {
  const { distribution } = spec;
  if (distribution.kind === 'gaussian' || distribution.kind === 'gsde') {
    for (let row = 0; row < call.numRows; row += 1)
      call.logProbs[row] = gaussianLogProb(distribution, call, row * distribution.size);
    return;
  }
  const logProb = createProductLogProb(asProduct(distribution));
  forEachRow(spec, call, NO_EXPLORATION, (row, r) => {
    call.logProbs[r] = logProb(row);
  });
}

function gaussianLogProb(
  { kind, size, squash }: Extract<DistributionSpec, { kind: 'gaussian' | 'gsde' }>,
  call: SampleCall,
  first: number,
): number {
  let logProb = 0;
  for (let a = 0; a < size; a += 1) {
    const action = call.actions[first + a];
    const std = kind === 'gsde' ? gsdeStd(call, first / size, a, size) : Math.exp(call.logStd?.[a] ?? 0);
    const standardized = (action - call.distributionParameters[first + a]) / std;
    logProb -= 0.5 * standardized * standardized + Math.log(std) + HALF_LOG_2PI;
    if (squash) logProb -= 2 * (Math.LN2 - action - softplus(-2 * action));
  }
  return logProb;
}

function gsdeStd({ logStd, latent }: SampleCall, row: number, a: number, numActions: number): number {
  if (logStd === null || latent === null)
    throw new TypeError('Expected `logStd` and `latent` for gsde, got null.');
  const latentSize = logStd.length / numActions;
  let variance = GSDE_VARIANCE_EPSILON;
  for (let h = 0; h < latentSize; h += 1) {
    const scaled = latent[row * latentSize + h] * Math.exp(logStd[h * numActions + a]);
    variance += scaled * scaled;
  }
  return Math.sqrt(variance);
}

function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
