/** g = a^T d (gradients of weights) and column sums (of biases), in register tiles; strides, tails and written-out steps as in multiply.ts. */
import { madd, splat } from './math';
import { store16, storeLanes } from './store';

/** 2 inputs x 16 outputs of g = a^T d. */
function outer16(
  a: usize, lda: usize, d: usize, ldd: usize, rows: i32, inputs: i32,
  g: usize, ldg: usize, columns: i32, accumulate: bool,
): void {
  const end = d + ldd * <usize>rows;
  for (let i = 0; i < inputs; i += 2) {
    let s00 = splat(0), s01 = splat(0), s02 = splat(0), s03 = splat(0);
    let s10 = splat(0), s11 = splat(0), s12 = splat(0), s13 = splat(0);
    let pa = a;
    let pd = d;
    while (pd < end) {
      const x00 = v128.load32_splat(pa);
      const x01 = v128.load32_splat(pa, 4);
      const d00 = v128.load(pd);
      const d01 = v128.load(pd, 16);
      const d02 = v128.load(pd, 32);
      const d03 = v128.load(pd, 48);
      s00 = madd(x00, d00, s00);
      s01 = madd(x00, d01, s01);
      s02 = madd(x00, d02, s02);
      s03 = madd(x00, d03, s03);
      s10 = madd(x01, d00, s10);
      s11 = madd(x01, d01, s11);
      s12 = madd(x01, d02, s12);
      s13 = madd(x01, d03, s13);
      pd += ldd;
      if (pd >= end) break;
      pa += lda;
      const x10 = v128.load32_splat(pa);
      const x11 = v128.load32_splat(pa, 4);
      const d10 = v128.load(pd);
      const d11 = v128.load(pd, 16);
      const d12 = v128.load(pd, 32);
      const d13 = v128.load(pd, 48);
      s00 = madd(x10, d10, s00);
      s01 = madd(x10, d11, s01);
      s02 = madd(x10, d12, s02);
      s03 = madd(x10, d13, s03);
      s10 = madd(x11, d10, s10);
      s11 = madd(x11, d11, s11);
      s12 = madd(x11, d12, s12);
      s13 = madd(x11, d13, s13);
      pd += ldd;
      if (pd >= end) break;
      pa += lda;
      const x20 = v128.load32_splat(pa);
      const x21 = v128.load32_splat(pa, 4);
      const d20 = v128.load(pd);
      const d21 = v128.load(pd, 16);
      const d22 = v128.load(pd, 32);
      const d23 = v128.load(pd, 48);
      s00 = madd(x20, d20, s00);
      s01 = madd(x20, d21, s01);
      s02 = madd(x20, d22, s02);
      s03 = madd(x20, d23, s03);
      s10 = madd(x21, d20, s10);
      s11 = madd(x21, d21, s11);
      s12 = madd(x21, d22, s12);
      s13 = madd(x21, d23, s13);
      pd += ldd;
      if (pd >= end) break;
      pa += lda;
      const x30 = v128.load32_splat(pa);
      const x31 = v128.load32_splat(pa, 4);
      const d30 = v128.load(pd);
      const d31 = v128.load(pd, 16);
      const d32 = v128.load(pd, 32);
      const d33 = v128.load(pd, 48);
      s00 = madd(x30, d30, s00);
      s01 = madd(x30, d31, s01);
      s02 = madd(x30, d32, s02);
      s03 = madd(x30, d33, s03);
      s10 = madd(x31, d30, s10);
      s11 = madd(x31, d31, s11);
      s12 = madd(x31, d32, s12);
      s13 = madd(x31, d33, s13);
      pa += lda;
      pd += ldd;
    }
    if (accumulate) {
      s00 = f32x4.add(v128.load(g), s00);
      s01 = f32x4.add(v128.load(g, 16), s01);
      s02 = f32x4.add(v128.load(g, 32), s02);
      s03 = f32x4.add(v128.load(g, 48), s03);
    }
    store16(g, s00, s01, s02, s03, columns);
    if (i + 1 < inputs) {
      const h = g + ldg;
      if (accumulate) {
        s10 = f32x4.add(v128.load(h), s10);
        s11 = f32x4.add(v128.load(h, 16), s11);
        s12 = f32x4.add(v128.load(h, 32), s12);
        s13 = f32x4.add(v128.load(h, 48), s13);
      }
      store16(h, s10, s11, s12, s13, columns);
    }
    a += 8;
    g += ldg << 1;
  }
}

