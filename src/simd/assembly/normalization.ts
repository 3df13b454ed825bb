/**
 * Layer normalisation over a block [rows, columns] (Ba, Kiros & Hinton 2016):
 * x = (z - mean) / sqrt(variance + 1e-5), y = gain x + shift; mean and (population) variance of a row.
 *
 * A row's sums run in 16 lanes, column j in lane j mod 16, whatever the vectors' width; what lies past the last column counts as 0.
 */
import { madd, splat } from './math';
import { storeLanes } from './store';

const EPSILON: f32 = 1e-5;

/** The first `count` lanes, and zeros. */
// @ts-ignore: decorator
@inline
function firstLanes(x: v128, count: i32): v128 {
  return v128.and(x, i32x4.gt_s(i32x4.splat(count), i32x4(0, 1, 2, 3)));
}

/** Sum of 16 lanes. */
// @ts-ignore: decorator
@inline
function total(s0: v128, s1: v128, s2: v128, s3: v128): f32 {
  const q = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
  return (
    (f32x4.extract_lane(q, 0) + f32x4.extract_lane(q, 1)) + (f32x4.extract_lane(q, 2) + f32x4.extract_lane(q, 3))
  );
}

function rowMean(z: usize, columns: i32): f32 {
  let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0);
  let left = columns;
  for (; left >= 16; left -= 16) {
    s0 = f32x4.add(s0, v128.load(z));
    s1 = f32x4.add(s1, v128.load(z, 16));
    s2 = f32x4.add(s2, v128.load(z, 32));
    s3 = f32x4.add(s3, v128.load(z, 48));
    z += 64;
  }
  if (left > 0) {
    s0 = f32x4.add(s0, firstLanes(v128.load(z), left));
    s1 = f32x4.add(s1, firstLanes(v128.load(z, 16), left - 4));
    s2 = f32x4.add(s2, firstLanes(v128.load(z, 32), left - 8));
    s3 = f32x4.add(s3, firstLanes(v128.load(z, 48), left - 12));
  }
  return total(s0, s1, s2, s3) / <f32>columns;
}

function rowVariance(z: usize, columns: i32, mean: f32): f32 {
  const m = splat(mean);
  let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0);
  let left = columns;
  for (; left >= 16; left -= 16) {
    const c0 = f32x4.sub(v128.load(z), m);
    const c1 = f32x4.sub(v128.load(z, 16), m);
    const c2 = f32x4.sub(v128.load(z, 32), m);
    const c3 = f32x4.sub(v128.load(z, 48), m);
    s0 = madd(c0, c0, s0);
    s1 = madd(c1, c1, s1);
    s2 = madd(c2, c2, s2);
    s3 = madd(c3, c3, s3);
    z += 64;
  }
  if (left > 0) {
    const c0 = firstLanes(f32x4.sub(v128.load(z), m), left);
    const c1 = firstLanes(f32x4.sub(v128.load(z, 16), m), left - 4);
    const c2 = firstLanes(f32x4.sub(v128.load(z, 32), m), left - 8);
    const c3 = firstLanes(f32x4.sub(v128.load(z, 48), m), left - 12);
    s0 = madd(c0, c0, s0);
    s1 = madd(c1, c1, s1);
    s2 = madd(c2, c2, s2);
    s3 = madd(c3, c3, s3);
  }
  return total(s0, s1, s2, s3) / <f32>columns;
}

/**
 * z = y, in place. `kept` (at z's stride) and `inverseStd` [rows] get what the way back needs: x, and 1 / sqrt(variance + 1e-5);
 * 0 = nobody will ask.
 */
