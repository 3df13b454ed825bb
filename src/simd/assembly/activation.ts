/**
 * Activations over a block [rows, columns] that lies in the first-level cache, in place; columns are rounded up to 4.
 *
 * Codes: 0 identity, 1 tanh, 2 relu, 3 elu, 4 silu, 5 gelu, 6 leaky-relu, 7 sigmoid. Silu and gelu need what went in
 * for their derivative: `pre` keeps it (0 = nobody will ask).
 */
import { exp4, madd, sigmoid4, splat, tanh4 } from './math';

export const TANH = 1;
export const RELU = 2;
const ELU = 3;
const SILU = 4;
const GELU = 5;
const LEAKY_RELU = 6;
const SIGMOID = 7;

// @ts-ignore: decorator
@inline
function geluInner(x: v128): v128 {
  // sqrt(2 / pi) (x + 0.044715 x^3)
  const cubic = madd(f32x4.mul(x, x), splat(0.044715), splat(1));
  return f32x4.mul(f32x4.mul(x, splat(0.7978845608)), cubic);
}

// @ts-ignore: decorator
@inline
function activate(kind: i32, x: v128): v128 {
  if (kind == TANH) return tanh4(x);
  if (kind == RELU) return f32x4.max(x, splat(0));
  if (kind == ELU) return v128.bitselect(x, f32x4.sub(exp4(x), splat(1)), f32x4.gt(x, splat(0)));
  if (kind == SILU) return f32x4.mul(x, sigmoid4(x));
  if (kind == GELU) {
    const half = f32x4.mul(x, splat(0.5));
    return madd(half, tanh4(geluInner(x)), half);
  }
  if (kind == LEAKY_RELU) return v128.bitselect(x, f32x4.mul(x, splat(0.01)), f32x4.gt(x, splat(0)));
  return sigmoid4(x);
}

// @ts-ignore: decorator
@inline
function activateBlock(kind: i32, c: usize, ldc: usize, rows: i32, columns: i32, pre: usize): void {
  const width = (<usize>columns + 3 & ~3) << 2;
  const whole = width & ~63;
  for (let r = 0; r < rows; r++) {
    if (pre != 0) {
      memory.copy(pre, c, width);
      pre += ldc;
    }
    let p = c;
    const stop = c + whole;
    const end = c + width;
    // four independent vectors hide the latency of a polynomial
    for (; p < stop; p += 64) {
      const x0 = v128.load(p);
      const x1 = v128.load(p, 16);
      const x2 = v128.load(p, 32);
      const x3 = v128.load(p, 48);
      const y0 = activate(kind, x0);
      const y1 = activate(kind, x1);
      const y2 = activate(kind, x2);
      const y3 = activate(kind, x3);
      v128.store(p, y0);
      v128.store(p, y1, 16);
      v128.store(p, y2, 32);
      v128.store(p, y3, 48);
    }
    for (; p < end; p += 16) v128.store(p, activate(kind, v128.load(p)));
    c += ldc;
  }
}

function tanhBlock(c: usize, ldc: usize, rows: i32, columns: i32): void {
  activateBlock(TANH, c, ldc, rows, columns, 0);
}
function reluBlock(c: usize, ldc: usize, rows: i32, columns: i32): void {
  activateBlock(RELU, c, ldc, rows, columns, 0);
}
function eluBlock(c: usize, ldc: usize, rows: i32, columns: i32): void {
  activateBlock(ELU, c, ldc, rows, columns, 0);
}
function siluBlock(c: usize, ldc: usize, rows: i32, columns: i32, pre: usize): void {
  activateBlock(SILU, c, ldc, rows, columns, pre);
}
function geluBlock(c: usize, ldc: usize, rows: i32, columns: i32, pre: usize): void {
  activateBlock(GELU, c, ldc, rows, columns, pre);
}
function leakyReluBlock(c: usize, ldc: usize, rows: i32, columns: i32): void {
  activateBlock(LEAKY_RELU, c, ldc, rows, columns, 0);
}
function sigmoidBlock(c: usize, ldc: usize, rows: i32, columns: i32): void {
  activateBlock(SIGMOID, c, ldc, rows, columns, 0);
}

