/**
 * Recurrent cells, LSTM and GRU, over a block of R sequences of L steps, forward and back through time.
 *
 * Rows lie step by step: those of step t are t * P ... t * P + R - 1, P = R rounded up to four (products compute rows in fours). Words of a
 * cell's record are named in ../recurrent-program.ts; kernels, biases are offsets from the parameters or a gradient slab, the rest addresses.
 *
 *     LSTM   i, f, u, o = s(x Wi + h Ri + bi), s(...), tanh(...), s(...)     c' = f c + i u      h' = o tanh(c')
 *     GRU    r, z = s(x W + b + h R + q)     n = tanh(x Wn + bn + r (h Rn + qn))      h' = (1 - z) n + z h
 *
 * s = sigmoid. Sources: Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000; Cho et al. 2014, arXiv:1406.1078, with the reset gate
 * inside the candidate as cuDNN and PyTorch have it.
 */
import { madd, sigmoid4, splat, tanh4 } from './math';
import { multiply } from './multiply';
import { columnSums, outerProduct } from './outer-product';
import { storeLanes } from './store';

const LSTM = 0;

// @ts-ignore: decorator
@inline
function word(record: usize, index: usize): u32 {
  return load<u32>(record + (index << 2));
}

// @ts-ignore: decorator
@inline
function numGates(cell: usize): i32 {
  return word(cell, 0) == LSTM ? 4 : 3;
}

// @ts-ignore: decorator
@inline
function isOn(continues: usize, r: i32): bool {
  return continues == 0 || load<i32>(continues + (<usize>r << 2)) != 0;
}

// @ts-ignore: decorator
@inline
function sigmoidSlope(y: v128): v128 {
  return f32x4.mul(y, f32x4.sub(splat(1), y));
}

// @ts-ignore: decorator
@inline
function tanhSlope(y: v128): v128 {
  return f32x4.sub(splat(1), f32x4.mul(y, y));
}

/** Activates a row's gates in place and writes what follows; `nextH` 0 = nowhere. */
function lstmRow(
  gates: usize, cPrev: usize, h: usize, tanhC: usize, nextH: usize, nextC: usize, goesOn: bool, size: i32,
): void {
  const wide = <usize>size << 2;
  for (let j = 0; j < size; j += 4) {
    const g = gates + (<usize>j << 2);
    const at = <usize>j << 2;
    const left = size - j;
    const i = sigmoid4(v128.load(g));
    const f = sigmoid4(v128.load(g + wide));
    const u = tanh4(v128.load(g + 2 * wide));
    const o = sigmoid4(v128.load(g + 3 * wide));
    const c = madd(f, v128.load(cPrev + at), f32x4.mul(i, u));
    const t = tanh4(c);
    const y = f32x4.mul(o, t);
    storeLanes(g, i, left);
    storeLanes(g + wide, f, left);
    storeLanes(g + 2 * wide, u, left);
    storeLanes(g + 3 * wide, o, left);
    storeLanes(h + at, y, left);
    storeLanes(tanhC + at, t, left);
    if (nextH == 0) continue;
    storeLanes(nextH + at, goesOn ? y : splat(0), left);
    storeLanes(nextC + at, goesOn ? c : splat(0), left);
  }
}

/** `gates` come from the input, `own` from the state; r, z, n are left in `gates`. */
function gruRow(gates: usize, own: usize, hPrev: usize, h: usize, nextH: usize, goesOn: bool, size: i32): void {
  const wide = <usize>size << 2;
  for (let j = 0; j < size; j += 4) {
    const at = <usize>j << 2;
    const g = gates + at;
    const p = own + at;
    const left = size - j;
    const r = sigmoid4(f32x4.add(v128.load(g), v128.load(p)));
    const z = sigmoid4(f32x4.add(v128.load(g + wide), v128.load(p + wide)));
    const n = tanh4(madd(r, v128.load(p + 2 * wide), v128.load(g + 2 * wide)));
    const y = madd(z, f32x4.sub(v128.load(hPrev + at), n), n);
    storeLanes(g, r, left);
    storeLanes(g + wide, z, left);
    storeLanes(g + 2 * wide, n, left);
    storeLanes(h + at, y, left);
    if (nextH != 0) storeLanes(nextH + at, goesOn ? y : splat(0), left);
  }
}

