/** Log-probabilities of actions that were chosen in plain TypeScript; the kernels give theirs with the action. */
import { bestCategory, maskedLogit, type SampleCall } from './choose-actions.ts';
import { actionSize, type DistributionSpec, distributionSize, type ProductSpec } from './policy-spec.ts';
import { forEachProductRow } from './product-call.ts';
import { GSDE_VARIANCE_EPSILON } from './tensor-distributions.ts';

const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);

/** Of the stored actions of each row, with the tanh correction where they are squashed. Thread: any; allocates nothing per row. */
export function writeLogProbs(distribution: DistributionSpec, call: SampleCall): void {
  if (distribution.kind === 'product') {
    forEachProductRow(distribution, call, ({ logProb }, row, r) => {
      call.logProbs[r] = logProb(row);
    });
    return;
  }
  const numParameters = distributionSize(distribution);
  const numActions = actionSize(distribution);
  for (let row = 0; row < call.numRows; row += 1)
    call.logProbs[row] = logProbOf(distribution, call, row * numParameters, row * numActions);
}

/** @param start of the row's parameters. @param first of its action's elements. */
function logProbOf(
  distribution: Exclude<DistributionSpec, ProductSpec>,
  call: SampleCall,
  start: number,
  first: number,
): number {
  switch (distribution.kind) {
    case 'categorical':
      return categoricalLogProb(distribution.sizes, call, start, first);
    case 'bernoulli':
      return bernoulliLogProb(call, start, distribution.size);
    default:
      return gaussianLogProb(distribution, call, first);
  }
}

function categoricalLogProb(
  sizes: readonly number[],
  call: SampleCall,
  firstLogit: number,
  first: number,
): number {
  let logProb = 0;
  let start = firstLogit;
  for (let k = 0; k < sizes.length; k += 1) {
    const size = sizes[k];
    const largest = maskedLogit(call, start + bestCategory(call, start, size));
    let total = 0;
    for (let i = 0; i < size; i += 1) total += Math.exp(maskedLogit(call, start + i) - largest);
    logProb += maskedLogit(call, start + call.actions[first + k]) - largest - Math.log(total);
    start += size;
  }
  return logProb;
}

function bernoulliLogProb(
  { distributionParameters, actions }: SampleCall,
  start: number,
  size: number,
): number {
  let logProb = 0;
  for (let i = start; i < start + size; i += 1)
    logProb += actions[i] * distributionParameters[i] - softplus(distributionParameters[i]);
  return logProb;
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
