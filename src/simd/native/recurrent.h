/* Recurrent cells over a block of sequences, as ../assembly/recurrent.ts, which has the equations; ../recurrent-program.ts names the words. */
#ifndef OPERANT_RECURRENT_H
#define OPERANT_RECURRENT_H

#include "network.h"

enum { LSTM, GRU };

struct cell {
  uint32_t kind, inputs, size;
  uint32_t kernel, own_kernel, bias, own_bias; /* offsets from the parameters, or from a gradient slab */
  uint32_t x, x_stride;
  uint32_t gates, gates_stride, own_gates;
  uint32_t h_before, c_before, state_stride;
  uint32_t h, h_stride, tanh_c;
  uint32_t continues;
  uint32_t h_next, c_next, next_stride;
  uint32_t transposed, transposed_stride;
  uint32_t grad_h, grad_h_stride;
  uint32_t carry_h, carry_c, carry_stride;
};

INLINE int is_on(const int32_t *continues, int r) { return !continues || continues[r] != 0; }
INLINE vec sigmoid_slope(vec y) { return y * (splat(1) - y); }
INLINE vec tanh_slope(vec y) { return splat(1) - y * y; }

static void lstm_row(
    float *g, const float *before, float *h, float *tanh_c, float *next_h, float *next_c, int goes_on, int size) {
  for (int j = 0; j < size; j += LANES, g += LANES) {
    const int left = size - j;
    const vec i = sigmoid_of(load(g)), f = sigmoid_of(load(g + size));
    const vec u = tanh_of(load(g + 2 * size)), o = sigmoid_of(load(g + 3 * size));
    const vec c = madd(f, load(before + j), i * u);
    const vec t = tanh_of(c);
    const vec y = o * t;
    store_first(g, i, left);
    store_first(g + size, f, left);
    store_first(g + 2 * size, u, left);
    store_first(g + 3 * size, o, left);
    store_first(h + j, y, left);
    store_first(tanh_c + j, t, left);
    if (!next_h) continue;
    store_first(next_h + j, goes_on ? y : splat(0), left);
    store_first(next_c + j, goes_on ? c : splat(0), left);
  }
}

static void gru_row(
    float *g, const float *own, const float *before, float *h, float *next_h, int goes_on, int size) {
  for (int j = 0; j < size; j += LANES, g += LANES, own += LANES) {
    const int left = size - j;
    const vec r = sigmoid_of(load(g) + load(own)), z = sigmoid_of(load(g + size) + load(own + size));
    const vec n = tanh_of(madd(r, load(own + 2 * size), load(g + 2 * size)));
    const vec y = madd(z, load(before + j) - n, n);
    store_first(g, r, left);
    store_first(g + size, z, left);
    store_first(g + 2 * size, n, left);
    store_first(h + j, y, left);
    if (next_h) store_first(next_h + j, goes_on ? y : splat(0), left);
  }
}

static void step_forward(char *base, const struct cell *k, int t, int steps, int rows, int step_rows) {
  const size_t first = (size_t)t * step_rows, after = first + step_rows;
  const int is_last = t + 1 == steps;
  const size_t next_stride = is_last ? k->next_stride : k->state_stride;
  const size_t skip = is_last ? 0 : after * k->state_stride;
  const uint32_t next_h = is_last ? k->h_next : k->h_before, next_c = is_last ? k->c_next : k->c_before;
  const int32_t *continues =
      is_last || !k->continues ? 0 : (const int32_t *)(base + k->continues) + after;
  for (int r = 0; r < rows; r++) {
    const size_t row = first + r;
    float *g = (float *)(base + k->gates + row * k->gates_stride);
    float *h = (float *)(base + k->h + row * k->h_stride);
    const int goes_on = is_on(continues, r);
    float *next = next_h ? (float *)(base + next_h + skip + r * next_stride) : 0;
    if (k->kind == LSTM)
      lstm_row(
          g, floats(base + k->c_before + row * k->state_stride), h, (float *)(base + k->tanh_c + row * k->h_stride),
          next, (float *)(base + next_c + skip + r * next_stride), goes_on, (int)k->size);
    else
      gru_row(
          g, floats(base + k->own_gates + row * k->gates_stride), floats(base + k->h_before + row * k->state_stride),
          h, next, goes_on, (int)k->size);
  }
}