/** The rows of step t, from their products to hidden states; the next step's rows, or `next`, get the state. */
function stepForward(cell: usize, t: i32, steps: i32, rows: i32, stepRows: i32): void {
  const size = <i32>word(cell, 2);
  const first = <usize>t * <usize>stepRows;
  const isLast = t + 1 == steps;
  const stateStride = <usize>word(cell, 14);
  const nextStride = isLast ? <usize>word(cell, 21) : stateStride;
  const skip = isLast ? 0 : (first + <usize>stepRows) * stateStride;
  const nextH = <usize>word(cell, isLast ? 19 : 12);
  const nextC = <usize>word(cell, isLast ? 20 : 13);
  const marks = <usize>word(cell, 18);
  const continues = isLast || marks == 0 ? 0 : marks + (first + <usize>stepRows << 2);
  const gatesStride = <usize>word(cell, 10);
  const hStride = <usize>word(cell, 16);
  for (let r = 0; r < rows; r++) {
    const row = first + <usize>r;
    const gates = word(cell, 9) + row * gatesStride;
    const h = word(cell, 15) + row * hStride;
    const goesOn = isOn(continues, r);
    const next = nextH == 0 ? 0 : nextH + skip + <usize>r * nextStride;
    if (word(cell, 0) == LSTM) {
      const nextCell = nextC + skip + <usize>r * nextStride;
      lstmRow(
        gates, word(cell, 13) + row * stateStride, h, word(cell, 17) + row * hStride, next, nextCell, goesOn, size,
      );
    } else {
      gruRow(
        gates, word(cell, 11) + row * gatesStride, word(cell, 12) + row * stateStride, h, next, goesOn, size,
      );
    }
  }
}

/** Hidden states of L steps of R sequences, and everything that `recurrentBackward` needs. */
export function recurrentForward(cell: usize, parameters: usize, steps: i32, rows: i32): void {
  const stepRows = rows + 3 & ~3;
  const size = <i32>word(cell, 2);
  const columns = numGates(cell) * size;
  const gates = <usize>word(cell, 9);
  const gatesStride = <usize>word(cell, 10);
  const stateStride = <usize>word(cell, 14);
  const kernel = parameters + word(cell, 4);
  // what inputs contribute waits for no step, so all steps are one product
  multiply(
    word(cell, 7), word(cell, 8), parameters + word(cell, 3), <usize>columns << 2, parameters + word(cell, 5),
    word(cell, 1), gates, gatesStride, steps * stepRows, columns, false,
  );
  for (let t = 0; t < steps; t++) {
    const first = <usize>t * <usize>stepRows;
    const state = word(cell, 12) + first * stateStride;
    if (word(cell, 0) == LSTM) {
      multiply(
        state, stateStride, kernel, <usize>columns << 2, 0, size, gates + first * gatesStride, gatesStride, rows, columns, true,
      );
    } else {
      multiply(
        state, stateStride, kernel, <usize>columns << 2, parameters + word(cell, 6), size,
        word(cell, 11) + first * gatesStride, gatesStride, rows, columns, false,
      );
    }
    stepForward(cell, t, steps, rows, stepRows);
  }
}

/** Gradients of a row's gates in their place, from dL/dh and what comes back from the step after. */
function lstmRowBack(
  gates: usize, cPrev: usize, tanhC: usize, gradH: usize, carryH: usize, carryC: usize, goesOn: bool, size: i32,
): void {
  const wide = <usize>size << 2;
  for (let j = 0; j < size; j += 4) {
    const at = <usize>j << 2;
    const g = gates + at;
    const left = size - j;
    const i = v128.load(g);
    const f = v128.load(g + wide);
    const u = v128.load(g + 2 * wide);
    const o = v128.load(g + 3 * wide);
    const t = v128.load(tanhC + at);
    const laterH = goesOn ? v128.load(carryH + at) : splat(0);
    const laterC = goesOn ? v128.load(carryC + at) : splat(0);
    const dh = f32x4.add(v128.load(gradH + at), laterH);
    const dc = madd(f32x4.mul(dh, o), tanhSlope(t), laterC);
    storeLanes(g, f32x4.mul(f32x4.mul(dc, u), sigmoidSlope(i)), left);
    storeLanes(g + wide, f32x4.mul(f32x4.mul(dc, v128.load(cPrev + at)), sigmoidSlope(f)), left);
    storeLanes(g + 2 * wide, f32x4.mul(f32x4.mul(dc, i), tanhSlope(u)), left);
    storeLanes(g + 3 * wide, f32x4.mul(f32x4.mul(dh, t), sigmoidSlope(o)), left);
    storeLanes(carryC + at, f32x4.mul(dc, f), left);
  }
}

