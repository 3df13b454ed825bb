/* Layer normalisation over a block and its gradients, as ../assembly/normalization.ts, which has the equations. */
#ifndef OPERANT_NORMALIZATION_H
#define OPERANT_NORMALIZATION_H

#include "quad.h"

#define PARTS (16 / LANES) /* a row is summed in 16 lanes */

/* x where `left` columns are left from its first lane on: zeros past the last column. */
INLINE vec lanes_of(vec x, int left) { return left >= LANES ? x : first_lanes(x, left); }

INLINE float total(const vec *s) {
#if LANES == 16
  const quad a = _mm512_extractf32x4_ps(s[0], 0), b = _mm512_extractf32x4_ps(s[0], 1);
  const quad c = _mm512_extractf32x4_ps(s[0], 2), d = _mm512_extractf32x4_ps(s[0], 3);
#elif LANES == 8
  const quad a = _mm256_extractf128_ps(s[0], 0), b = _mm256_extractf128_ps(s[0], 1);
  const quad c = _mm256_extractf128_ps(s[1], 0), d = _mm256_extractf128_ps(s[1], 1);
#else
  const quad a = s[0], b = s[1], c = s[2], d = s[3];
#endif
  return sum_pairs((a + b) + (c + d));
}

INLINE float row_mean(const float *z, int columns) {
  vec s[PARTS];
  UNROLL for (int v = 0; v < PARTS; v++) s[v] = splat(0);
  for (int j = 0; j < columns; j += 16) UNROLL for (int v = 0; v < PARTS; v++) {
    const int at = j + v * LANES;
    s[v] = s[v] + lanes_of(load(z + at), columns - at);
  }
  return total(s) / (float)columns;
}

INLINE float row_variance(const float *z, int columns, float mean) {
  vec s[PARTS];
  UNROLL for (int v = 0; v < PARTS; v++) s[v] = splat(0);
  for (int j = 0; j < columns; j += 16) UNROLL for (int v = 0; v < PARTS; v++) {
    const int at = j + v * LANES;
    const vec centered = lanes_of(load(z + at) - splat(mean), columns - at);
    s[v] = madd(centered, centered, s[v]);
  }
  return total(s) / (float)columns;
}

/* z = y, in place; `kept` and `inverse_std` (or null) get what the way back needs. */
static void normalize(
    char *z, size_t ldz, int rows, int columns, const float *gain, const float *shift, char *kept, float *inverse_std) {
  for (int r = 0; r < rows; r++, z += ldz) {
    float *row = (float *)z;
    const float mean = row_mean(row, columns);
    const vec spread = splat(row_variance(row, columns, mean) + 1e-5f);
    const vec scale = splat(1) / root(spread), center = splat(mean);
    for (int j = 0; j < columns; j += LANES) {
      const vec x = (load(row + j) - center) * scale;
      if (kept) store_first((float *)kept + j, x, columns - j);
      store_first(row + j, madd(x, load(gain + j), load(shift + j)), columns - j);
    }
    if (!kept) continue;
    store_first(inverse_std + r, scale, 1);
    kept += ldz;
  }
}

/* Gradients of gain and shift: sums over rows of d x and d. */
static void normalization_gradients(
    const char *d, size_t ldd, const char *x, size_t ldx, int rows, int columns, float *gain, float *shift,
    int accumulate) {
  for (int j = 0; j < columns; j += LANES) {
    vec products = splat(0), sums = splat(0);
    for (int r = 0; r < rows; r++) {
      const vec y = load(floats(d + r * ldd) + j);
      products = madd(y, load(floats(x + r * ldx) + j), products);
      sums = sums + y;
    }
    if (accumulate) {
      products = load(gain + j) + products;
      sums = load(shift + j) + sums;
    }
    store_first(gain + j, products, columns - j);
    store_first(shift + j, sums, columns - j);
  }
}

/* d = inverse_std (a - mean(a) - x mean(a x)) with a = d gain, in place. */
static void normalize_back(
    char *d, size_t ldd, const char *x, size_t ldx, const float *inverse_std, const float *gain, int rows,
    int columns) {
  for (int r = 0; r < rows; r++, d += ldd, x += ldx) {
    float *row = (float *)d;
    vec s[PARTS], t[PARTS];
    UNROLL for (int v = 0; v < PARTS; v++) s[v] = t[v] = splat(0);
    for (int j = 0; j < columns; j += 16) UNROLL for (int v = 0; v < PARTS; v++) {
      const int at = j + v * LANES;
      const vec a = lanes_of(load(row + at) * load(gain + at), columns - at);
      s[v] = s[v] + a;
      t[v] = madd(a, lanes_of(load(floats(x) + at), columns - at), t[v]);
    }
    const vec mean = splat(total(s) / (float)columns);
    const vec slope = splat(-(total(t) / (float)columns));
    const vec scale = splat(inverse_std[r]);
    for (int j = 0; j < columns; j += LANES) {
      const vec a = load(row + j) * load(gain + j);
      store_first(row + j, madd(load(floats(x) + j), slope, a - mean) * scale, columns - j);
    }
  }
}

#endif
