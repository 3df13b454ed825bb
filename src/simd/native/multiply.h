/*
 * c = a w + b and g = a^T d in register tiles. Strides are in bytes.
 *
 * A number of the result is summed in the order of ../assembly/multiply.ts and outer-product.ts, one after another from the bias
 * (or from zero), whatever the tile: so the bits are the same, and tiles follow the registers alone. AVX-512 and NEON have 32 of them: 6
 * rows x 4 vectors are 24 sums, 4 weights and a broadcast; AVX2 has 16: 6 x 2. Loads may run up to 15 floats past a matrix, as there;
 * stores end at the last column.
 */
#ifndef OPERANT_MULTIPLY_H
#define OPERANT_MULTIPLY_H

#include "activation.h"
#include "quad.h"

#define MOST_ROWS 8
#define MOST_VECTORS 4
#define WIDEST (REGISTERS == 32 ? 4 : 2) /* vectors of a tile */

enum { NOTHING, RELU_AFTER, TANH_SLOPE, RELU_SLOPE };

/* The parts of a product that tiles share. */
struct product {
  size_t lda, ldw, ldc;
  const float *bias;   /* or null */
  int after;           /* what sums go through before they are stored: NOTHING, or ... */
  const char *y;       /* what the activation gave there, for the slopes */
  size_t ldy;
  int depth;
  int accumulate;      /* starts from what c holds instead of the bias */
};

/* `last`: how many columns the last vector has. With `asks` the second cache is asked for `ahead` and what lies below it, a line with each row of weights. */
INLINE void product_tile(
    const int R, const int V, const int asks, const struct product *p, const char *a, const char *w, char *c,
    const float *bias, const char *y, int last, const char *ahead) {
  vec s[MOST_ROWS][MOST_VECTORS];
  UNROLL for (int r = 0; r < R; r++) UNROLL for (int v = 0; v < V; v++) {
    if (p->accumulate) s[r][v] = load(floats(c + r * p->ldc) + v * LANES);
    else s[r][v] = bias ? load(bias + v * LANES) : splat(0);
  }
  const size_t lda = p->lda, ldw = p->ldw;
  const float *row[MOST_ROWS];
  UNROLL for (int r = 0; r < R; r++) row[r] = floats(a + r * lda);
  const int depth = p->depth;
  for (int k = 0; k < depth; k++) {
    vec weights[MOST_VECTORS];
    UNROLL for (int v = 0; v < V; v++) weights[v] = load(floats(w) + v * LANES);
    UNROLL for (int r = 0; r < R; r++) {
      const vec x = splat(row[r][k]);
      UNROLL for (int v = 0; v < V; v++) s[r][v] = madd(x, weights[v], s[r][v]);
    }
    w += ldw;
    if (asks) {
      __builtin_prefetch(ahead, 0, 2);
      ahead += ldw;
    }
  }
  const size_t ldy = p->ldy;
  if (p->after == TANH_SLOPE) {
    UNROLL for (int r = 0; r < R; r++) UNROLL for (int v = 0; v < V; v++)
      s[r][v] = s[r][v] * derivative(TANH, load(floats(y + r * ldy) + v * LANES), splat(0));
  } else if (p->after == RELU_SLOPE) {
    UNROLL for (int r = 0; r < R; r++) UNROLL for (int v = 0; v < V; v++)
      s[r][v] = s[r][v] * derivative(RELU, load(floats(y + r * ldy) + v * LANES), splat(0));
  } else if (p->after == RELU_AFTER) {
    UNROLL for (int r = 0; r < R; r++) UNROLL for (int v = 0; v < V; v++) s[r][v] = activate(RELU, s[r][v]);
  }
  UNROLL for (int r = 0; r < R; r++) UNROLL for (int v = 0; v < V; v++) {
    float *target = (float *)(c + r * p->ldc) + v * LANES;
    if (v == V - 1) store_first(target, s[r][v], last);
    else store(target, s[r][v]);
  }
}

#define FEWEST_DEEP_AHEAD 96
#define FEWEST_ROWS_AHEAD 32

