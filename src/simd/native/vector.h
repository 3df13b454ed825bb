/*
 * Vectors of LANES floats: 16 with AVX-512, 8 with AVX2. FUSED says whether a multiply-add rounds once (as the relaxed
 * WebAssembly build on a processor with FMA) or twice (as the strict one).
 *
 * Every function gives, lane by lane, the bits of its namesake in ../assembly: minima, maxima and NaN included.
 */
#ifndef OPERANT_VECTOR_H
#define OPERANT_VECTOR_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

#if LANES == 16

typedef __m512 vec;
INLINE vec load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void store(float *p, vec x) { _mm512_storeu_ps(p, x); }
INLINE vec splat(float x) { return _mm512_set1_ps(x); }
INLINE vec fused(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vec minimum(vec a, vec b) { return _mm512_min_ps(a, b); }
INLINE vec maximum(vec a, vec b) { return _mm512_max_ps(a, b); }
INLINE vec root(vec x) { return _mm512_sqrt_ps(x); }
INLINE vec nearest(vec x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/* x > y ? a : b; b where one of them is NaN */
INLINE vec select_greater(vec x, vec y, vec a, vec b) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, y, _CMP_GT_OQ), b, a);
}
/* 2^n for whole numbers n from -126 to 127 */
INLINE vec power_of_two(vec n) {
  const __m512i biased = _mm512_add_epi32(_mm512_cvttps_epi32(n), _mm512_set1_epi32(127));
  return _mm512_castsi512_ps(_mm512_slli_epi32(biased, 23));
}
/* x = m 2^e with m from sqrt(1/2) to sqrt(2), for normal positive x: e, and m by the pointer */
INLINE vec split_exponent(vec x, vec *m) {
  const __m512i middle = _mm512_set1_epi32(0x3f3504f3);
  const __m512i bits = _mm512_sub_epi32(_mm512_castps_si512(x), middle);
  *m = _mm512_castsi512_ps(_mm512_add_epi32(_mm512_and_si512(bits, _mm512_set1_epi32(0x007fffff)), middle));
  return _mm512_cvtepi32_ps(_mm512_srai_epi32(bits, 23));
}
/* the first `count` lanes; nothing beyond them is touched */
INLINE void store_first(float *p, vec x, int count) {
  _mm512_mask_storeu_ps(p, count >= LANES ? 0xffff : (__mmask16)((1u << count) - 1), x);
}
/* the first `count` lanes of x, and zeros; `count` may be negative */
INLINE vec first_lanes(vec x, int count) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return _mm512_maskz_mov_ps(_mm512_cmpgt_epi32_mask(_mm512_set1_epi32(count), lane), x);
}

#else

typedef __m256 vec;
INLINE vec load(const float *p) { return _mm256_loadu_ps(p); }
INLINE void store(float *p, vec x) { _mm256_storeu_ps(p, x); }
INLINE vec splat(float x) { return _mm256_set1_ps(x); }
INLINE vec fused(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vec minimum(vec a, vec b) { return _mm256_min_ps(a, b); }
INLINE vec maximum(vec a, vec b) { return _mm256_max_ps(a, b); }
INLINE vec root(vec x) { return _mm256_sqrt_ps(x); }
INLINE vec nearest(vec x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
INLINE vec select_greater(vec x, vec y, vec a, vec b) {
  return _mm256_blendv_ps(b, a, _mm256_cmp_ps(x, y, _CMP_GT_OQ));
}
INLINE vec power_of_two(vec n) {
  const __m256i biased = _mm256_add_epi32(_mm256_cvttps_epi32(n), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23));
}
INLINE vec split_exponent(vec x, vec *m) {
  const __m256i middle = _mm256_set1_epi32(0x3f3504f3);
  const __m256i bits = _mm256_sub_epi32(_mm256_castps_si256(x), middle);
  *m = _mm256_castsi256_ps(_mm256_add_epi32(_mm256_and_si256(bits, _mm256_set1_epi32(0x007fffff)), middle));
  return _mm256_cvtepi32_ps(_mm256_srai_epi32(bits, 23));
}
INLINE void store_first(float *p, vec x, int count) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  _mm256_maskstore_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane), x);
}
INLINE vec first_lanes(vec x, int count) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_and_ps(x, _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane)));
}

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
