/* Activations over a block [rows, columns], in place, and their derivatives; codes as in ../assembly/activation.ts. */
#ifndef OPERANT_ACTIVATION_H
#define OPERANT_ACTIVATION_H

#include "elementary.h"

enum { IDENTITY, TANH, RELU, ELU, SILU, GELU, LEAKY_RELU, SIGMOID };

INLINE vec gelu_inner(vec x) { return x * splat(0.7978845608) * madd(x * x, splat(0.044715), splat(1)); }

INLINE vec activate(const int kind, vec x) {
  const vec zero = splat(0);
  switch (kind) {
    case TANH: return tanh_of(x);
    case RELU: return maximum(zero, x) + zero; /* the sum makes +0 of -0 */
    case ELU: return select_greater(x, zero, x, exp_of(x) - splat(1));
    case SILU: return x * sigmoid_of(x);
    case GELU: {
      const vec half = x * splat(0.5);
      return madd(half, tanh_of(gelu_inner(x)), half);
    }
    case LEAKY_RELU: return select_greater(x, zero, x, x * splat(0.01));
    default: return sigmoid_of(x);
  }
}

/* f'(x) from the output y, or from x itself for silu and gelu. */
INLINE vec derivative(const int kind, vec y, vec x) {
  const vec zero = splat(0), one = splat(1);
  switch (kind) {
    case TANH: return one - y * y;
    case RELU: return select_greater(y, zero, one, zero);
    case ELU: return select_greater(y, zero, one, y + one);
    case SILU: {
      const vec s = sigmoid_of(x);
      return madd(x - y, s, s);
    }
    case GELU: {
      const vec t = tanh_of(gelu_inner(x));
      const vec slope = madd(x * x, splat(0.1070322243), splat(0.7978845608));
      const vec bell = x * (one - t * t) * slope;
      return splat(0.5) * (one + t + bell);
    }
    case LEAKY_RELU: return select_greater(y, zero, one, splat(0.01));
    default: return y * (one - y);
  }
}

INLINE void activate_block(const int kind, char *c, size_t ldc, int rows, int columns, char *pre) {
  for (int r = 0; r < rows; r++, c += ldc) {
    float *row = (float *)c;
    float *kept = (float *)pre;
    for (int j = 0; j < columns; j += LANES) {
      const vec x = load(row + j);
      if (pre) store_first(kept + j, x, columns - j);
      store_first(row + j, activate(kind, x), columns - j);
    }
    if (pre) pre += ldc;
  }
}

INLINE void derive_block(
    const int kind, char *d, size_t ldd, const char *y, size_t ldy, const char *pre, int rows, int columns) {
  for (int r = 0; r < rows; r++, d += ldd, y += ldy) {
    float *row = (float *)d;
    for (int j = 0; j < columns; j += LANES) {
      const vec x = pre ? load(floats(pre) + j) : splat(0);
      store_first(row + j, load(row + j) * derivative(kind, load(floats(y) + j), x), columns - j);
    }
    if (pre) pre += ldy;
  }
}

/* c = f(c); with `pre`, what went in is kept there at the same stride. */
static void apply_activation(int kind, char *c, size_t ldc, int rows, int columns, char *pre) {
  switch (kind) {
    case TANH: activate_block(TANH, c, ldc, rows, columns, 0); break;
    case RELU: activate_block(RELU, c, ldc, rows, columns, 0); break;
    case ELU: activate_block(ELU, c, ldc, rows, columns, 0); break;
    case SILU: activate_block(SILU, c, ldc, rows, columns, pre); break;
    case GELU: activate_block(GELU, c, ldc, rows, columns, pre); break;
    case LEAKY_RELU: activate_block(LEAKY_RELU, c, ldc, rows, columns, 0); break;
    case SIGMOID: activate_block(SIGMOID, c, ldc, rows, columns, 0); break;
  }
}

/* d = d * f'(.), from the outputs y and, for silu and gelu, the inputs `pre` (at y's stride). */
static void apply_derivative(
    int kind, char *d, size_t ldd, const char *y, size_t ldy, const char *pre, int rows, int columns) {
  switch (kind) {
    case TANH: derive_block(TANH, d, ldd, y, ldy, 0, rows, columns); break;
    case RELU: derive_block(RELU, d, ldd, y, ldy, 0, rows, columns); break;
    case ELU: derive_block(ELU, d, ldd, y, ldy, 0, rows, columns); break;
    case SILU: derive_block(SILU, d, ldd, y, ldy, pre, rows, columns); break;
    case GELU: derive_block(GELU, d, ldd, y, ldy, pre, rows, columns); break;
    case LEAKY_RELU: derive_block(LEAKY_RELU, d, ldd, y, ldy, 0, rows, columns); break;
    case SIGMOID: derive_block(SIGMOID, d, ldd, y, ldy, 0, rows, columns); break;
  }
}

#endif