/** 4 inputs x 4 outputs of g = a^T d; a's columns are padded to a multiple of 4. */
function outer4(
  a: usize, lda: usize, d: usize, ldd: usize, rows: i32, inputs: i32,
  g: usize, ldg: usize, columns: i32, accumulate: bool,
): void {
  const end = d + ldd * <usize>rows;
  for (let i = 0; i < inputs; i += 4) {
    let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0);
    let pa = a;
    let pd = d;
    while (pd < end) {
      const d0 = v128.load(pd);
      s0 = madd(v128.load32_splat(pa), d0, s0);
      s1 = madd(v128.load32_splat(pa, 4), d0, s1);
      s2 = madd(v128.load32_splat(pa, 8), d0, s2);
      s3 = madd(v128.load32_splat(pa, 12), d0, s3);
      pa += lda;
      pd += ldd;
    }
    addRow(g, s0, columns, accumulate);
    if (i + 1 < inputs) addRow(g + ldg, s1, columns, accumulate);
    if (i + 2 < inputs) addRow(g + 2 * ldg, s2, columns, accumulate);
    if (i + 3 < inputs) addRow(g + 3 * ldg, s3, columns, accumulate);
    a += 16;
    g += ldg << 2;
  }
}

// @ts-ignore: decorator
@inline
function addRow(g: usize, v: v128, columns: i32, accumulate: bool): void {
  storeLanes(g, accumulate ? f32x4.add(v128.load(g), v) : v, columns);
}

/** One output (a value head): g [inputs] contiguous, 16 inputs at a time. */
function outer1(a: usize, lda: usize, d: usize, ldd: usize, rows: i32, inputs: i32, g: usize, accumulate: bool): void {
  const end = d + ldd * <usize>rows;
  for (let i = 0; i < inputs; i += 16) {
    let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0);
    let pa = a;
    let pd = d;
    while (pd < end) {
      const x = v128.load32_splat(pd);
      s0 = madd(v128.load(pa), x, s0);
      s1 = madd(v128.load(pa, 16), x, s1);
      s2 = madd(v128.load(pa, 32), x, s2);
      s3 = madd(v128.load(pa, 48), x, s3);
      pa += lda;
      pd += ldd;
    }
    if (accumulate) {
      s0 = f32x4.add(v128.load(g), s0);
      s1 = f32x4.add(v128.load(g, 16), s1);
      s2 = f32x4.add(v128.load(g, 32), s2);
      s3 = f32x4.add(v128.load(g, 48), s3);
    }
    store16(g, s0, s1, s2, s3, inputs - i);
    a += 64;
    g += 64;
  }
}

/** g [inputs, columns] = (or +=) a^T [inputs, rows] d [rows, columns]; exactly `rows` rows. */
export function outerProduct(
  a: usize, lda: usize, d: usize, ldd: usize, rows: i32, inputs: i32,
  g: usize, ldg: usize, columns: i32, accumulate: bool,
): void {
  if (columns == 1) {
    outer1(a, lda, d, ldd, rows, inputs, g, accumulate);
    return;
  }
  let j = 0;
  while (j < columns) {
    const offset = <usize>j << 2;
    const left = columns - j;
    if (left > 4) outer16(a, lda, d + offset, ldd, rows, inputs, g + offset, ldg, left, accumulate);
    else outer4(a, lda, d + offset, ldd, rows, inputs, g + offset, ldg, left, accumulate);
    j += 16;
  }
}

/** g [columns] = (or +=) column sums of d [rows, columns]. */
export function columnSums(d: usize, ldd: usize, rows: i32, columns: i32, g: usize, accumulate: bool): void {
  const end = d + ldd * <usize>rows;
  for (let j = 0; j < columns; j += 16) {
    const offset = <usize>j << 2;
    let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0);
    const stop = end + offset;
    for (let pd = d + offset; pd < stop; pd += ldd) {
      s0 = f32x4.add(s0, v128.load(pd));
      s1 = f32x4.add(s1, v128.load(pd, 16));
      s2 = f32x4.add(s2, v128.load(pd, 32));
      s3 = f32x4.add(s3, v128.load(pd, 48));
    }
    const target = g + offset;
    if (accumulate) {
      s0 = f32x4.add(v128.load(target), s0);
      s1 = f32x4.add(v128.load(target, 16), s1);
      s2 = f32x4.add(v128.load(target, 32), s2);
      s3 = f32x4.add(v128.load(target, 48), s3);
    }
    store16(target, s0, s1, s2, s3, columns - j);
  }
}
