/**
 * Log-probabilities and entropies of stored actions, and their derivatives at the network's outputs, for a chunk of rows.
 *
 * What every policy-gradient loss needs: it turns (logProb, entropy) into two weights per row, dL/dlogProb and dL/dentropy,
 * and {@link DistributionGradient.backward} carries them to the distribution's parameters. Float64 inside.
 */
import { latentSize, type PolicySpec, type ProductHead } from '../../policy/policy-spec.ts';
import { type DistributionGradient, type GradientChunk, MAX_CHUNK_ROWS } from '../output-gradient.ts';
import { categoricalGradient } from './categorical-gradient.ts';
import { productGradient } from './product-gradient.ts';

const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);
const GAUSSIAN_ENTROPY = 0.5 + HALF_LOG_2PI;

const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Bernoulli: log p = a l - softplus(l); H = softplus(l) - p l; dlog p/dl = a - p; dH/dl = -l p (1 - p). */
function bernoulliGradient(size: number): DistributionGradient {
  return {
    evaluate({ numRows, distributionParameters: logits, actions }, logProbs, entropies) {
      for (let r = 0; r < numRows; r++) {
        let logProb = 0;
        let entropy = 0;
        for (let k = r * size; k < (r + 1) * size; k++) {
          const logit = logits[k];
          const soft = softplus(logit);
          logProb += actions[k] * logit - soft;
          entropy += soft - logit / (1 + Math.exp(-logit));
        }
        logProbs[r] = logProb;
        entropies[r] = entropy;
      }
    },
    backward(chunk, byLogProb, byEntropy) {
      const { numRows, distributionParameters: logits, actions, gradDistributionParameters: out } = chunk;
      for (let r = 0; r < numRows; r++) {
        for (let k = r * size; k < (r + 1) * size; k++) {
          const p = 1 / (1 + Math.exp(-logits[k]));
          out[k] = byLogProb[r] * (actions[k] - p) - byEntropy[r] * logits[k] * p * (1 - p);
        }
      }
    },
  };
}

/** - sum log(1 - tanh(u)^2) of a squashed row, without the cancellation. */
function squashCorrection(actions: Float32Array | Int32Array, start: number, end: number): number {
  let correction = 0;
  for (let k = start; k < end; k++) correction -= 2 * (Math.LN2 - actions[k] - softplus(-2 * actions[k]));
  return correction;
}

/**
 * Gaussian: log p = sum -z^2/2 - s - log(2 pi)/2 with z = (a - mu) / e^s; dlog p/dmu = z / e^s; dlog p/ds = z^2 - 1;
 * H = sum s + (1 + log(2 pi))/2. The squash's correction depends on the stored action alone.
 */
function gaussianGradient(size: number, squash: boolean): DistributionGradient {
  const inverseStds = new Float64Array(size);
  return {
    evaluate({ numRows, distributionParameters: means, actions, logStd }, logProbs, entropies) {
      let constant = 0;
      for (let a = 0; a < size; a++) {
        inverseStds[a] = Math.exp(-logStd[a]);
        constant += logStd[a];
      }
      const entropy = constant + size * GAUSSIAN_ENTROPY;
      for (let r = 0; r < numRows; r++) {
        let logProb = -constant - size * HALF_LOG_2PI;
        for (let a = 0; a < size; a++) {
          const z = (actions[r * size + a] - means[r * size + a]) * inverseStds[a];
          logProb -= 0.5 * z * z;
        }
        if (squash) logProb += squashCorrection(actions, r * size, (r + 1) * size);
        logProbs[r] = logProb;
        entropies[r] = squash ? -logProb : entropy;
      }
    },
    backward(chunk, byLogProb, byEntropy) {
      const { numRows, distributionParameters: means, actions, gradDistributionParameters: out } = chunk;
      for (let a = 0; a < size; a++) {
        let gradLogStd = 0;
        for (let r = 0; r < numRows; r++) {
          const k = r * size + a;
          const g = squash ? byLogProb[r] - byEntropy[r] : byLogProb[r];
          const z = (actions[k] - means[k]) * inverseStds[a];
          out[k] = g * z * inverseStds[a];
          gradLogStd += g * (z * z - 1) + (squash ? 0 : byEntropy[r]);
        }
        chunk.gradLogStd[a] = gradLogStd;
      }
    },
  };
}

