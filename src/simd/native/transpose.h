/* Transposed kernels, as ../assembly/transpose.ts: moves numbers and computes none, so blocks follow the vectors alone. */
#ifndef OPERANT_TRANSPOSE_H
#define OPERANT_TRANSPOSE_H

#include "quad.h"

#if defined(__AVX__)
/* Rows 0 to 3 of w in the lower half of a vector, rows 4 to 7 in the upper: half of the shuffles of whole rows. */
INLINE __m256 two_rows(const char *upper, const char *lower) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(floats(upper))), _mm_loadu_ps(floats(lower)), 1);
}

/* Fetches what the next 8 rows of w need: two lines of them (columns / 4 times), and in every second pass the lines of 4 rows of t behind those being written. */
INLINE void ask_for_next(const char *w, const char *t, size_t ldt, int asks_for_lines) {
  __builtin_prefetch(w);
  __builtin_prefetch(w + 64);
  if (asks_for_lines) UNROLL for (int n = 0; n < 4; n++) __builtin_prefetch(t + n * ldt, 1);
}

/* 8 rows x 4 columns of w into 4 rows x 8 columns of t. */
INLINE void transpose_8x4(const char *w, size_t ldw, char *t, size_t ldt) {
  const __m256 a = two_rows(w, w + 4 * ldw), b = two_rows(w + ldw, w + 5 * ldw);
  const __m256 c = two_rows(w + 2 * ldw, w + 6 * ldw), d = two_rows(w + 3 * ldw, w + 7 * ldw);
  const __m256 low_ab = _mm256_unpacklo_ps(a, b), high_ab = _mm256_unpackhi_ps(a, b);
  const __m256 low_cd = _mm256_unpacklo_ps(c, d), high_cd = _mm256_unpackhi_ps(c, d);
  _mm256_storeu_ps((float *)t, _mm256_shuffle_ps(low_ab, low_cd, 0x44));
  _mm256_storeu_ps((float *)(t + ldt), _mm256_shuffle_ps(low_ab, low_cd, 0xee));
  _mm256_storeu_ps((float *)(t + 2 * ldt), _mm256_shuffle_ps(high_ab, high_cd, 0x44));
  _mm256_storeu_ps((float *)(t + 3 * ldt), _mm256_shuffle_ps(high_ab, high_cd, 0xee));
}
#endif

/* Up to 4 x 4: a row past the end is read again instead, and its lane lands in t's padding. */
INLINE void transpose_4x4(const char *w, size_t ldw, int inputs, int columns, char *t, size_t ldt) {
  quad x[4];
  UNROLL for (int n = 0; n < 4; n++) x[n] = quad_load(floats(inputs > n ? w + n * ldw : w));
  quad_transpose(x);
  UNROLL for (int n = 0; n < 4; n++) if (n < columns) quad_store((float *)(t + n * ldt), x[n]);
}

/* t [columns, inputs] = w [inputs, columns] transposed; ldt bytes >= inputs rounded up to 4. */
static void transpose(const char *w, size_t ldw, int inputs, int columns, char *t, size_t ldt) {
  int i = 0;
#if defined(__AVX__)
  for (; i + 8 <= inputs; i += 8, w += 8 * ldw) {
    char *target = t + 4 * (size_t)i;
    int j = 0;
    for (; j + 4 <= columns; j += 4) {
      ask_for_next(w + 8 * ldw + 32 * (size_t)j, target + 64 + j * ldt, ldt, i % 16 == 0);
      transpose_8x4(w + 4 * j, ldw, target + j * ldt, ldt);
    }
    if (j == columns) continue;
    transpose_4x4(w + 4 * j, ldw, 4, columns - j, target + j * ldt, ldt);
    transpose_4x4(w + 4 * ldw + 4 * j, ldw, 4, columns - j, target + 16 + j * ldt, ldt);
  }
#endif
  for (; i < inputs; i += 4, w += 4 * ldw)
    for (int j = 0; j < columns; j += 4)
      transpose_4x4(w + 4 * j, ldw, inputs - i, columns - j, t + 4 * (size_t)i + j * ldt, ldt);
}

#endif
