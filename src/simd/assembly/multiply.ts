/**
 * c = a w + b in register tiles.
 *
 * Strides are in bytes. Tiles are 2 rows x 16 columns: 8 sums, 4 weights and 2 broadcasts fit the 15 registers V8 has; larger
 * tiles spill. Four steps of k are written out with a way out after each: V8 gathers the loads of a straight stretch at its
 * beginning, so without the branches the four steps' loads would not fit, and a rolled loop spends 22 instructions on 8
 * multiply-adds where this takes 18. What is left of the columns goes to a
 * tile of 16, 8 or 4, chosen by the number of columns alone, so a row's bits never depend on the rows beside it.
 * Loads may run up to 15 floats past a matrix (the arena has something there); stores never run past `columns`.
 */
import { madd, splat } from './math';
import { at, column1, panel4, panel8 } from './narrow-panels';
import { store16 } from './store';

/** What a tile's sums go through before they are stored: bits of a pass of its own, without its loads and stores. */
const NOTHING = 0;
const RELU_AFTER = 1;
const TANH_SLOPE = 2;
const RELU_SLOPE = 3;

// @ts-ignore: decorator
@inline
function timesTanhSlope(x: v128, y: usize, offset: usize): v128 {
  const t = v128.load(y + offset);
  return f32x4.mul(x, f32x4.sub(splat(1), f32x4.mul(t, t)));
}

// @ts-ignore: decorator
@inline
function timesReluSlope(x: v128, y: usize, offset: usize): v128 {
  return f32x4.mul(x, v128.and(splat(1), f32x4.gt(v128.load(y + offset), splat(0))));
}

// @ts-ignore: decorator
@inline
function relu(x: v128): v128 {
  return f32x4.max(x, splat(0));
}

/**
 * 2 x 16 tiles down one column panel. `bias` 0 = none; `accumulate` starts from what `c` holds; `y` is what the activation gave there,
 * for the slopes.
 */
function panel16(
  a: usize, lda: usize, w: usize, ldw: usize, bias: usize, depth: usize,
  c: usize, ldc: usize, rows: i32, columns: i32, accumulate: bool, after: i32, y: usize, ldy: usize,
): void {
  const depthBytes = depth << 2;
  const b0 = at(bias, 0);
  const b1 = at(bias, 16);
  const b2 = at(bias, 32);
  const b3 = at(bias, 48);
  for (let r = 0; r < rows; r += 2) {
    let s00 = b0, s01 = b1, s02 = b2, s03 = b3;
    let s10 = b0, s11 = b1, s12 = b2, s13 = b3;
    if (accumulate) {
      s00 = v128.load(c);
      s01 = v128.load(c, 16);
      s02 = v128.load(c, 32);
      s03 = v128.load(c, 48);
      s10 = v128.load(c + ldc);
      s11 = v128.load(c + ldc, 16);
      s12 = v128.load(c + ldc, 32);
      s13 = v128.load(c + ldc, 48);
    }
    let pa = a;
    let pb = a + lda;
    let pw = w;
    const end = a + depthBytes;
    const end1 = end - 4;
    const end2 = end - 8;
    const end3 = end - 12;
    while (pa < end) {
      const x00 = v128.load32_splat(pa);
      const x01 = v128.load32_splat(pb);
      const w00 = v128.load(pw);
      const w01 = v128.load(pw, 16);
      const w02 = v128.load(pw, 32);
      const w03 = v128.load(pw, 48);
      s00 = madd(x00, w00, s00);
      s01 = madd(x00, w01, s01);
      s02 = madd(x00, w02, s02);
      s03 = madd(x00, w03, s03);
      s10 = madd(x01, w00, s10);
      s11 = madd(x01, w01, s11);
      s12 = madd(x01, w02, s12);
      s13 = madd(x01, w03, s13);
      if (pa >= end1) break;
      pw += ldw;
      const x10 = v128.load32_splat(pa, 4);
      const x11 = v128.load32_splat(pb, 4);
      const w10 = v128.load(pw);
      const w11 = v128.load(pw, 16);
      const w12 = v128.load(pw, 32);
      const w13 = v128.load(pw, 48);
      s00 = madd(x10, w10, s00);
      s01 = madd(x10, w11, s01);
      s02 = madd(x10, w12, s02);
      s03 = madd(x10, w13, s03);
      s10 = madd(x11, w10, s10);
      s11 = madd(x11, w11, s11);
      s12 = madd(x11, w12, s12);
      s13 = madd(x11, w13, s13);
      if (pa >= end2) break;
      pw += ldw;
      const x20 = v128.load32_splat(pa, 8);
      const x21 = v128.load32_splat(pb, 8);
      const w20 = v128.load(pw);
      const w21 = v128.load(pw, 16);
      const w22 = v128.load(pw, 32);
      const w23 = v128.load(pw, 48);
      s00 = madd(x20, w20, s00);
      s01 = madd(x20, w21, s01);
      s02 = madd(x20, w22, s02);
      s03 = madd(x20, w23, s03);
      s10 = madd(x21, w20, s10);
      s11 = madd(x21, w21, s11);
      s12 = madd(x21, w22, s12);
      s13 = madd(x21, w23, s13);
      if (pa >= end3) break;
      pw += ldw;
      const x30 = v128.load32_splat(pa, 12);
      const x31 = v128.load32_splat(pb, 12);
      const w30 = v128.load(pw);
      const w31 = v128.load(pw, 16);
      const w32 = v128.load(pw, 32);
      const w33 = v128.load(pw, 48);
      s00 = madd(x30, w30, s00);
      s01 = madd(x30, w31, s01);
      s02 = madd(x30, w32, s02);
      s03 = madd(x30, w33, s03);
      s10 = madd(x31, w30, s10);
      s11 = madd(x31, w31, s11);
      s12 = madd(x31, w32, s12);
      s13 = madd(x31, w33, s13);
      pa += 16;
      pb += 16;
      pw += ldw;
    }
    if (after == TANH_SLOPE) {
      s00 = timesTanhSlope(s00, y, 0);
      s01 = timesTanhSlope(s01, y, 16);
      s02 = timesTanhSlope(s02, y, 32);
      s03 = timesTanhSlope(s03, y, 48);
      y += ldy;
      s10 = timesTanhSlope(s10, y, 0);
      s11 = timesTanhSlope(s11, y, 16);
      s12 = timesTanhSlope(s12, y, 32);
      s13 = timesTanhSlope(s13, y, 48);
      y += ldy;
    } else if (after == RELU_SLOPE) {
      s00 = timesReluSlope(s00, y, 0);
      s01 = timesReluSlope(s01, y, 16);
      s02 = timesReluSlope(s02, y, 32);
      s03 = timesReluSlope(s03, y, 48);
      y += ldy;
      s10 = timesReluSlope(s10, y, 0);
      s11 = timesReluSlope(s11, y, 16);
      s12 = timesReluSlope(s12, y, 32);
      s13 = timesReluSlope(s13, y, 48);
      y += ldy;
    } else if (after == RELU_AFTER) {
      s00 = relu(s00);
      s01 = relu(s01);
      s02 = relu(s02);
      s03 = relu(s03);
      s10 = relu(s10);
      s11 = relu(s11);
      s12 = relu(s12);
      s13 = relu(s13);
    }
    store16(c, s00, s01, s02, s03, columns);
    store16(c + ldc, s10, s11, s12, s13, columns);
    a += lda << 1;
    c += ldc << 1;
  }
}

