/**
 * Elementary functions on four float32 lanes.
 *
 * Polynomials: exp and log after Cephes (Moshier), tanh after the odd rational 13/6 fit that Eigen uses. Error tables in
 * ../README.md. NaN goes in and comes out: pmin and pmax with x as the first operand keep it.
 */

/** a * b + c: fused where the relaxed build runs on hardware that has it, rounded twice in the strict build. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

// @ts-ignore: decorator
@inline
export function splat(x: f32): v128 {
  return f32x4.splat(x);
}

/** tanh; odd rational in x, |x| clamped where tanh rounds to 1. */
// @ts-ignore: decorator
@inline
export function tanh4(value: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(value, splat(7.90531110763549805)), splat(-7.90531110763549805));
  const z = f32x4.mul(x, x);
  let p = madd(z, splat(-2.76076847742355e-16), splat(2.00018790482477e-13));
  p = madd(p, z, splat(-8.60467152213735e-11));
  p = madd(p, z, splat(5.12229709037114e-8));
  p = madd(p, z, splat(1.48572235717979e-5));
  p = madd(p, z, splat(6.37261928875436e-4));
  p = madd(p, z, splat(4.89352455891786e-3));
  p = f32x4.mul(p, x);
  let q = madd(z, splat(1.19825839466702e-6), splat(1.18534705686654e-4));
  q = madd(q, z, splat(2.268434632439e-3));
  q = madd(q, z, splat(4.89352518554385e-3));
  return f32x4.div(p, q);
}

/** e^x for x <= 88, e^88 above; exactly 0 below -87. */
// @ts-ignore: decorator
@inline
export function exp4(value: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(value, splat(88.0)), splat(-87.0));
  const n = f32x4.nearest(f32x4.mul(x, splat(1.44269504088896341)));
  let r = madd(n, splat(-0.693359375), x);
  r = madd(n, splat(2.12194440e-4), r);
  let p = madd(r, splat(1.9875691500e-4), splat(1.3981999507e-3));
  p = madd(p, r, splat(8.3334519073e-3));
  p = madd(p, r, splat(4.1665795894e-2));
  p = madd(p, r, splat(1.6666665459e-1));
  p = madd(p, r, splat(5.0000001201e-1));
  p = madd(p, f32x4.mul(r, r), f32x4.add(r, splat(1)));
  const scale = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return v128.andnot(f32x4.mul(p, scale), f32x4.lt(value, splat(-87.0)));
}

/** Natural logarithm of normal positive numbers. */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  // split into m * 2^e with m in [sqrt(1/2), sqrt(2))
  const bits = i32x4.sub(x, i32x4.splat(0x3f3504f3));
  const e = f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23));
  const m = i32x4.add(v128.and(bits, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3));
  const r = f32x4.sub(m, splat(1));
  const z = f32x4.mul(r, r);
  let p = madd(r, splat(7.0376836292e-2), splat(-1.1514610310e-1));
  p = madd(p, r, splat(1.1676998740e-1));
  p = madd(p, r, splat(-1.2420140846e-1));
  p = madd(p, r, splat(1.4249322787e-1));
  p = madd(p, r, splat(-1.6668057665e-1));
  p = madd(p, r, splat(2.0000714765e-1));
  p = madd(p, r, splat(-2.4999993993e-1));
  p = madd(p, r, splat(3.3333331174e-1));
  p = f32x4.mul(f32x4.mul(p, r), z);
  p = madd(e, splat(-2.12194440e-4), p);
  p = madd(z, splat(-0.5), p);
  return madd(e, splat(0.693359375), f32x4.add(r, p));
}

// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  return f32x4.div(splat(1), f32x4.add(splat(1), exp4(f32x4.neg(x))));
}

/** log(1 + e^x), without overflow. */
// @ts-ignore: decorator
@inline
export function softplus4(x: v128): v128 {
  const tail = log4(f32x4.add(splat(1), exp4(f32x4.neg(f32x4.abs(x)))));
  return f32x4.add(f32x4.pmax(x, splat(0)), tail);
}

export function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(splat(x)), 0);
}

export function log1(x: f32): f32 {
  return f32x4.extract_lane(log4(splat(x)), 0);
}

export function softplus1(x: f32): f32 {
  return f32x4.extract_lane(softplus4(splat(x)), 0);
}

export function sigmoid1(x: f32): f32 {
  return f32x4.extract_lane(sigmoid4(splat(x)), 0);
}

/** For the error tables: applies one function to `count` (a multiple of 4) floats. 0 tanh, 1 exp, 2 log, 3 sigmoid, 4 softplus. */
export function mathTable(kind: i32, source: usize, target: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    const x = v128.load(source + (<usize>i << 2));
    let y = x;
    if (kind == 0) y = tanh4(x);
    else if (kind == 1) y = exp4(x);
    else if (kind == 2) y = log4(x);
    else if (kind == 3) y = sigmoid4(x);
    else y = softplus4(x);
    v128.store(target + (<usize>i << 2), y);
  }
}
