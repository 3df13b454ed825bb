/** Log-probability and entropy of one row, float64, straight from the definitions. */
import type { PolicySpec, ProductHead } from '../../src/policy/policy-spec.ts';
import { softplus } from './mlp-reference.ts';

const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);

export interface RowInputs {
  readonly outputs: readonly number[]; // [P]
  readonly latent: readonly number[]; // [H]
  readonly logStd: readonly number[]; // [A] or [H, A]
  readonly action: readonly number[]; // [A]
  readonly mask: readonly number[] | null; // [P]
}

/** logits under the mask, per component. */
export function maskedSegments(
  sizes: readonly number[],
  outputs: readonly number[],
  mask: readonly number[] | null,
) {
  let start = 0;
  return sizes.map((size) => {
    const offset = start;
    start += size;
    return Array.from({ length: size }, (_, k) => (mask?.[offset + k] === 0 ? -1e8 : outputs[offset + k]));
  });
}

export function logSoftmax(logits: readonly number[]): number[] {
  const top = Math.max(...logits);
  const logSum = top + Math.log(logits.reduce((sum, l) => sum + Math.exp(l - top), 0));
  return logits.map((l) => l - logSum);
}

/** Standard deviations [A]; for gsde sqrt(sum_h latent_h^2 exp(logStd_ha)^2 + 1e-6). */
export function standardDeviations(
  spec: PolicySpec,
  latent: readonly number[],
  logStd: readonly number[],
): number[] {
  const { distribution } = spec;
  if (distribution.kind === 'gaussian') return logStd.map(Math.exp);
  const size = distribution.kind === 'gsde' ? distribution.size : 0;
  return Array.from({ length: size }, (_, a) =>
    Math.sqrt(latent.reduce((sum, l, h) => sum + (l * Math.exp(logStd[h * size + a])) ** 2, 1e-6)),
  );
}

/** Each head over what is its own, front to back. */
function productStatistics(spec: PolicySpec, heads: readonly ProductHead[], row: RowInputs) {
  const rest = { outputs: [...row.outputs], logStd: [...row.logStd], action: [...row.action] };
  const mask = row.mask === null ? null : [...row.mask];
  let [logProb, entropy] = [0, 0];
  for (const distribution of heads) {
    const isChoice = distribution.kind === 'categorical';
    const numActions = isChoice ? distribution.sizes.length : distribution.size;
    const numOutputs = isChoice ? distribution.sizes.reduce((a, b) => a + b, 0) : distribution.size;
    const own = rowStatistics(
      { ...spec, distribution },
      {
        ...row,
        outputs: rest.outputs.splice(0, numOutputs),
        action: rest.action.splice(0, numActions),
        logStd: distribution.kind === 'gaussian' ? rest.logStd.splice(0, distribution.size) : [],
        mask: isChoice ? (mask?.splice(0, numOutputs) ?? null) : null,
      },
    );
    logProb += own.logProb;
    entropy += own.entropy;
  }
  return { logProb, entropy };
}

export function rowStatistics(spec: PolicySpec, row: RowInputs): { logProb: number; entropy: number } {
  const { distribution } = spec;
  if (distribution.kind === 'product') return productStatistics(spec, distribution.heads, row);
  if (distribution.kind === 'categorical') {
    let logProb = 0;
    let entropy = 0;
    maskedSegments(distribution.sizes, row.outputs, row.mask).forEach((logits, s) => {
      const logs = logSoftmax(logits);
      logProb += logs[row.action[s]];
      entropy -= logs.reduce((sum, l) => sum + Math.exp(l) * l, 0);
    });
    return { logProb, entropy };
  }
  if (distribution.kind === 'bernoulli') {
    let logProb = 0;
    let entropy = 0;
    row.outputs.forEach((logit, k) => {
      const p = 1 / (1 + Math.exp(-logit));
      logProb += row.action[k] * logit - softplus(logit);
      entropy += softplus(logit) - p * logit;
    });
    return { logProb, entropy };
  }
  let logProb = 0;
  let entropy = 0;
  standardDeviations(spec, row.latent, row.logStd).forEach((std, a) => {
    const z = (row.action[a] - row.outputs[a]) / std;
    logProb += -0.5 * z * z - Math.log(std) - HALF_LOG_2PI;
    if (distribution.squash) logProb -= 2 * (Math.LN2 - row.action[a] - softplus(-2 * row.action[a]));
    entropy += 0.5 + HALF_LOG_2PI + Math.log(std);
  });
  return { logProb, entropy: distribution.squash ? -logProb : entropy };
}