INLINE int columns_of(const struct cell *k) { return (int)((k->kind == LSTM ? 4 : 3) * k->size); }

static void recurrent_forward(char *base, uint32_t record, uint32_t parameters, int steps, int rows) {
  const struct cell *k = (const struct cell *)(base + record);
  const int step_rows = in_fours((uint32_t)rows), columns = columns_of(k);
  const int is_lstm = k->kind == LSTM;
  const struct product of_inputs = {
    .lda = k->x_stride, .ldw = 4 * (size_t)columns, .ldc = k->gates_stride,
    .bias = floats(base + parameters + k->bias), .depth = (int)k->inputs,
  };
  multiply(&of_inputs, base + k->x, base + parameters + k->kernel, base + k->gates, steps * step_rows, columns);
  const struct product of_state = {
    .lda = k->state_stride, .ldw = 4 * (size_t)columns, .ldc = k->gates_stride,
    .bias = is_lstm ? 0 : floats(base + parameters + k->own_bias), .depth = (int)k->size, .accumulate = is_lstm,
  };
  for (int t = 0; t < steps; t++) {
    const size_t first = (size_t)t * step_rows;
    multiply(
        &of_state, base + k->h_before + first * k->state_stride, base + parameters + k->own_kernel,
        base + (is_lstm ? k->gates : k->own_gates) + first * k->gates_stride, rows, columns);
    step_forward(base, k, t, steps, rows, step_rows);
  }
}

static void lstm_row_back(
    float *g, const float *before, const float *tanh_c, const float *grad_h, const float *carry_h, float *carry_c,
    int goes_on, int size) {
  for (int j = 0; j < size; j += LANES, g += LANES) {
    const int left = size - j;
    const vec i = load(g), f = load(g + size), u = load(g + 2 * size), o = load(g + 3 * size);
    const vec t = load(tanh_c + j);
    const vec later_h = goes_on ? load(carry_h + j) : splat(0), later_c = goes_on ? load(carry_c + j) : splat(0);
    const vec dh = load(grad_h + j) + later_h;
    const vec dc = madd(dh * o, tanh_slope(t), later_c);
    store_first(g, dc * u * sigmoid_slope(i), left);
    store_first(g + size, dc * load(before + j) * sigmoid_slope(f), left);
    store_first(g + 2 * size, dc * i * tanh_slope(u), left);
    store_first(g + 3 * size, dh * t * sigmoid_slope(o), left);
    store_first(carry_c + j, dc * f, left);
  }
}

static void gru_row_back(
    float *g, float *own, const float *before, const float *grad_h, float *carry_h, int goes_on, int size) {
  for (int j = 0; j < size; j += LANES, g += LANES, own += LANES) {
    const int left = size - j;
    const vec r = load(g), z = load(g + size), n = load(g + 2 * size);
    const vec later = goes_on ? load(carry_h + j) : splat(0);
    const vec dh = load(grad_h + j) + later;
    const vec dn = dh * (splat(1) - z) * tanh_slope(n);
    const vec dz = dh * (load(before + j) - n) * sigmoid_slope(z);
    const vec dr = dn * load(own + 2 * size) * sigmoid_slope(r);
    store_first(g, dr, left);
    store_first(g + size, dz, left);
    store_first(g + 2 * size, dn, left);
    store_first(own, dr, left);
    store_first(own + size, dz, left);
    store_first(own + 2 * size, dn * r, left);
    store_first(carry_h + j, dh * z, left);
  }
}

