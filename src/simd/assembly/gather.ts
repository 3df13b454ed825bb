/** Rows into contiguous scratch: by index (minibatches) or in order (a vector step). Strides in bytes. */
import { splat } from './math';

// @ts-ignore: decorator
@inline
function source(base: usize, stride: usize, indices: usize, r: i32): usize {
  return base + stride * <usize>(indices != 0 ? load<i32>(indices + (<usize>r << 2)) : r);
}

/**
 * Observations, normalised: x' = clip((x - mean) * inverseStd, +-clip); `mean` 0 = as they are. `bytes` = uint8 rows.
 * `target` columns past `size` are left alone.
 */
export function gatherObservations(
  base: usize, stride: usize, indices: usize, rows: i32, size: i32, bytes: bool,
  mean: usize, inverseStd: usize, clip: f32, target: usize, targetStride: usize,
): void {
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
  for (let r = 0; r < rows; r++) {
    const from = source(base, bytes, indices, r);
    for (let j: usize = 0; j < bytes; j += 4) store<u32>(target + j, load<u32>(from + j));
    target += bytes;
  }
}

/** `size` bytes per row into dense rows. */
export function gatherBytes(base: usize, indices: usize, rows: i32, size: i32, target: usize): void {
  for (let r = 0; r < rows; r++) {
    memory.copy(target, source(base, size, indices, r), size);
    target += size;
  }
}

/** One float per row, (x - shift) * scale. */
export function gatherScaled(base: usize, indices: usize, rows: i32, shift: f32, scale: f32, target: usize): void {
  for (let r = 0; r < rows; r++) {
    store<f32>(target + (<usize>r << 2), (load<f32>(source(base, 4, indices, r)) - shift) * scale);
  }
}
