/** Gradient reduction, Adam and target blends over slices of the flat parameters; `bytes` is rounded up to 16, reduceSlice's to 64. */
import { madd, splat } from './math';

/** slabs[0] += slabs[1] + ... in slab order over one slice. Returns the sum of squares of the result. */
export function reduceSlice(slab: usize, slabBytes: usize, numSlabs: i32, bytes: usize): f64 {
  let q0 = splat(0), q1 = splat(0), q2 = splat(0), q3 = splat(0);
  for (let k: usize = 0; k < bytes; k += 64) {
    let p = slab + k;
    let g0 = v128.load(p);
    let g1 = v128.load(p, 16);
    let g2 = v128.load(p, 32);
    let g3 = v128.load(p, 48);
    if (numSlabs > 1) {
      for (let s = 1; s < numSlabs; s++) {
        p += slabBytes;
        g0 = f32x4.add(g0, v128.load(p));
        g1 = f32x4.add(g1, v128.load(p, 16));
        g2 = f32x4.add(g2, v128.load(p, 32));
        g3 = f32x4.add(g3, v128.load(p, 48));
      }
      p = slab + k;
      v128.store(p, g0);
      v128.store(p, g1, 16);
      v128.store(p, g2, 32);
      v128.store(p, g3, 48);
    }
    q0 = madd(g0, g0, q0);
    q1 = madd(g1, g1, q1);
    q2 = madd(g2, g2, q2);
    q3 = madd(g3, g3, q3);
  }
  const q = f32x4.add(f32x4.add(q0, q1), f32x4.add(q2, q3));
  return (
    <f64>f32x4.extract_lane(q, 0) + <f64>f32x4.extract_lane(q, 1) +
    <f64>f32x4.extract_lane(q, 2) + <f64>f32x4.extract_lane(q, 3)
  );
}

/** x, or 0 where x is too small to be a normal number; NaN stays. */
// @ts-ignore: decorator
@inline
function normalOrZero(x: v128): v128 {
  return v128.andnot(x, f32x4.lt(f32x4.abs(x), splat(1.17549435e-38)));
}

function scaleSlice(p: usize, bytes: usize, factor: f32): void {
  const factor4 = splat(factor);
  for (let k: usize = 0; k < bytes; k += 16) v128.store(p + k, f32x4.mul(factor4, v128.load(p + k)));
}

/**
 * Adam (Kingma & Ba 2015) as PyTorch writes it, on clipped gradients g * scale:
 * m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,  p = keep p - stepSize m / (sqrt(v) * rootCorrection + epsilon),
 * stepSize = lr / (1 - b1^t), rootCorrection = 1 / sqrt(1 - b2^t).
 * keep = 1 - lr * weightDecay is the decoupled decay of AdamW (Loshchilov & Hutter 2019, algorithm 2); 1 = Adam, to the bit.
 *
 * Departure: moments below 2^-126 become 0. Those of a dead unit fade for ever, and arithmetic on numbers that are not normal
 * takes a hundred times as long; over the default epsilon they would move a parameter by less than 1e-33 learning rates.
 */
export function adamSlice(
  p: usize, g: usize, m: usize, v: usize, bytes: usize, scale: f32,
  beta1: f32, rest1: f32, beta2: f32, rest2: f32, stepSize: f32, rootCorrection: f32, epsilon: f32, keep: f32,
): void {
  if (keep != 1) scaleSlice(p, bytes, keep); // a loop of its own: with one constant more Adam's would spill a register
  const scale4 = splat(scale), b1 = splat(beta1), c1 = splat(rest1), b2 = splat(beta2), c2 = splat(rest2);
  const step = splat(-stepSize), correction = splat(rootCorrection), eps = splat(epsilon);
  for (let k: usize = 0; k < bytes; k += 16) {
    const g4 = f32x4.mul(v128.load(g + k), scale4);
    const m4 = normalOrZero(madd(b1, v128.load(m + k), f32x4.mul(c1, g4)));
    const v4 = normalOrZero(madd(b2, v128.load(v + k), f32x4.mul(c2, f32x4.mul(g4, g4))));
    v128.store(m + k, m4);
    v128.store(v + k, v4);
    const root = madd(f32x4.sqrt(v4), correction, eps);
    v128.store(p + k, madd(step, f32x4.div(m4, root), v128.load(p + k)));
  }
}

/** target += tau (source - target): a target network that follows slowly. tau 1 copies, which that sum would not do to the bit. */
export function blendSlice(target: usize, source: usize, bytes: usize, tau: f32): void {
  if (tau == 1) {
    memory.copy(target, source, bytes + 15 & ~15);
    return;
  }
  const tau4 = splat(tau);
  for (let k: usize = 0; k < bytes; k += 16) {
    const old = v128.load(target + k);
    v128.store(target + k, madd(tau4, f32x4.sub(v128.load(source + k), old), old));
  }
}