static void step_back(char *base, const struct cell *k, int t, int steps, int rows, int step_rows) {
  const size_t first = (size_t)t * step_rows;
  const int32_t *continues =
      t + 1 == steps || !k->continues ? 0 : (const int32_t *)(base + k->continues) + first + step_rows;
  for (int r = 0; r < rows; r++) {
    const size_t row = first + r;
    float *g = (float *)(base + k->gates + row * k->gates_stride);
    const float *grad_h = floats(base + k->grad_h + row * k->grad_h_stride);
    float *carry_h = (float *)(base + k->carry_h + r * (size_t)k->carry_stride);
    const int goes_on = is_on(continues, r);
    if (k->kind == LSTM)
      lstm_row_back(
          g, floats(base + k->c_before + row * k->state_stride), floats(base + k->tanh_c + row * k->h_stride), grad_h,
          carry_h, (float *)(base + k->carry_c + r * (size_t)k->carry_stride), goes_on, (int)k->size);
    else
      gru_row_back(
          g, (float *)(base + k->own_gates + row * k->gates_stride),
          floats(base + k->h_before + row * k->state_stride), grad_h, carry_h, goes_on, (int)k->size);
  }
  const size_t rest = (size_t)(step_rows - rows) * k->gates_stride, beyond = (first + rows) * k->gates_stride;
  __builtin_memset(base + k->gates + beyond, 0, rest);
  if (k->kind != LSTM) __builtin_memset(base + k->own_gates + beyond, 0, rest);
}

static void cell_gradients(char *base, const struct cell *k, uint32_t gradients, int all, int accumulate) {
  const int columns = columns_of(k);
  const char *own = base + (k->kind == LSTM ? k->gates : k->own_gates);
  const struct outer of_inputs = {
    .a = base + k->x, .d = base + k->gates, .g = base + gradients + k->kernel,
    .lda = k->x_stride, .ldd = k->gates_stride, .ldg = 4 * (size_t)columns,
    .rows = all, .inputs = (int)k->inputs, .columns = columns, .accumulate = accumulate,
  };
  const struct outer of_state = {
    .a = base + k->h_before, .d = own, .g = base + gradients + k->own_kernel,
    .lda = k->state_stride, .ldd = k->gates_stride, .ldg = 4 * (size_t)columns,
    .rows = all, .inputs = (int)k->size, .columns = columns, .accumulate = accumulate,
  };
  outer_product(&of_inputs);
  column_sums(base + k->gates, k->gates_stride, all, columns, (float *)(base + gradients + k->bias), accumulate);
  outer_product(&of_state);
  if (k->kind != LSTM)
    column_sums(own, k->gates_stride, all, columns, (float *)(base + gradients + k->own_bias), accumulate);
}

static void recurrent_backward(char *base, uint32_t record, uint32_t gradients, int steps, int rows, int accumulate) {
  const struct cell *k = (const struct cell *)(base + record);
  const int step_rows = in_fours((uint32_t)rows), columns = columns_of(k);
  const int is_lstm = k->kind == LSTM;
  char *own = base + (is_lstm ? k->gates : k->own_gates);
  const size_t carry_bytes = (size_t)step_rows * k->carry_stride;
  __builtin_memset(base + k->carry_h, 0, carry_bytes);
  if (is_lstm) __builtin_memset(base + k->carry_c, 0, carry_bytes);
  const struct product back = {
    .lda = k->gates_stride, .ldw = k->transposed_stride, .ldc = k->carry_stride,
    .depth = columns, .accumulate = !is_lstm,
  };
  for (int t = steps - 1; t >= 0; t--) {
    step_back(base, k, t, steps, rows, step_rows);
    if (t == 0) break;
    multiply(
        &back, own + (size_t)t * step_rows * k->gates_stride, base + k->transposed, base + k->carry_h, rows,
        (int)k->size);
  }
  cell_gradients(base, k, gradients, steps * step_rows, accumulate);
}

#endif