/*
 * All rows of one panel of V vectors. The first tiles of a deep one have the panel beside it fetched, a line each: networks of an update lie in the third cache,
 * and the first tile of a panel would wait for that at each row of weights.
 */
INLINE void product_panel(
    const int R, const int V, const struct product *p, const char *a, const char *w, char *c, int rows, size_t offset,
    int last) {
  const float *bias = p->bias ? p->bias + offset / 4 : 0;
  const char *y = p->y ? p->y + offset : 0;
  w += offset;
  c += offset;
  const char *ahead = w + V * LANES * 4;
#define STEP(N, ASKS)                                           \
  do {                                                          \
    product_tile(N, V, ASKS, p, a, w, c, bias, y, last, ahead); \
    a += N * p->lda;                                            \
    c += N * p->ldc;                                            \
    if (y) y += N * p->ldy;                                     \
  } while (0)
  if (LANES == 16 && V == 4 && p->depth >= FEWEST_DEEP_AHEAD && rows >= FEWEST_ROWS_AHEAD)
    for (int line = 0; line < V; line++, rows -= R, ahead += 64) STEP(R, 1);
  for (; rows >= R; rows -= R) STEP(R, 0);
  if (rows & 4) STEP(4, 0);
  if (rows & 2) STEP(2, 0);
  if (rows & 1) STEP(1, 0);
#undef STEP
}

/* R rows of one column: dot products in four partial sums each, side by side, since one waits for itself. */
INLINE void column_tile(const int R, const struct product *p, const char *a, const float *w, char *c) {
  const int whole = p->depth & ~3;
  quad s[MOST_ROWS];
  UNROLL for (int r = 0; r < R; r++) s[r] = quad_zero();
  for (int k = 0; k < whole; k += 4) {
    const quad z = quad_load(w + k);
    UNROLL for (int r = 0; r < R; r++) {
      const quad y = quad_load(floats(a + r * p->lda) + k);
      s[r] = quad_madd(y, z, s[r]);
    }
  }
  UNROLL for (int r = 0; r < R; r++) {
    float total = sum_halves(s[r]);
    for (int k = whole; k < p->depth; k++) total += floats(a + r * p->lda)[k] * w[k];
    *(float *)(c + r * p->ldc) = total + (p->bias ? *p->bias : 0);
  }
}

/* One column of contiguous weights (a value head). */
static void product_column(const struct product *p, const char *a, const float *w, char *c, int rows) {
  for (; rows >= 8; rows -= 8, a += 8 * p->lda, c += 8 * p->ldc) column_tile(8, p, a, w, c);
  for (; rows >= 2; rows -= 2, a += 2 * p->lda, c += 2 * p->ldc) column_tile(2, p, a, w, c);
  if (rows > 0) column_tile(1, p, a, w, c);
}

/* c [rows, columns] = a [rows, depth] w [depth, columns] + bias (or + c), and what `after` says. */
static void multiply(const struct product *p, const char *a, const char *w, char *c, int rows, int columns) {
  if (columns == 1 && p->ldw == 4 && !p->accumulate && !p->after) {
    product_column(p, a, floats(w), c, rows);
    return;
  }
  for (int j = 0; j < columns; j += WIDEST * LANES) {
    const int left = columns - j;
    const size_t offset = 4 * (size_t)j;
    const int last = (left - 1) % LANES + 1;
    if (REGISTERS == 32 && left > 3 * LANES)
      product_panel(6, 4, p, a, w, c, rows, offset, left >= 4 * LANES ? LANES : last);
    else if (REGISTERS == 32 && left > 2 * LANES)
      product_panel(8, 3, p, a, w, c, rows, offset, last);
    else if (left > LANES)
      product_panel(REGISTERS == 32 ? 8 : 6, 2, p, a, w, c, rows, offset, REGISTERS == 16 && left >= 2 * LANES ? LANES : last);
    else
      product_panel(8, 1, p, a, w, c, rows, offset, last);
  }
}

#endif
