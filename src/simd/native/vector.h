/*
 * Vectors of LANES floats: 16 with AVX-512, 8 with AVX2, 4 with NEON; REGISTERS is how many of them the processor holds. FUSED says whether a multiply-add rounds once (as the relaxed
 * WebAssembly build on a processor with FMA) or twice (as the strict one).
 *
 * Every function gives, lane by lane, the bits of its namesake in ../assembly: minima, maxima and NaN included.
 */
#ifndef OPERANT_VECTOR_H
#define OPERANT_VECTOR_H

#include <stddef.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

/*
 * minimum and maximum give b where one is NaN, or where they are equal. select_greater is x > y ? a : b; b where one of them is NaN.
 * power_of_two is 2^n for whole numbers n from -126 to 127. split_exponent of a normal positive x = m 2^e with m from sqrt(1/2) to sqrt(2)
 * is e, and m by the pointer. store_first stores the first `count` lanes and touches nothing beyond them; first_lanes has those of x, and
 * zeros, and takes a negative `count`.
 */
#if LANES == 16
#include "vector-avx512.h"
#elif LANES == 8
#include "vector-avx2.h"
#else
#include "vector-neon.h"
#endif

/* a * b + c; the compiler itself never fuses (-ffp-contract=off) */
INLINE vec madd(vec a, vec b, vec c) {
  if (FUSED) return fused(a, b, c);
  return a * b + c;
}

/* WebAssembly's pmin(a, b) = b < a ? b : a and pmax: with x first they let NaN through, as these instructions do with x last */
INLINE vec at_most(vec x, float bound) { return minimum(splat(bound), x); }
INLINE vec at_least(vec x, float bound) { return maximum(splat(bound), x); }

INLINE const float *floats(const char *p) { return (const float *)p; }

#endif
