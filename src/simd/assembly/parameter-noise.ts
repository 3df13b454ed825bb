/** Factorised noise on a matrix of weights; ../../policy/networks/parameter-noise.ts has the equations. */
import { madd, splat } from './math';
import { storeLanes } from './store';

/**
 * out_ij = base_ij + a_ij (row_i column_j) over dense [inputs, outputs]: weights with noise, and, with `base` 0, a gradient times the noise.
 * `rows` 0 = all 1: a bias. `out` may be `base`. Loads, but does not store, up to 12 bytes past the end.
 */
export function scaleByOuter(
  out: usize, base: usize, a: usize, rows: usize, columns: usize, inputs: i32, outputs: i32,
): void {
  const stride = <usize>outputs << 2;
  let start: usize = 0;
  for (let i = 0; i < inputs; i++) {
    const row = splat(rows == 0 ? 1 : load<f32>(rows + (<usize>i << 2)));
    for (let j = 0; j < outputs; j += 4) {
      const at = start + (<usize>j << 2);
      const noise = f32x4.mul(row, v128.load(columns + (<usize>j << 2)));
      const scaled = v128.load(a + at);
      const y = base == 0 ? f32x4.mul(scaled, noise) : madd(scaled, noise, v128.load(base + at));
      storeLanes(out + at, y, outputs - j);
    }
    start += stride;
  }
}
