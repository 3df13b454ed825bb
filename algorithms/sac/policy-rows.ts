/** The policy of SAC and TQC for a block of rows: a Gaussian of the actor's deviations, or state-dependent exploration. */
import type { Pass, RowSpace, SquashedRows } from '../../src/learner/objective.ts';
import { GSDE_MEAN_CLIP } from '../../src/policy/distributions/squashed-gsde.ts';
import type { ModelSpec } from '../../src/policy/networks/model.ts';

/** @param noise standard normals, a column of A elements. */
export function policyRows(
  rows: RowSpace,
  model: ModelSpec,
  policy: Pass,
  noise: Float32Array,
): SquashedRows {
  return 'logStd' in model.free
    ? createGsdeRows(rows, model, policy, noise)
    : rows.squashedGaussian(policy, noise);
}

/** Added to the variance, as where gSDE acts on-policy. */
const VARIANCE_EPSILON = 1e-6;
const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);

/**
 * State-dependent exploration (Raffin et al. 2021, arXiv:2005.05719) as it is learnt from: in row r the noise latent . (std eps) of a matrix eps
 * is normal with
 *
 *     variance_a = sum_h latent_h^2 exp(logStd_ha)^2 + 1e-6        u = clip(mean, +-2) + sqrt(variance) e        a = tanh(u)
 *     log pi     = sum_a -e^2 / 2 - log(variance) / 2 - log(2 pi) / 2 - 2 (log 2 - u - softplus(-2u))
 *
 * so each row draws e ~ N(0, 1), where Stable-Baselines3 draws one matrix a batch: the same distribution of a row, without what rows of a batch
 * would have in common. Nothing flows from the noise to the latent, as there.
 */
function createGsdeRows(rows: RowSpace, model: ModelSpec, policy: Pass, noise: Float32Array): SquashedRows {
  const A = model.inputs.action.size;
  const { values: logStd, gradient } = rows.free('logStd'); // [H, A]
  const H = logStd.length / A;
  const actions = rows.buffer(A);
  const deviations = rows.buffer(A);
  const byActions = rows.buffer(A);
  const logProbs = rows.buffer(1);
  const variances = new Float64Array(logStd.length); // [H, A] exp(logStd)^2, of the block
  const { outputs, gradOutputs, latent, latentStride } = policy;
  return {
    actions,
    logProbs,
    deviations,
    byActions,
    sample(numRows) {
      for (let k = 0; k < variances.length; k++) variances[k] = Math.exp(2 * logStd[k]);
      for (let r = 0; r < numRows; r++) {
        let logProb = 0;
        for (let a = 0; a < A; a++) {
          let variance = VARIANCE_EPSILON;
          for (let h = 0; h < H; h++) variance += latent[r * latentStride + h] ** 2 * variances[h * A + a];
          const e = noise[r * A + a];
          const mean = Math.min(Math.max(outputs[r * A + a], -GSDE_MEAN_CLIP), GSDE_MEAN_CLIP);
          const u = mean + Math.sqrt(variance) * e;
          actions[r * A + a] = Math.tanh(u);
          deviations[r * A + a] = Math.sqrt(variance);
          logProb -= 0.5 * (e * e + Math.log(variance)) + HALF_LOG_2PI;
          logProb -= 2 * (Math.LN2 - u - softplus(-2 * u));
        }
        logProbs[r] = logProb;
      }
    },
    flowBack(numRows, byLogProb) {
      for (let r = 0; r < numRows; r++) {
        for (let a = 0; a < A; a++) {
          const at = r * A + a;
          const action = actions[at];
          const std = deviations[at];
          const byU = byActions[at] * (1 - action * action) + 2 * byLogProb * action;
          gradOutputs[at] = Math.abs(outputs[at]) < GSDE_MEAN_CLIP ? byU : 0;
          const byVariance = (byU * noise[at]) / (2 * std) - byLogProb / (2 * std * std);
          for (let h = 0; h < H; h++) {
            const k = h * A + a;
            gradient[k] += byVariance * 2 * latent[r * latentStride + h] ** 2 * variances[k];
          }
        }
      }
    },
  };
}

function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
