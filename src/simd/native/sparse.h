/*
 * The layer that reads observations, where most of these are 0: boards, one-hot states. What is multiplied by 0 is left out; a sum keeps its order, and
 * nothing changes by a 0 that is added, so the bits are those of multiply.h and outer-product.h (but for the sign of a sum that is 0 all through). Where that would
 * not hold, since something is infinite or NaN, gradients take the other way; weights are finite.
 */
#ifndef OPERANT_SPARSE_H
#define OPERANT_SPARSE_H

#include "outer-product.h"

#define FEWEST_INPUTS 32
#define MOST_INPUTS 1024

#ifdef HAS_LISTS

/* Where a row is not 0; room for LANES more. */
INLINE int list_row(const float *x, int inputs, uint16_t *list) {
  int n = 0;
  for (int k = 0; k < inputs; k += LANES) n += list_nonzero(load(x + k), k, inputs - k, list + n);
  return n;
}

/* A look at four rows. */
static int is_sparse(const char *a, size_t lda, int rows, int inputs) {
  if (inputs < FEWEST_INPUTS || inputs > MOST_INPUTS) return 0;
  uint16_t list[MOST_INPUTS + LANES];
  int seen = 0, found = 0;
  for (int n = 0; n < 4 && n < rows; n++) {
    const int r = rows < 4 ? n : n * (rows / 4);
    found += list_row(floats(a + (size_t)r * lda), inputs, list);
    seen += inputs;
    if (found * 4 > seen) return 0;
  }
  return 1;
}

INLINE void sparse_panel(
    const int V, const struct product *p, const float *x, const uint16_t *list, int count, const char *w, char *c,
    size_t offset, int last) {
  vec s[MOST_VECTORS];
  UNROLL for (int v = 0; v < V; v++) s[v] = p->bias ? load(p->bias + offset / 4 + v * LANES) : splat(0);
  for (int n = 0; n < count; n++) {
    const size_t k = list[n];
    const vec y = splat(x[k]);
    const float *weights = floats(w + k * p->ldw + offset);
    UNROLL for (int v = 0; v < V; v++) s[v] = madd(y, load(weights + v * LANES), s[v]);
  }
  UNROLL for (int v = 0; v < V; v++) {
    if (p->after == RELU_AFTER) s[v] = activate(RELU, s[v]);
    float *target = (float *)(c + offset) + v * LANES;
    if (v == V - 1) store_first(target, s[v], last);
    else store(target, s[v]);
  }
}

/* As `multiply`, row by row; nothing is accumulated, and no slopes follow. */
static void multiply_sparse(const struct product *p, const char *a, const char *w, char *c, int rows, int columns) {
  uint16_t list[MOST_INPUTS + LANES];
  for (int r = 0; r < rows; r++, a += p->lda, c += p->ldc) {
    const float *x = floats(a);
    const int count = list_row(x, p->depth, list);
    for (int j = 0; j < columns; j += 4 * LANES) {
      const int left = columns - j;
      const int last = (left - 1) % LANES + 1;
      const size_t offset = 4 * (size_t)j;
      if (left > 3 * LANES) sparse_panel(4, p, x, list, count, w, c, offset, left >= 4 * LANES ? LANES : last);
      else if (left > 2 * LANES) sparse_panel(3, p, x, list, count, w, c, offset, last);
      else if (left > LANES) sparse_panel(2, p, x, list, count, w, c, offset, last);
      else sparse_panel(1, p, x, list, count, w, c, offset, last);
    }
  }
}

static int is_finite(const char *d, size_t ldd, int rows, int columns) {
  vec s = splat(0);
  for (; rows > 0; rows--, d += ldd)
    for (int j = 0; j < columns; j += LANES) s = s + first_lanes(load(floats(d) + j), columns - j) * splat(0);
  return !has_nan(s);
}

/* g of one input: the rows of d where it is not 0, one after the other. */
INLINE void sum_rows(const int V, const struct outer *p, uint64_t rows, const char *a, size_t offset, float *g, int last) {
  vec s[MOST_VECTORS];
  UNROLL for (int v = 0; v < V; v++) s[v] = splat(0);
  const char *d = p->d + offset;
  for (; rows; rows &= rows - 1) {
    const size_t r = (size_t)__builtin_ctzll(rows);
    const vec x = splat(*floats(a + r * p->lda));
    const float *from = floats(d + r * p->ldd);
    UNROLL for (int v = 0; v < V; v++) s[v] = madd(x, load(from + v * LANES), s[v]);
  }
  UNROLL for (int v = 0; v < V; v++) {
    float *target = g + v * LANES;
    if (p->accumulate) s[v] = load(target) + s[v];
    if (v == V - 1) store_first(target, s[v], last);
    else store(target, s[v]);
  }
}

/* As `outer_product`; 0 = not this one. */
static int outer_product_sparse(const struct outer *p) {
  if (p->columns <= 4 || p->rows > 64 || !is_sparse(p->a, p->lda, p->rows, p->inputs)) return 0;
  if (!is_finite(p->d, p->ldd, p->rows, p->columns)) return 0;
  for (int k = 0; k < p->inputs; k += LANES) {
    uint64_t rows[LANES] __attribute__((aligned(64)));
    mark_rows(floats(p->a) + k, p->lda, p->rows, rows);
    const int count = p->inputs - k < LANES ? p->inputs - k : LANES;
    for (int i = 0; i < count; i++) {
      const char *a = p->a + 4 * (k + i);
      float *g = (float *)(p->g + (k + i) * p->ldg);
      for (int j = 0; j < p->columns; j += 4 * LANES) {
        const int left = p->columns - j;
        const int last = (left - 1) % LANES + 1;
        const size_t offset = 4 * (size_t)j;
        if (left > 3 * LANES) sum_rows(4, p, rows[i], a, offset, g + j, left >= 4 * LANES ? LANES : last);
        else if (left > 2 * LANES) sum_rows(3, p, rows[i], a, offset, g + j, last);
        else if (left > LANES) sum_rows(2, p, rows[i], a, offset, g + j, last);
        else sum_rows(1, p, rows[i], a, offset, g + j, last);
      }
    }
  }
  return 1;
}

#else

static int is_sparse(const char *a, size_t lda, int rows, int inputs) { return 0; }
static void multiply_sparse(const struct product *p, const char *a, const char *w, char *c, int rows, int columns) {}
static int outer_product_sparse(const struct outer *p) { return 0; }

#endif
#endif
