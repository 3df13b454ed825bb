/**
 * Tanh of a Gaussian whose mean and log deviation are a network's outputs, over a block of rows, and how a loss flows back into both.
 *
 *     u = mean + std e,  a = tanh(u),  std = exp(clip(log deviation, -20, 2))
 *     log pi(a) = sum -e^2 / 2 - log std - log(2 pi) / 2 - 2 (log 2 - |u| - log(1 + x)),   x = exp(-2 |u|)
 *
 * The last term is log(1 - tanh(u)^2), and 4 x / (1 + x)^2 is 1 - tanh(u)^2 itself: neither cancels where tanh(u) rounds to 1.
 * Source: Haarnoja et al. 2018, arXiv:1812.05905, appendix C. Elements go in fours across the ends of rows; up to three more than there
 * are may be read.
 */
import { exp4, log4, madd, splat, tanh4 } from './math';
import { storeLanes } from './store';

const LOWEST_LOG_STD: f32 = -20;
const HIGHEST_LOG_STD: f32 = 2;

/** Four numbers from anywhere. */
// @ts-ignore: decorator
@inline
function gather4(p0: usize, p1: usize, p2: usize, p3: usize): v128 {
  let x = v128.load32_splat(p0);
  x = v128.load_lane<f32>(p1, x, 1);
  x = v128.load_lane<f32>(p2, x, 2);
  return v128.load_lane<f32>(p3, x, 3);
}

/** From an element of a row of parameters [R, 2A] to the next one; `end` is that of the row's first half. */
// @ts-ignore: decorator
@inline
function after(at: usize, end: usize, halfBytes: usize): usize {
  return at + 4 == end ? end + halfBytes : at + 4;
}

/** Where the first half of the row ends that the next element is in. */
// @ts-ignore: decorator
@inline
function endAfter(at: usize, end: usize, halfBytes: usize): usize {
  return at + 4 == end ? end + (halfBytes << 1) : end;
}

// @ts-ignore: decorator
@inline
function clipLogStd(raw: v128): v128 {
  return f32x4.pmax(f32x4.pmin(raw, splat(HIGHEST_LOG_STD)), splat(LOWEST_LOG_STD));
}

/**
 * Writes actions [R, A], log-probabilities [R], and what the way back needs, [R, A] each: deviations, and slopes 1 - a^2. All f32 and
 * dense; parameters [R, 2A], noise [R, A] standard normals. `scratch` [R, A].
 */
export function sampleSquashed(
  parameters: usize, noise: usize, rows: i32, size: i32,
  actions: usize, logProbs: usize, deviations: usize, slopes: usize, scratch: usize,
): void {
  const count = rows * size;
  const half = <usize>size << 2;
  let at = parameters;
  let end = parameters + half;
  for (let i = 0; i < count; i += 4) {
    const offset = <usize>i << 2;
    const p0 = at;
    const end1 = endAfter(p0, end, half);
    const p1 = after(p0, end, half);
    const end2 = endAfter(p1, end1, half);
    const p2 = after(p1, end1, half);
    const end3 = endAfter(p2, end2, half);
    const p3 = after(p2, end2, half);
    at = after(p3, end3, half);
    end = endAfter(p3, end3, half);
    const mean = gather4(p0, p1, p2, p3);
    const logStd = clipLogStd(gather4(p0 + half, p1 + half, p2 + half, p3 + half));
    const e = v128.load(noise + offset);
    const std = exp4(logStd);
    const u = madd(std, e, mean);
    const magnitude = f32x4.abs(u);
    const x = exp4(f32x4.mul(splat(-2), magnitude));
    const one = f32x4.add(splat(1), x);
    const inside = f32x4.sub(f32x4.sub(splat(0.6931471805599453), magnitude), log4(one));
    // e^2 / 2 + log std + log(2 pi) / 2 + 2 inside
    let negative = f32x4.add(logStd, splat(0.9189385332046727));
    negative = madd(f32x4.mul(e, e), splat(0.5), negative);
    negative = madd(inside, splat(2), negative);
    const left = count - i;
    storeLanes(actions + offset, tanh4(u), left);
    storeLanes(deviations + offset, std, left);
    storeLanes(slopes + offset, f32x4.div(f32x4.mul(splat(4), x), f32x4.mul(one, one)), left);
    storeLanes(scratch + offset, negative, left);
  }
  for (let r = 0; r < rows; r++) {
    let sum: f32 = 0;
    for (let a = 0; a < size; a++) {
      sum -= load<f32>(scratch);
      scratch += 4;
    }
    store<f32>(logProbs + (<usize>r << 2), sum);
  }
}

/**
 * Gradients [R, 2A] of a loss, noise held fixed: by the mean dL/du = byLogProb 2 a + dL/da (1 - a^2), by the log deviation
 * dL/du std e - byLogProb, 0 where it is clipped. `byActions` dL/da [R, A] f32, the rest as `sampleSquashed` left it.
 */
export function flowBackSquashed(
  parameters: usize, noise: usize, rows: i32, size: i32,
  actions: usize, deviations: usize, slopes: usize, byActions: usize, byLogProb: f32, gradients: usize,
): void {
  const count = rows * size;
  const half = <usize>size << 2;
  let at = parameters;
  let end = parameters + half;
  const byLogProb4 = splat(byLogProb);
  for (let i = 0; i < count; i += 4) {
    const offset = <usize>i << 2;
    const p0 = at;
    const end1 = endAfter(p0, end, half);
    const p1 = after(p0, end, half);
    const end2 = endAfter(p1, end1, half);
    const p2 = after(p1, end1, half);
    const end3 = endAfter(p2, end2, half);
    const p3 = after(p2, end2, half);
    at = after(p3, end3, half);
    end = endAfter(p3, end3, half);
    const twice = f32x4.mul(splat(2), v128.load(actions + offset));
    const byU = madd(v128.load(byActions + offset), v128.load(slopes + offset), f32x4.mul(byLogProb4, twice));
    const spread = f32x4.mul(v128.load(deviations + offset), v128.load(noise + offset));
    const raw = gather4(p0 + half, p1 + half, p2 + half, p3 + half);
    const isInside = f32x4.eq(raw, clipLogStd(raw));
    const byLogStd = v128.and(f32x4.sub(f32x4.mul(byU, spread), byLogProb4), isInside);
    const left = count - i;
    const move = gradients - parameters;
    v128.store_lane<f32>(p0 + move, byU, 0);
    v128.store_lane<f32>(p0 + move + half, byLogStd, 0);
    if (left > 1) {
      v128.store_lane<f32>(p1 + move, byU, 1);
      v128.store_lane<f32>(p1 + move + half, byLogStd, 1);
    }
    if (left > 2) {
      v128.store_lane<f32>(p2 + move, byU, 2);
      v128.store_lane<f32>(p2 + move + half, byLogStd, 2);
    }
    if (left > 3) {
      v128.store_lane<f32>(p3 + move, byU, 3);
      v128.store_lane<f32>(p3 + move + half, byLogStd, 3);
    }
  }
}
