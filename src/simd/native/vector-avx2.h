/* Vectors of 8 floats (AVX2): vector.h says what each function is. */
#ifndef OPERANT_VECTOR_AVX2_H
#define OPERANT_VECTOR_AVX2_H

#include <immintrin.h>

#define REGISTERS 16

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

#define HAS_LISTS
/* As that of AVX-512. */
INLINE int list_nonzero(vec x, int first, int count, uint16_t *list) {
  uint32_t found = (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(x, splat(0), _CMP_NEQ_UQ));
  if (count < LANES) found &= (1u << count) - 1;
  int n = 0;
  for (; found; found &= found - 1) list[n++] = (uint16_t)(first + __builtin_ctz(found));
  return n;
}
INLINE void mark_rows(const float *x, size_t stride, int rows, uint64_t *marks) {
  __m256i low = _mm256_setzero_si256(), high = low, bit = _mm256_set1_epi64x(1);
  for (; rows > 0; rows--, x = (const float *)((const char *)x + stride), bit = _mm256_slli_epi64(bit, 1)) {
    const __m256i found = _mm256_castps_si256(_mm256_cmp_ps(load(x), splat(0), _CMP_NEQ_UQ));
    low = _mm256_or_si256(low, _mm256_and_si256(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(found)), bit));
    high = _mm256_or_si256(high, _mm256_and_si256(_mm256_cvtepi32_epi64(_mm256_extracti128_si256(found, 1)), bit));
  }
  _mm256_store_si256((__m256i *)marks, low);
  _mm256_store_si256((__m256i *)(marks + 4), high);
}
INLINE int has_nan(vec x) { return _mm256_movemask_ps(_mm256_cmp_ps(x, x, _CMP_UNORD_Q)) != 0; }

#endif
