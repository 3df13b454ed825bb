/** Softmax of rows. A row's bits depend on that row alone. */
import { exp4, log1, splat } from './math';
import { storeLanes } from './store';

/** The largest of a row; NaN is left to the sum. */
function largest(x: usize, columns: i32): f32 {
  let top = v128.load32_splat(x);
  const whole = columns & ~3;
  for (let j = 0; j < whole; j += 4) {
    top = f32x4.pmax(top, v128.load(x));
    x += 16;
  }
  let result = max(
    max(f32x4.extract_lane(top, 0), f32x4.extract_lane(top, 1)),
    max(f32x4.extract_lane(top, 2), f32x4.extract_lane(top, 3)),
  );
  for (let j = whole; j < columns; j++) {
    result = max(result, load<f32>(x));
    x += 4;
  }
  return result;
}

/** Writes e^(x - top), and returns their sum. */
function exponentials(x: usize, columns: i32, top: f32, out: usize): f32 {
  const top4 = splat(top);
  let sum = splat(0);
  for (let left = columns; left > 0; left -= 4) {
    const y = exp4(f32x4.sub(v128.load(x), top4));
    storeLanes(out, y, left);
    sum = f32x4.add(sum, v128.and(y, i32x4.gt_s(i32x4.splat(left), i32x4(0, 1, 2, 3))));
    x += 16;
    out += 16;
  }
  return (
    (f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1)) + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3))
  );
}

/**
 * probabilities [R, columns] = softmax of values [R, columns], dense f32; may be the same memory. logSums [R]: log of the sum of e^x, so
 * that a value's log-probability is value - logSum.
 */
export function softmax(values: usize, rows: i32, columns: i32, probabilities: usize, logSums: usize): void {
  const bytes = <usize>columns << 2;
  for (let r = 0; r < rows; r++) {
    const top = largest(values, columns);
    const sum = exponentials(values, columns, top, probabilities);
    const sum4 = splat(sum);
    for (let left = columns; left > 0; left -= 4) {
      const at = probabilities + (<usize>(columns - left) << 2);
      storeLanes(at, f32x4.div(v128.load(at), sum4), left);
    }
    store<f32>(logSums + (<usize>r << 2), top + log1(sum));
    values += bytes;
    probabilities += bytes;
  }
}
