/** Rows into contiguous scratch: by index (minibatches) or in order (a vector step). Strides in bytes. */
import { splat } from './math';

// @ts-ignore: decorator
@inline
function source(base: usize, stride: usize, indices: usize, r: i32): usize {
  return base + stride * <usize>(indices != 0 ? load<i32>(indices + (<usize>r << 2)) : r);
}

/** A row of a multiple of 4 bytes. */
// @ts-ignore: decorator
@inline
function copyRow(from: usize, target: usize, bytes: usize): void {
  let j: usize = 0;
  for (; j + 16 <= bytes; j += 16) v128.store(target + j, v128.load(from + j));
  for (; j < bytes; j += 4) store<u32>(target + j, load<u32>(from + j));
}

/** A short row of bytes: a call of memory.copy takes longer. */
// @ts-ignore: decorator
@inline
function copyBytes(from: usize, target: usize, size: usize): void {
  if (size > 64) {
    memory.copy(target, from, size);
    return;
  }
  let j: usize = 0;
  for (; j + 8 <= size; j += 8) store<u64>(target + j, load<u64>(from + j));
  for (; j < size; j++) store<u8>(target + j, load<u8>(from + j));
}

/**
 * Observations, normalised: x' = clip((x - mean) * inverseStd, +-clip); `mean` 0 = as they are. `bytes` = uint8 rows.
 * `target` columns past `size` are left alone.
 */
export function gatherObservations(
  base: usize, stride: usize, indices: usize, rows: i32, size: i32, bytes: bool,
  mean: usize, inverseStd: usize, clip: f32, target: usize, targetStride: usize,
): void {
  if (mean == 0 && !bytes) {
    for (let r = 0; r < rows; r++) {
      copyRow(source(base, stride, indices, r), target, <usize>size << 2);
      target += targetStride;
    }
    return;
  }
  const upper = splat(clip);
  const lower = splat(-clip);
  const whole = size & ~3;
  for (let r = 0; r < rows; r++) {
    const from = source(base, stride, indices, r);
    let j = 0;
    for (; j < whole; j += 4) {
      const offset = <usize>j << 2;
      let x = bytes
        ? f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(from + <usize>j))))
        : v128.load(from + offset);
      if (mean != 0) {
        x = f32x4.mul(f32x4.sub(x, v128.load(mean + offset)), v128.load(inverseStd + offset));
        x = f32x4.pmax(f32x4.pmin(x, upper), lower);
      }
      v128.store(target + offset, x);
    }
    for (; j < size; j++) {
      const offset = <usize>j << 2;
      let x = bytes ? <f32>load<u8>(from + <usize>j) : load<f32>(from + offset);
      if (mean != 0) {
        x = (x - load<f32>(mean + offset)) * load<f32>(inverseStd + offset);
        x = max(min(x, clip), -clip);
      }
      store<f32>(target + offset, x);
    }
    target += targetStride;
  }
}

/** `size` 4-byte elements per row into dense rows. */
export function gatherWords(base: usize, indices: usize, rows: i32, size: i32, target: usize): void {
  const bytes = <usize>size << 2;
  if (size == 1) {
    for (let r = 0; r < rows; r++) store<u32>(target + (<usize>r << 2), load<u32>(source(base, 4, indices, r)));
    return;
  }
  for (let r = 0; r < rows; r++) {
    copyRow(source(base, bytes, indices, r), target, bytes);
    target += bytes;
  }
}

/** `size` bytes per row into dense rows. */
export function gatherBytes(base: usize, indices: usize, rows: i32, size: i32, target: usize): void {
  for (let r = 0; r < rows; r++) {
    copyBytes(source(base, size, indices, r), target, size);
    target += size;
  }
}

/** Dense rows of `size` 4-byte elements to where `indices` says: row r becomes row indices[r] of `target`. */
export function scatterWords(base: usize, indices: usize, rows: i32, size: i32, target: usize): void {
  const bytes = <usize>size << 2;
  for (let r = 0; r < rows; r++) {
    copyRow(base, target + bytes * <usize>load<i32>(indices + (<usize>r << 2)), bytes);
    base += bytes;
  }
}

/** As {@link scatterWords}, of bytes. */
export function scatterBytes(base: usize, indices: usize, rows: i32, size: i32, target: usize): void {
  for (let r = 0; r < rows; r++) {
    copyBytes(base, target + <usize>size * <usize>load<i32>(indices + (<usize>r << 2)), size);
    base += size;
  }
}

/** One float per row, (x - shift) * scale. */
export function gatherScaled(base: usize, indices: usize, rows: i32, shift: f32, scale: f32, target: usize): void {
  for (let r = 0; r < rows; r++) {
    store<f32>(target + (<usize>r << 2), (load<f32>(source(base, 4, indices, r)) - shift) * scale);
  }
}
