/**
 * Sampling and log-probabilities, one row at a time: a row costs a handful of polynomials beside its network's
 * thousands of multiply-adds. `state` is the policy descriptor (../policy-descriptor.ts names the words).
 */
import { exp1, exp4, log1, sigmoid1, softplus1, splat } from './math';

const HALF_LOG_2PI: f32 = 0.91893853320467274;
const LOG_2: f32 = 0.69314718055994531;

// @ts-ignore: decorator
@inline
function word(state: usize, index: usize): u32 {
  return load<u32>(state + (index << 2));
}

/** Picks from one categorical and adds its log-probability to *total. Inverse CDF: the first k with sum_{j<=k} p_j > u sum p. */
function pickCategory(
  logits: usize, size: i32, mask: usize, noise: f32, deterministic: bool, weights: usize, total: usize,
): i32 {
  if (mask != 0) {
    for (let k = 0; k < size; k++) {
      if (load<u8>(mask + <usize>k) == 0) store<f32>(logits + (<usize>k << 2), -1e8);
    }
  }
  let best = 0;
  let top = load<f32>(logits);
  for (let k = 1; k < size; k++) {
    const logit = load<f32>(logits + (<usize>k << 2));
    if (logit > top) {
      top = logit;
      best = k;
    }
  }
  const shift = splat(top);
  for (let k = 0; k < size; k += 4) {
    const offset = <usize>k << 2;
    v128.store(weights + offset, exp4(f32x4.sub(v128.load(logits + offset), shift)));
  }
  let sum: f32 = 0;
  for (let k = 0; k < size; k++) sum += load<f32>(weights + (<usize>k << 2));
  let choice = best;
  if (!deterministic) {
    const threshold = noise * sum;
    let cumulative: f32 = 0;
    for (let k = 0; k < size; k++) {
      const weight = load<f32>(weights + (<usize>k << 2));
      if (weight > 0) choice = k; // rounding may leave the threshold at the very top: the last possible one then
      cumulative += weight;
      if (cumulative > threshold) break;
    }
  }
  store<f32>(total, load<f32>(total) + (load<f32>(logits + (<usize>choice << 2)) - top - log1(sum)));
  return choice;
}

function sampleCategorical(
  state: usize, logits: usize, mask: usize, noise: usize, deterministic: bool, action: usize, total: usize,
): void {
  const numSegments = <i32>word(state, 30);
  const sizes = <usize>word(state, 31);
  const weights = <usize>word(state, 36);
  for (let s = 0; s < numSegments; s++) {
    const size = load<i32>(sizes + (<usize>s << 2));
    const u: f32 = deterministic ? 0 : load<f32>(noise + (<usize>s << 2));
    store<i32>(action + (<usize>s << 2), pickCategory(logits, size, mask, u, deterministic, weights, total));
    logits += <usize>size << 2;
    if (mask != 0) mask += size;
  }
}

function sampleBernoulli(
  size: i32, logits: usize, noise: usize, deterministic: bool, action: usize, total: usize,
): void {
  let logProb: f32 = 0;
  for (let k: usize = 0; k < (<usize>size << 2); k += 4) {
    const logit = load<f32>(logits + k);
    const one = deterministic ? logit > 0 : load<f32>(noise + k) < sigmoid1(logit);
    store<i32>(action + k, one ? 1 : 0);
    logProb -= softplus1(one ? -logit : logit);
  }
  store<f32>(total, logProb);
}

/** log(1 - tanh(u)^2) = 2 (log 2 - u - softplus(-2u)), exact where the squared form cancels. */
// @ts-ignore: decorator
@inline
function squashCorrection(u: f32): f32 {
  return 2 * (LOG_2 - u - softplus1(-2 * u));
}

function sampleGaussian(
  state: usize, size: i32, mean: usize, noise: usize, deterministic: bool, action: usize, total: usize,
): void {
  const squash = word(state, 29) != 0;
  const logStd = <usize>word(state, 1) + word(state, 32);
  const std = <usize>word(state, 36);
  let logProb: f32 = 0;
  for (let k: usize = 0; k < (<usize>size << 2); k += 4) {
    const center = load<f32>(mean + k);
    const width = load<f32>(std + k);
    const value: f32 = deterministic ? center : center + width * load<f32>(noise + k);
    const z = (value - center) / width;
    store<f32>(action + k, value);
    logProb += -0.5 * z * z - load<f32>(logStd + k) - HALF_LOG_2PI;
    if (squash) logProb -= squashCorrection(value);
  }
  store<f32>(total, logProb);
}

/** gSDE: value_a = mean_a + sum_h latent_h std_ha noise_ha; variance_a = sum_h (latent_h std_ha)^2 + 1e-6. */
function sampleStateDependent(
  state: usize, size: i32, mean: usize, latent: usize, noise: usize, deterministic: bool, action: usize, total: usize,
): void {
  const squash = word(state, 29) != 0;
  const numLatent = <i32>word(state, 35);
  const std = <usize>word(state, 36);
  const rowBytes = <usize>size << 2;
  let logProb: f32 = 0;
  for (let a: usize = 0; a < rowBytes; a += 4) {
    let shift: f32 = 0;
    let variance: f32 = 1e-6;
    let offset = a;
    for (let h = 0; h < numLatent; h++) {
      const product = load<f32>(latent + (<usize>h << 2)) * load<f32>(std + offset);
      variance += product * product;
      if (!deterministic) shift += product * load<f32>(noise + offset);
      offset += rowBytes;
    }
    const center = load<f32>(mean + a);
    const value = center + shift;
    const difference = value - center;
    store<f32>(action + a, value);
    logProb += -0.5 * (difference * difference) / variance - 0.5 * log1(variance) - HALF_LOG_2PI;
    if (squash) logProb -= squashCorrection(value);
  }
  store<f32>(total, logProb);
}

/** exp(logStd) once per call, for the two that have one. */
export function prepareDistribution(state: usize): void {
  const kind = word(state, 28);
  if (kind < 2) return;
  const size = <usize>word(state, 30) * (kind == 3 ? <usize>word(state, 35) : 1);
  const logStd = <usize>word(state, 1) + word(state, 32);
  const std = <usize>word(state, 36);
  for (let k: usize = 0; k < (size << 2); k += 16) v128.store(std + k, exp4(v128.load(logStd + k)));
}

/** Row r of the block that starts at row `first` of the call. Writes the action; *total receives the log-probability. */
export function sampleRow(state: usize, first: i32, r: i32, total: usize): void {
  const kind = word(state, 28);
  const size = <i32>word(state, 30);
  const outputs = <usize>word(state, 25) + <usize>(r * <i32>word(state, 26)) * 4;
  const row = <usize>(first + r);
  const action = <usize>word(state, 8) + row * word(state, 9) * 4;
  const noiseSize = <usize>size * (kind == 3 ? <usize>word(state, 35) : 1);
  const noise = <usize>word(state, 6) + row * noiseSize * 4;
  const deterministic = word(state, 7) != 0;
  store<f32>(total, 0);
  if (kind == 0) {
    const mask = word(state, 4) != 0 ? <usize>word(state, 4) + row * word(state, 5) : 0;
    sampleCategorical(state, outputs, mask, noise, deterministic, action, total);
  } else if (kind == 1) {
    sampleBernoulli(size, outputs, noise, deterministic, action, total);
  } else if (kind == 2) {
    sampleGaussian(state, size, outputs, noise, deterministic, action, total);
  } else {
    const latent = <usize>word(state, 33) + <usize>r * word(state, 34);
    sampleStateDependent(state, size, outputs, latent, noise, deterministic, action, total);
  }
}
