/** The measure of everything else: 12 independent chains of x = x * a + b in registers, 96 floating-point operations a turn. */
import { madd, splat } from './math';

export function peak(turns: i32): f32 {
  // both operands change with x, so that no multiplication can be hoisted out of the loop
  const a = splat(0.999);
  const b = splat(0.001);
  let x0 = splat(0), x1 = splat(1), x2 = splat(2), x3 = splat(3), x4 = splat(4), x5 = splat(5);
  let x6 = splat(6), x7 = splat(7), x8 = splat(8), x9 = splat(9), xa = splat(10), xb = splat(11);
  for (let k = 0; k < turns; k++) {
    x0 = madd(x0, a, b);
    x1 = madd(x1, a, b);
    x2 = madd(x2, a, b);
    x3 = madd(x3, a, b);
    x4 = madd(x4, a, b);
    x5 = madd(x5, a, b);
    x6 = madd(x6, a, b);
    x7 = madd(x7, a, b);
    x8 = madd(x8, a, b);
    x9 = madd(x9, a, b);
    xa = madd(xa, a, b);
    xb = madd(xb, a, b);
  }
  const s = f32x4.add(f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3)), f32x4.add(f32x4.add(x4, x5), f32x4.add(x6, x7)));
  const t = f32x4.add(s, f32x4.add(f32x4.add(x8, x9), f32x4.add(xa, xb)));
  return f32x4.extract_lane(t, 0) + f32x4.extract_lane(t, 3);
}
