/** Stores of four vectors that end exactly at a column. */

export function storeLanes(target: usize, v: v128, count: i32): void {
  if (count >= 4) {
    v128.store(target, v);
    return;
  }
  if (count > 0) v128.store_lane<f32>(target, v, 0);
  if (count > 1) v128.store_lane<f32>(target, v, 1, 4);
  if (count > 2) v128.store_lane<f32>(target, v, 2, 8);
}

// @ts-ignore: decorator
@inline
export function store16(target: usize, v0: v128, v1: v128, v2: v128, v3: v128, columns: i32): void {
  if (columns >= 16) {
    v128.store(target, v0);
    v128.store(target, v1, 16);
    v128.store(target, v2, 32);
    v128.store(target, v3, 48);
  } else {
    storeLanes(target, v0, columns);
    storeLanes(target + 16, v1, columns - 4);
    storeLanes(target + 32, v2, columns - 8);
    storeLanes(target + 48, v3, columns - 12);
  }
}