export function normalize(
  z: usize, ldz: usize, rows: i32, columns: i32, gain: usize, shift: usize, kept: usize, inverseStd: usize,
): void {
  const end = <usize>columns << 2;
  for (let r = 0; r < rows; r++) {
    const mean = rowMean(z, columns);
    const inverse = <f32>1 / sqrt<f32>(rowVariance(z, columns, mean) + EPSILON);
    const m = splat(mean), scale = splat(inverse);
    // scratch is padded to 16 columns, so whole vectors may be stored
    for (let k: usize = 0; k < end; k += 16) {
      const x = f32x4.mul(f32x4.sub(v128.load(z + k), m), scale);
      if (kept != 0) v128.store(kept + k, x);
      v128.store(z + k, madd(x, v128.load(gain + k), v128.load(shift + k)));
    }
    z += ldz;
    if (kept == 0) continue;
    store<f32>(inverseStd + (<usize>r << 2), inverse);
    kept += ldz;
  }
}

/** Gradients of gain and shift: sums over rows of d x and d; x at stride ldx. */
export function normalizationGradients(
  d: usize, ldd: usize, x: usize, ldx: usize, rows: i32, columns: i32, gain: usize, shift: usize, accumulate: bool,
): void {
  for (let j = 0; j < columns; j += 4) {
    const offset = <usize>j << 2;
    let pd = d + offset;
    let px = x + offset;
    let products = splat(0), sums = splat(0);
    for (let r = 0; r < rows; r++) {
      const y = v128.load(pd);
      products = madd(y, v128.load(px), products);
      sums = f32x4.add(sums, y);
      pd += ldd;
      px += ldx;
    }
    if (accumulate) {
      products = f32x4.add(v128.load(gain + offset), products);
      sums = f32x4.add(v128.load(shift + offset), sums);
    }
    storeLanes(gain + offset, products, columns - j);
    storeLanes(shift + offset, sums, columns - j);
  }
}

/** d = inverseStd (a - mean(a) - x mean(a x)) with a = d gain, in place: a gradient on its way back. */
export function normalizeBack(
  d: usize, ldd: usize, x: usize, ldx: usize, inverseStd: usize, gain: usize, rows: i32, columns: i32,
): void {
  const end = <usize>columns << 2;
  for (let r = 0; r < rows; r++) {
    let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0);
    let t0 = splat(0), t1 = splat(0), t2 = splat(0), t3 = splat(0);
    for (let j = 0; j < columns; j += 16) {
      const k = <usize>j << 2;
      const left = columns - j;
      const a0 = firstLanes(f32x4.mul(v128.load(d + k), v128.load(gain + k)), left);
      const a1 = firstLanes(f32x4.mul(v128.load(d + k, 16), v128.load(gain + k, 16)), left - 4);
      const a2 = firstLanes(f32x4.mul(v128.load(d + k, 32), v128.load(gain + k, 32)), left - 8);
      const a3 = firstLanes(f32x4.mul(v128.load(d + k, 48), v128.load(gain + k, 48)), left - 12);
      s0 = f32x4.add(s0, a0);
      s1 = f32x4.add(s1, a1);
      s2 = f32x4.add(s2, a2);
      s3 = f32x4.add(s3, a3);
      t0 = madd(a0, firstLanes(v128.load(x + k), left), t0);
      t1 = madd(a1, firstLanes(v128.load(x + k, 16), left - 4), t1);
      t2 = madd(a2, firstLanes(v128.load(x + k, 32), left - 8), t2);
      t3 = madd(a3, firstLanes(v128.load(x + k, 48), left - 12), t3);
    }
    const mean = splat(total(s0, s1, s2, s3) / <f32>columns);
    const slope = splat(-(total(t0, t1, t2, t3) / <f32>columns));
    const scale = splat(load<f32>(inverseStd + (<usize>r << 2)));
    for (let k: usize = 0; k < end; k += 16) {
      const a = f32x4.mul(v128.load(d + k), v128.load(gain + k));
      v128.store(d + k, f32x4.mul(madd(v128.load(x + k), slope, f32x4.sub(a, mean)), scale));
    }
    d += ldd;
    x += ldx;
  }
}