/** c = f(c); with `pre`, what went in is kept there at the same stride. */
export function applyActivation(kind: i32, c: usize, ldc: usize, rows: i32, columns: i32, pre: usize): void {
  if (kind == TANH) tanhBlock(c, ldc, rows, columns);
  else if (kind == RELU) reluBlock(c, ldc, rows, columns);
  else if (kind == ELU) eluBlock(c, ldc, rows, columns);
  else if (kind == SILU) siluBlock(c, ldc, rows, columns, pre);
  else if (kind == GELU) geluBlock(c, ldc, rows, columns, pre);
  else if (kind == LEAKY_RELU) leakyReluBlock(c, ldc, rows, columns);
  else if (kind == SIGMOID) sigmoidBlock(c, ldc, rows, columns);
}

/** f'(x) from the output y, or from x itself for silu and gelu. */
// @ts-ignore: decorator
@inline
function derivative(kind: i32, y: v128, x: v128): v128 {
  const one = splat(1);
  if (kind == TANH) return f32x4.sub(one, f32x4.mul(y, y));
  if (kind == RELU) return v128.and(one, f32x4.gt(y, splat(0)));
  if (kind == ELU) return v128.bitselect(one, f32x4.add(y, one), f32x4.gt(y, splat(0)));
  if (kind == SILU) {
    const s = sigmoid4(x);
    return madd(f32x4.sub(x, y), s, s); // s + s (x - x s)
  }
  if (kind == GELU) {
    // 0.5 (1 + t) + 0.5 x (1 - t^2) sqrt(2 / pi) (1 + 3 * 0.044715 x^2)
    const t = tanh4(geluInner(x));
    const slope = madd(f32x4.mul(x, x), splat(0.1070322243), splat(0.7978845608));
    const bell = f32x4.mul(f32x4.mul(x, f32x4.sub(one, f32x4.mul(t, t))), slope);
    return f32x4.mul(splat(0.5), f32x4.add(f32x4.add(one, t), bell));
  }
  if (kind == LEAKY_RELU) return v128.bitselect(one, splat(0.01), f32x4.gt(y, splat(0)));
  return f32x4.mul(y, f32x4.sub(one, y));
}

// @ts-ignore: decorator
@inline
function scaleByDerivative(kind: i32, d: usize, y: usize, pre: usize): void {
  const x = pre != 0 ? v128.load(pre) : splat(0);
  v128.store(d, f32x4.mul(v128.load(d), derivative(kind, v128.load(y), x)));
}

// @ts-ignore: decorator
@inline
function derivativeBlock(
  kind: i32, d: usize, ldd: usize, y: usize, ldy: usize, pre: usize, rows: i32, columns: i32,
): void {
  const width = (<usize>columns + 3 & ~3) << 2;
  const whole = width & ~63;
  for (let r = 0; r < rows; r++) {
    let k: usize = 0;
    for (; k < whole; k += 64) {
      scaleByDerivative(kind, d + k, y + k, pre != 0 ? pre + k : 0);
      scaleByDerivative(kind, d + k + 16, y + k + 16, pre != 0 ? pre + k + 16 : 0);
      scaleByDerivative(kind, d + k + 32, y + k + 32, pre != 0 ? pre + k + 32 : 0);
      scaleByDerivative(kind, d + k + 48, y + k + 48, pre != 0 ? pre + k + 48 : 0);
    }
    for (; k < width; k += 16) scaleByDerivative(kind, d + k, y + k, pre != 0 ? pre + k : 0);
    d += ldd;
    y += ldy;
    if (pre != 0) pre += ldy;
  }
}

/** d = d * f'(.), from the outputs y and, for silu and gelu, the inputs `pre` (at y's stride). */
export function applyDerivative(
  kind: i32, d: usize, ldd: usize, y: usize, ldy: usize, pre: usize, rows: i32, columns: i32,
): void {
  if (kind == TANH) derivativeBlock(TANH, d, ldd, y, ldy, 0, rows, columns);
  else if (kind == RELU) derivativeBlock(RELU, d, ldd, y, ldy, 0, rows, columns);
  else if (kind == ELU) derivativeBlock(ELU, d, ldd, y, ldy, 0, rows, columns);
  else if (kind == SILU) derivativeBlock(SILU, d, ldd, y, ldy, pre, rows, columns);
  else if (kind == GELU) derivativeBlock(GELU, d, ldd, y, ldy, pre, rows, columns);
  else if (kind == LEAKY_RELU) derivativeBlock(LEAKY_RELU, d, ldd, y, ldy, 0, rows, columns);
  else if (kind == SIGMOID) derivativeBlock(SIGMOID, d, ldd, y, ldy, 0, rows, columns);
}