/**
 * gSDE: variance v_a = sum_h latent_h^2 e^(2 s_ha) + 1e-6, then as gaussian; dlog p/dv = ((a - mu)^2 / v - 1) / (2 v);
 * dH/dv = 1 / (2 v); dv/ds_ha = 2 latent_h^2 e^(2 s_ha). The latent is a constant here.
 */
function stateDependentGradient(size: number, numLatent: number, squash: boolean): DistributionGradient {
  const squaredStds = new Float64Array(numLatent * size); // [H, A]
  const variances = new Float64Array(MAX_CHUNK_ROWS * size); // [R, A]
  const sums = new Float64Array(numLatent * size); // [H, A]
  const rowVariance = ({ latent, latentStride }: GradientChunk, r: number, a: number): number => {
    let variance = 1e-6;
    for (let h = 0; h < numLatent; h++) {
      const x = latent[r * latentStride + h];
      variance += x * x * squaredStds[h * size + a];
    }
    return variance;
  };
  return {
    evaluate(chunk, logProbs, entropies) {
      const { numRows, distributionParameters: means, actions, logStd } = chunk;
      for (let k = 0; k < squaredStds.length; k++) squaredStds[k] = Math.exp(2 * logStd[k]);
      for (let r = 0; r < numRows; r++) {
        let logProb = 0;
        let entropy = 0;
        for (let a = 0; a < size; a++) {
          const k = r * size + a;
          const variance = rowVariance(chunk, r, a);
          const halfLog = 0.5 * Math.log(variance);
          variances[k] = variance;
          logProb += (-0.5 * (actions[k] - means[k]) ** 2) / variance - halfLog - HALF_LOG_2PI;
          entropy += halfLog + GAUSSIAN_ENTROPY;
        }
        if (squash) logProb += squashCorrection(actions, r * size, (r + 1) * size);
        logProbs[r] = logProb;
        entropies[r] = squash ? -logProb : entropy;
      }
    },
    backward(chunk, byLogProb, byEntropy) {
      const { numRows, distributionParameters: means, actions, latent, latentStride } = chunk;
      sums.fill(0);
      for (let r = 0; r < numRows; r++) {
        const g = squash ? byLogProb[r] - byEntropy[r] : byLogProb[r];
        const h0 = squash ? 0 : byEntropy[r];
        for (let a = 0; a < size; a++) {
          const k = r * size + a;
          const difference = actions[k] - means[k];
          const inverse = 1 / variances[k];
          chunk.gradDistributionParameters[k] = g * difference * inverse;
          // d/dv doubled, since dv/ds has the factor 2
          const byVariance = (g * (difference * difference * inverse - 1) + h0) * inverse;
          for (let h = 0; h < numLatent; h++) {
            const x = latent[r * latentStride + h];
            sums[h * size + a] += byVariance * x * x;
          }
        }
      }
      for (let k = 0; k < sums.length; k++) chunk.gradLogStd[k] = sums[k] * squaredStds[k];
    },
  };
}

/** The gradient of a policy's distribution; one per thread, for chunks of at most {@link MAX_CHUNK_ROWS} rows. */
export function createDistributionGradient(spec: PolicySpec): DistributionGradient {
  const { distribution } = spec;
  const hasMasks = spec.actionMaskSize > 0;
  switch (distribution.kind) {
    case 'gsde':
      return stateDependentGradient(distribution.size, latentSize(spec), distribution.squash);
    case 'product':
      return productGradient(distribution, hasMasks, headGradient);
    default:
      return headGradient(distribution, hasMasks);
  }
}

function headGradient(head: ProductHead, hasMasks: boolean): DistributionGradient {
  switch (head.kind) {
    case 'categorical':
      return categoricalGradient(head.sizes, hasMasks);
    case 'bernoulli':
      return bernoulliGradient(head.size);
    case 'gaussian':
      return gaussianGradient(head.size, head.squash);
  }
}