/** Likewise; `own` gets the gradients of what the state contributed, `carryH` what passes the cell unweighted. */
function gruRowBack(
  gates: usize, own: usize, hPrev: usize, gradH: usize, carryH: usize, goesOn: bool, size: i32,
): void {
  const wide = <usize>size << 2;
  for (let j = 0; j < size; j += 4) {
    const at = <usize>j << 2;
    const g = gates + at;
    const p = own + at;
    const left = size - j;
    const r = v128.load(g);
    const z = v128.load(g + wide);
    const n = v128.load(g + 2 * wide);
    const later = goesOn ? v128.load(carryH + at) : splat(0);
    const dh = f32x4.add(v128.load(gradH + at), later);
    const dn = f32x4.mul(f32x4.mul(dh, f32x4.sub(splat(1), z)), tanhSlope(n));
    const dz = f32x4.mul(f32x4.mul(dh, f32x4.sub(v128.load(hPrev + at), n)), sigmoidSlope(z));
    const dr = f32x4.mul(f32x4.mul(dn, v128.load(p + 2 * wide)), sigmoidSlope(r));
    storeLanes(g, dr, left);
    storeLanes(g + wide, dz, left);
    storeLanes(g + 2 * wide, dn, left);
    storeLanes(p, dr, left);
    storeLanes(p + wide, dz, left);
    storeLanes(p + 2 * wide, f32x4.mul(dn, r), left);
    storeLanes(carryH + at, f32x4.mul(dh, z), left);
  }
}

function stepBack(cell: usize, t: i32, steps: i32, rows: i32, stepRows: i32): void {
  const size = <i32>word(cell, 2);
  const first = <usize>t * <usize>stepRows;
  const marks = <usize>word(cell, 18);
  const continues = t + 1 == steps || marks == 0 ? 0 : marks + (first + <usize>stepRows << 2);
  const gatesStride = <usize>word(cell, 10);
  const stateStride = <usize>word(cell, 14);
  const carryStride = <usize>word(cell, 28);
  for (let r = 0; r < rows; r++) {
    const row = first + <usize>r;
    const gates = word(cell, 9) + row * gatesStride;
    const gradH = word(cell, 24) + row * word(cell, 25);
    const carryH = word(cell, 26) + <usize>r * carryStride;
    const goesOn = isOn(continues, r);
    if (word(cell, 0) == LSTM) {
      lstmRowBack(
        gates, word(cell, 13) + row * stateStride, word(cell, 17) + row * word(cell, 16), gradH, carryH,
        word(cell, 27) + <usize>r * carryStride, goesOn, size,
      );
    } else {
      gruRowBack(
        gates, word(cell, 11) + row * gatesStride, word(cell, 12) + row * stateStride, gradH, carryH, goesOn, size,
      );
    }
  }
  // rows that only round up to four pass through the products below
  const rest = <usize>(stepRows - rows) * gatesStride;
  const beyond = (first + <usize>rows) * gatesStride;
  memory.fill(word(cell, 9) + beyond, 0, rest);
  if (word(cell, 0) != LSTM) memory.fill(word(cell, 11) + beyond, 0, rest);
}

/**
 * Gradients of kernels and biases into (or added to) a slab, back through the steps of `recurrentForward`, from dL/dh of every row; the
 * kernel of the state lies transposed where the record says. The sequences' first states are data: nothing flows to them.
 */
export function recurrentBackward(cell: usize, gradients: usize, steps: i32, rows: i32, accumulate: bool): void {
  const stepRows = rows + 3 & ~3;
  const size = <i32>word(cell, 2);
  const columns = numGates(cell) * size;
  const isLstm = word(cell, 0) == LSTM;
  const gates = <usize>word(cell, 9);
  const gatesStride = <usize>word(cell, 10);
  const own = isLstm ? gates : <usize>word(cell, 11);
  const carryH = <usize>word(cell, 26);
  const carryStride = <usize>word(cell, 28);
  memory.fill(carryH, 0, <usize>stepRows * carryStride);
  if (isLstm) memory.fill(word(cell, 27), 0, <usize>stepRows * carryStride);
  for (let t = steps - 1; t >= 0; t--) {
    stepBack(cell, t, steps, rows, stepRows);
    if (t == 0) break;
    multiply(
      own + <usize>t * <usize>stepRows * gatesStride, gatesStride, word(cell, 22), word(cell, 23), 0, columns,
      carryH, carryStride, rows, size, !isLstm,
    );
  }
  const all = steps * stepRows;
  const rowBytes = <usize>columns << 2;
  outerProduct(
    word(cell, 7), word(cell, 8), gates, gatesStride, all, word(cell, 1), gradients + word(cell, 3), rowBytes, columns, accumulate,
  );
  columnSums(gates, gatesStride, all, columns, gradients + word(cell, 5), accumulate);
  outerProduct(
    word(cell, 12), word(cell, 14), own, gatesStride, all, size, gradients + word(cell, 4), rowBytes, columns, accumulate,
  );
  if (!isLstm) columnSums(own, gatesStride, all, columns, gradients + word(cell, 6), accumulate);
}
