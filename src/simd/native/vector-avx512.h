/* Vectors of 16 floats (AVX-512): vector.h says what each function is. */
#ifndef OPERANT_VECTOR_AVX512_H
#define OPERANT_VECTOR_AVX512_H

#include <immintrin.h>

#define REGISTERS 32

typedef __m512 vec;
INLINE vec load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void store(float *p, vec x) { _mm512_storeu_ps(p, x); }
INLINE vec splat(float x) { return _mm512_set1_ps(x); }
INLINE vec fused(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vec minimum(vec a, vec b) { return _mm512_min_ps(a, b); }
INLINE vec maximum(vec a, vec b) { return _mm512_max_ps(a, b); }
INLINE vec root(vec x) { return _mm512_sqrt_ps(x); }
INLINE vec nearest(vec x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
INLINE vec select_greater(vec x, vec y, vec a, vec b) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, y, _CMP_GT_OQ), b, a);
}
INLINE vec power_of_two(vec n) {
  const __m512i biased = _mm512_add_epi32(_mm512_cvttps_epi32(n), _mm512_set1_epi32(127));
  return _mm512_castsi512_ps(_mm512_slli_epi32(biased, 23));
}
INLINE vec split_exponent(vec x, vec *m) {
  const __m512i middle = _mm512_set1_epi32(0x3f3504f3);
  const __m512i bits = _mm512_sub_epi32(_mm512_castps_si512(x), middle);
  *m = _mm512_castsi512_ps(_mm512_add_epi32(_mm512_and_si512(bits, _mm512_set1_epi32(0x007fffff)), middle));
  return _mm512_cvtepi32_ps(_mm512_srai_epi32(bits, 23));
}
INLINE void store_first(float *p, vec x, int count) {
  _mm512_mask_storeu_ps(p, count >= LANES ? 0xffff : (__mmask16)((1u << count) - 1), x);
}
INLINE vec first_lanes(vec x, int count) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return _mm512_maskz_mov_ps(_mm512_cmpgt_epi32_mask(_mm512_set1_epi32(count), lane), x);
}

#define HAS_LISTS
/* Which of the first `count` lanes are not 0 (NaN is not), as numbers from `first` on, at the front of a list that has room for LANES; how many. */
INLINE int list_nonzero(vec x, int first, int count, uint16_t *list) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  uint32_t found = _mm512_cmp_ps_mask(x, splat(0), _CMP_NEQ_UQ);
  if (count < LANES) found &= (1u << count) - 1;
  const __m512i numbers = _mm512_maskz_compress_epi32((__mmask16)found, _mm512_add_epi32(lane, _mm512_set1_epi32(first)));
  _mm256_storeu_si256((__m256i *)list, _mm512_cvtepi32_epi16(numbers));
  return __builtin_popcount(found);
}
/* Of LANES columns: bit r says whether row r, of 64 at most, is not 0. */
INLINE void mark_rows(const float *x, size_t stride, int rows, uint64_t *marks) {
  __m512i low = _mm512_setzero_si512(), high = low, bit = _mm512_set1_epi64(1);
  for (; rows > 0; rows--, x = (const float *)((const char *)x + stride), bit = _mm512_slli_epi64(bit, 1)) {
    const __mmask16 found = _mm512_cmp_ps_mask(load(x), splat(0), _CMP_NEQ_UQ);
    low = _mm512_mask_or_epi64(low, (__mmask8)found, low, bit);
    high = _mm512_mask_or_epi64(high, (__mmask8)(found >> 8), high, bit);
  }
  _mm512_store_si512(marks, low);
  _mm512_store_si512(marks + 8, high);
}
INLINE int has_nan(vec x) { return _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q) != 0; }

#endif
