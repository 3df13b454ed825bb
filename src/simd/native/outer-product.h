/* g = a^T d (gradients of weights) and column sums (of biases); order of sums and tiles as multiply.h says. */
#ifndef OPERANT_OUTER_PRODUCT_H
#define OPERANT_OUTER_PRODUCT_H

#include "multiply.h"

struct outer {
  const char *a;     /* [rows, inputs] */
  const char *d;     /* [rows, columns] */
  char *g;           /* [inputs, columns] */
  size_t lda, ldd, ldg;
  int rows, inputs, columns;
  int accumulate;
};

/* I inputs x V vectors of columns. */
INLINE void outer_tile(const int I, const int V, const struct outer *p, const char *a, const char *d, char *g, int last) {
  vec s[MOST_ROWS][MOST_VECTORS];
  UNROLL for (int i = 0; i < I; i++) UNROLL for (int v = 0; v < V; v++) s[i][v] = splat(0);
  /* fetched while sums are made: a slab of gradients is larger than what is near */
  if (LANES == 16) UNROLL for (int i = 0; i < I; i++) UNROLL for (int v = 0; v < V; v++)
    __builtin_prefetch(g + i * p->ldg + v * 64, 1);
  const size_t lda = p->lda, ldd = p->ldd;
  for (int r = p->rows; r > 0; r--) {
    vec y[MOST_VECTORS];
    UNROLL for (int v = 0; v < V; v++) y[v] = load(floats(d) + v * LANES);
    UNROLL for (int i = 0; i < I; i++) {
      const vec x = splat(floats(a)[i]);
      UNROLL for (int v = 0; v < V; v++) s[i][v] = madd(x, y[v], s[i][v]);
    }
    a += lda;
    d += ldd;
  }
  UNROLL for (int i = 0; i < I; i++) UNROLL for (int v = 0; v < V; v++) {
    float *target = (float *)(g + i * p->ldg) + v * LANES;
    if (p->accumulate) s[i][v] = load(target) + s[i][v];
    if (v == V - 1) store_first(target, s[i][v], last);
    else store(target, s[i][v]);
  }
}

INLINE void outer_panel(const int I, const int V, const struct outer *p, size_t offset, int last) {
  const char *a = p->a, *d = p->d + offset;
  char *g = p->g + offset;
  int inputs = p->inputs;
#define STEP(N)                              \
  do {                                       \
    outer_tile(N, V, p, a, d, g, last);      \
    a += N * 4;                              \
    g += N * p->ldg;                         \
  } while (0)
  for (; inputs >= I; inputs -= I) STEP(I);
  if (inputs & 4) STEP(4);
  if (inputs & 2) STEP(2);
  if (inputs & 1) STEP(1);
#undef STEP
}

#define WIDEST_NARROW 5 /* columns of a tile */
#define MOST_NARROW 10   /* columns for which it pays, where inputs fill vectors; with fewer than 5 always */

/* J columns at a time (a head), with the inputs along the vectors: V of them. */
INLINE void narrow_tile(const int J, const int V, const struct outer *p, int i, int j) {
  vec s[WIDEST_NARROW][MOST_VECTORS];
  UNROLL for (int k = 0; k < J; k++) UNROLL for (int v = 0; v < V; v++) s[k][v] = splat(0);
  const char *a = p->a + 4 * i, *d = p->d + 4 * j;
  for (int r = p->rows; r > 0; r--) {
    vec x[MOST_VECTORS];
    UNROLL for (int v = 0; v < V; v++) x[v] = load(floats(a) + v * LANES);
    UNROLL for (int k = 0; k < J; k++) {
      const vec y = splat(floats(d)[k]);
      UNROLL for (int v = 0; v < V; v++) s[k][v] = madd(x[v], y, s[k][v]);
    }
    a += p->lda;
    d += p->ldd;
  }
  float sums[MOST_VECTORS * 16];
  const int count = p->inputs - i < V * LANES ? p->inputs - i : V * LANES;
  UNROLL for (int k = 0; k < J; k++) {
    UNROLL for (int v = 0; v < V; v++) store(sums + v * LANES, s[k][v]);
    char *g = p->g + (size_t)i * p->ldg + 4 * (j + k);
    for (int n = 0; n < count; n++, g += p->ldg) *(float *)g = p->accumulate ? *(float *)g + sums[n] : sums[n];
  }
}

INLINE void narrow_panel(const int V, const struct outer *p, int i) {
  for (int j = 0; j < p->columns;) {
    const int left = p->columns - j;
    const int J = left == 5 || left > 8 ? 5 : left < 4 ? left : 4;
    switch (J) {
      case 5: narrow_tile(5, V, p, i, j); break;
      case 4: narrow_tile(4, V, p, i, j); break;
      case 3: narrow_tile(3, V, p, i, j); break;
      case 2: narrow_tile(2, V, p, i, j); break;
      default: narrow_tile(1, V, p, i, j);
    }
    j += J;
  }
}

static void narrow_outer_product(const struct outer *p) {
  int i = 0;
  while (i < p->inputs) {
    const int is_wide = p->inputs - i > (WIDEST - 1) * LANES;
    if (is_wide) narrow_panel(WIDEST, p, i);
    else narrow_panel(1, p, i);
    i += (is_wide ? WIDEST : 1) * LANES;
  }
}

/* g [inputs, columns] = (or +=) a^T [inputs, rows] d [rows, columns]; exactly `rows` rows. */
static void outer_product(const struct outer *p) {
  if (p->columns <= 4 || (p->columns <= MOST_NARROW && p->inputs > (WIDEST - 1) * LANES)) {
    narrow_outer_product(p);
    return;
  }
  for (int j = 0; j < p->columns; j += WIDEST * LANES) {
    const int left = p->columns - j;
    const size_t offset = 4 * (size_t)j;
    const int last = (left - 1) % LANES + 1;
    if (REGISTERS == 32 && left > 3 * LANES) outer_panel(6, 4, p, offset, left >= 4 * LANES ? LANES : last);
    else if (REGISTERS == 32 && left > 2 * LANES) outer_panel(8, 3, p, offset, last);
    else if (left > LANES)
      outer_panel(REGISTERS == 32 ? 8 : 6, 2, p, offset, REGISTERS == 16 && left >= 2 * LANES ? LANES : last);
    else outer_panel(8, 1, p, offset, last);
  }
}

/* V vectors of columns side by side, since a sum waits for itself. */
INLINE void column_sums_tile(const int V, const char *d, size_t ldd, int rows, float *g, int accumulate, int last) {
  vec s[MOST_VECTORS];
  UNROLL for (int v = 0; v < V; v++) s[v] = splat(0);
  for (int r = 0; r < rows; r++, d += ldd)
    UNROLL for (int v = 0; v < V; v++) s[v] = s[v] + load(floats(d) + v * LANES);
  UNROLL for (int v = 0; v < V; v++) {
    if (accumulate) s[v] = load(g + v * LANES) + s[v];
    store_first(g + v * LANES, s[v], v == V - 1 ? last : LANES);
  }
}

/* g [columns] = (or +=) column sums of d [rows, columns]. */
static void column_sums(const char *d, size_t ldd, int rows, int columns, float *g, int accumulate) {
  int j = 0;
  for (; j + 4 * LANES <= columns; j += 4 * LANES)
    column_sums_tile(4, d + 4 * (size_t)j, ldd, rows, g + j, accumulate, LANES);
  for (; j < columns; j += LANES)
    column_sums_tile(1, d + 4 * (size_t)j, ldd, rows, g + j, accumulate, columns - j);
}

#endif
