/* Elementary functions as in ../assembly/math.ts, which says where they come from: the same steps, so the same bits. */
#ifndef OPERANT_ELEMENTARY_H
#define OPERANT_ELEMENTARY_H

#include "vector.h"

INLINE vec tanh_of(vec value) {
  const vec x = at_least(at_most(value, 7.90531110763549805), -7.90531110763549805);
  const vec z = x * x;
  vec p = madd(z, splat(-2.76076847742355e-16), splat(2.00018790482477e-13));
  p = madd(p, z, splat(-8.60467152213735e-11));
  p = madd(p, z, splat(5.12229709037114e-8));
  p = madd(p, z, splat(1.48572235717979e-5));
  p = madd(p, z, splat(6.37261928875436e-4));
  p = madd(p, z, splat(4.89352455891786e-3));
  p = p * x;
  vec q = madd(z, splat(1.19825839466702e-6), splat(1.18534705686654e-4));
  q = madd(q, z, splat(2.268434632439e-3));
  q = madd(q, z, splat(4.89352518554385e-3));
  return p / q;
}

INLINE vec exp_of(vec value) {
  const vec x = at_least(at_most(value, 88.0), -87.0);
  const vec n = nearest(x * splat(1.44269504088896341));
  vec r = madd(n, splat(-0.693359375), x);
  r = madd(n, splat(2.12194440e-4), r);
  vec p = madd(r, splat(1.9875691500e-4), splat(1.3981999507e-3));
  p = madd(p, r, splat(8.3334519073e-3));
  p = madd(p, r, splat(4.1665795894e-2));
  p = madd(p, r, splat(1.6666665459e-1));
  p = madd(p, r, splat(5.0000001201e-1));
  p = madd(p, r * r, r + splat(1));
  return select_greater(splat(-87.0), value, splat(0), p * power_of_two(n));
}

INLINE vec log_of(vec x) {
  vec m;
  const vec e = split_exponent(x, &m);
  const vec r = m - splat(1);
  const vec z = r * r;
  vec p = madd(r, splat(7.0376836292e-2), splat(-1.1514610310e-1));
  p = madd(p, r, splat(1.1676998740e-1));
  p = madd(p, r, splat(-1.2420140846e-1));
  p = madd(p, r, splat(1.4249322787e-1));
  p = madd(p, r, splat(-1.6668057665e-1));
  p = madd(p, r, splat(2.0000714765e-1));
  p = madd(p, r, splat(-2.4999993993e-1));
  p = madd(p, r, splat(3.3333331174e-1));
  p = p * r * z;
  p = madd(e, splat(-2.12194440e-4), p);
  p = madd(z, splat(-0.5), p);
  return madd(e, splat(0.693359375), r + p);
}

INLINE vec sigmoid_of(vec x) { return splat(1) / (splat(1) + exp_of(-x)); }

#endif
