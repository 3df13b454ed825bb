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

#endif