/**
 * c [rows, columns] = a [rows, depth] w [depth, columns] + bias (or + c).
 *
 * Computes rows up to the next multiple of 4: `a` and `c` must have them.
 */
export function multiply(
  a: usize, lda: usize, w: usize, ldw: usize, bias: usize, depth: i32,
  c: usize, ldc: usize, rows: i32, columns: i32, accumulate: bool,
): void {
  if (columns == 1 && ldw == 4 && !accumulate) {
    column1(a, lda, w, bias != 0 ? load<f32>(bias) : 0, depth, c, ldc, rows);
    return;
  }
  let j = 0;
  while (j < columns) {
    const offset = <usize>j << 2;
    const b = bias != 0 ? bias + offset : 0;
    const left = columns - j;
    if (left > 8) panel16(a, lda, w + offset, ldw, b, depth, c + offset, ldc, rows, left, accumulate, NOTHING, 0, 0);
    else if (left > 4) panel8(a, lda, w + offset, ldw, b, depth, c + offset, ldc, rows, left, accumulate);
    else panel4(a, lda, w + offset, ldw, b, depth, c + offset, ldc, rows, left, accumulate);
    j += 16;
  }
}

/** Whether `multiplyRelu` and `multiplyBack` take this many columns: their panels are all 16 wide. */
// @ts-ignore: decorator
@inline
export function hasWholePanels(columns: i32): bool {
  return (columns - 1 & 15) > 7;
}

/** c = max(a w + b, 0) in one pass. */
export function multiplyRelu(
  a: usize, lda: usize, w: usize, ldw: usize, bias: usize, depth: i32,
  c: usize, ldc: usize, rows: i32, columns: i32,
): void {
  for (let j = 0; j < columns; j += 16) {
    const offset = <usize>j << 2;
    panel16(
      a, lda, w + offset, ldw, bias + offset, depth, c + offset, ldc, rows, columns - j, false, RELU_AFTER, 0, 0,
    );
  }
}

/** c = (a w (or + c)) * f'(y): a gradient on its way back through tanh or relu, whose outputs are y, in one pass. */
export function multiplyBack(
  a: usize, lda: usize, w: usize, ldw: usize, depth: i32,
  c: usize, ldc: usize, rows: i32, columns: i32, accumulate: bool, isTanh: bool, y: usize, ldy: usize,
): void {
  const after = isTanh ? TANH_SLOPE : RELU_SLOPE;
  for (let j = 0; j < columns; j += 16) {
    const offset = <usize>j << 2;
    panel16(
      a, lda, w + offset, ldw, 0, depth, c + offset, ldc, rows, columns - j, accumulate, after, y + offset, ldy,
    );
  }
}
