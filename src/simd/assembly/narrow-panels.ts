/** Products with few columns, and what is left of the others: tiles as in multiply.ts. */
import { madd, splat } from './math';
import { storeLanes } from './store';

// @ts-ignore: decorator
@inline
export function at(base: usize, offset: usize): v128 {
  return base != 0 ? v128.load(base + offset) : splat(0);
}

/** 4 x 8 tiles, for the last 5 to 8 columns. */
export function panel8(
  a: usize, lda: usize, w: usize, ldw: usize, bias: usize, depth: usize,
  c: usize, ldc: usize, rows: i32, columns: i32, accumulate: bool,
): void {
  const b0 = at(bias, 0);
  const b1 = at(bias, 16);
  for (let r = 0; r < rows; r += 4) {
    const c1 = c + ldc;
    const c2 = c1 + ldc;
    const c3 = c2 + ldc;
    let s00 = b0, s01 = b1, s10 = b0, s11 = b1, s20 = b0, s21 = b1, s30 = b0, s31 = b1;
    if (accumulate) {
      s00 = v128.load(c);
      s01 = v128.load(c, 16);
      s10 = v128.load(c1);
      s11 = v128.load(c1, 16);
      s20 = v128.load(c2);
      s21 = v128.load(c2, 16);
      s30 = v128.load(c3);
      s31 = v128.load(c3, 16);
    }
    let p0 = a;
    let p1 = a + lda;
    let p2 = p1 + lda;
    let p3 = p2 + lda;
    let pw = w;
    const end = a + (depth << 2);
    while (p0 < end) {
      const w0 = v128.load(pw);
      const w1 = v128.load(pw, 16);
      const x0 = v128.load32_splat(p0);
      const x1 = v128.load32_splat(p1);
      const x2 = v128.load32_splat(p2);
      const x3 = v128.load32_splat(p3);
      s00 = madd(x0, w0, s00);
      s01 = madd(x0, w1, s01);
      s10 = madd(x1, w0, s10);
      s11 = madd(x1, w1, s11);
      s20 = madd(x2, w0, s20);
      s21 = madd(x2, w1, s21);
      s30 = madd(x3, w0, s30);
      s31 = madd(x3, w1, s31);
      p0 += 4;
      p1 += 4;
      p2 += 4;
      p3 += 4;
      pw += ldw;
    }
    v128.store(c, s00);
    storeLanes(c + 16, s01, columns - 4);
    v128.store(c1, s10);
    storeLanes(c1 + 16, s11, columns - 4);
    v128.store(c2, s20);
    storeLanes(c2 + 16, s21, columns - 4);
    v128.store(c3, s30);
    storeLanes(c3 + 16, s31, columns - 4);
    a += lda << 2;
    c += ldc << 2;
  }
}

/** 4 x 4 tiles, for the last 1 to 4 columns. */
export function panel4(
  a: usize, lda: usize, w: usize, ldw: usize, bias: usize, depth: usize,
  c: usize, ldc: usize, rows: i32, columns: i32, accumulate: bool,
): void {
  const b0 = at(bias, 0);
  for (let r = 0; r < rows; r += 4) {
    const c1 = c + ldc;
    const c2 = c1 + ldc;
    const c3 = c2 + ldc;
    let s0 = b0, s1 = b0, s2 = b0, s3 = b0;
    if (accumulate) {
      s0 = v128.load(c);
      s1 = v128.load(c1);
      s2 = v128.load(c2);
      s3 = v128.load(c3);
    }
    let p0 = a;
    let p1 = a + lda;
    let p2 = p1 + lda;
    let p3 = p2 + lda;
    let pw = w;
    const end = a + (depth << 2);
    while (p0 < end) {
      const w0 = v128.load(pw);
      s0 = madd(v128.load32_splat(p0), w0, s0);
      s1 = madd(v128.load32_splat(p1), w0, s1);
      s2 = madd(v128.load32_splat(p2), w0, s2);
      s3 = madd(v128.load32_splat(p3), w0, s3);
      p0 += 4;
      p1 += 4;
      p2 += 4;
      p3 += 4;
      pw += ldw;
    }
    storeLanes(c, s0, columns);
    storeLanes(c1, s1, columns);
    storeLanes(c2, s2, columns);
    storeLanes(c3, s3, columns);
    a += lda << 2;
    c += ldc << 2;
  }
}

// @ts-ignore: decorator
@inline
function sumLanes(v: v128): f32 {
  const pairs = f32x4.add(v, i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** One column, weights contiguous (a value head): dot products, four rows at a time. */
export function column1(a: usize, lda: usize, w: usize, bias: f32, depth: i32, c: usize, ldc: usize, rows: i32): void {
  const whole = <usize>(depth & ~3) << 2;
  const all = <usize>depth << 2;
  for (let r = 0; r < rows; r += 4) {
    let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0);
    const a1 = a + lda;
    const a2 = a1 + lda;
    const a3 = a2 + lda;
    let k: usize = 0;
    for (; k < whole; k += 16) {
      const w0 = v128.load(w + k);
      s0 = madd(v128.load(a + k), w0, s0);
      s1 = madd(v128.load(a1 + k), w0, s1);
      s2 = madd(v128.load(a2 + k), w0, s2);
      s3 = madd(v128.load(a3 + k), w0, s3);
    }
    let t0 = sumLanes(s0), t1 = sumLanes(s1), t2 = sumLanes(s2), t3 = sumLanes(s3);
    for (; k < all; k += 4) {
      const w0 = load<f32>(w + k);
      t0 += load<f32>(a + k) * w0;
      t1 += load<f32>(a1 + k) * w0;
      t2 += load<f32>(a2 + k) * w0;
      t3 += load<f32>(a3 + k) * w0;
    }
    store<f32>(c, t0 + bias);
    store<f32>(c + ldc, t1 + bias);
    store<f32>(c + 2 * ldc, t2 + bias);
    store<f32>(c + 3 * ldc, t3 + bias);
    a += lda << 2;
    c += ldc << 2;
  }
}
