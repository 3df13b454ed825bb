/**
 * A tanh of a Gaussian whose mean and deviation follow the observation: sampling by given noise, log-probability, and how a loss flows
 * back into both. Float64 inside; one row at a time.
 *
 *     u = mean + std e,   a = tanh(u),   std = exp(clip(log deviation, -20, 2))
 *     log pi(a) = sum -e^2 / 2 - log std - log(2 pi) / 2 - 2 (log 2 - u - softplus(-2u))
 *
 * The last term is log(1 - tanh(u)^2) without cancellation (Spinning Up): with 1 - a^2 + 1e-6 in float32, as elsewhere, the
 * gradient is 0 beyond |u| of about 9. Source: Haarnoja et al. 2018, arXiv:1812.05905, appendix C.
 */

/** Bounds of a log deviation, outside of which nothing flows to it (Stable-Baselines3's). */
export const MIN_LOG_STD = -20;
export const MAX_LOG_STD = 2;

const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);

/** log(1 + e^x) without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/**
 * Samples row r: writes its actions and returns its log-probability.
 *
 * @param parameters [R, 2A] f32: means, then log deviations. @param noise [R, A] standard normals. @param actions [R, A] f32, out.
 */
export function sampleSquashed(
  numActions: number,
  parameters: Float32Array,
  noise: Float32Array,
  actions: Float32Array,
  r: number,
): number {
  let logProb = 0;
  for (let a = 0; a < numActions; a++) {
    const e = noise[r * numActions + a];
    const mean = parameters[2 * r * numActions + a];
    const raw = parameters[2 * r * numActions + numActions + a];
    const logStd = Math.min(MAX_LOG_STD, Math.max(MIN_LOG_STD, raw));
    const u = mean + Math.exp(logStd) * e;
    actions[r * numActions + a] = Math.tanh(u);
    logProb -= 0.5 * e * e + logStd + HALF_LOG_2PI + 2 * (Math.LN2 - u - softplus(-2 * u));
  }
  return logProb;
}

/**
 * How row r's loss moves its parameters, noise held fixed: dL/dmean = dL/du, dL/dlogStd = dL/du std e - byLogProb, where
 *
 *     dL/du = byLogProb 2 tanh(u) + byAction (1 - a^2)
 *
 * @param byLogProb dL/dlog pi of the row. @param byActions dL/da, [R, A] f64. @param gradients [R, 2A] f32, out.
 */
export function flowBackSquashed(
  numActions: number,
  parameters: Float32Array,
  noise: Float32Array,
  byLogProb: number,
  byActions: Float64Array,
  gradients: Float32Array,
  r: number,
): void {
  for (let a = 0; a < numActions; a++) {
    const at = 2 * r * numActions + a;
    const raw = parameters[at + numActions];
    const logStd = Math.min(MAX_LOG_STD, Math.max(MIN_LOG_STD, raw));
    const spread = Math.exp(logStd) * noise[r * numActions + a];
    const action = Math.tanh(parameters[at] + spread);
    const byU = byLogProb * 2 * action + byActions[r * numActions + a] * (1 - action * action);
    gradients[at] = byU;
    gradients[at + numActions] = raw === logStd ? byU * spread - byLogProb : 0;
  }
}
