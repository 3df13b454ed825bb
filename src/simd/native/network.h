/* Forward and backward through a list of layer records, as ../assembly/network.ts; ../layer-program.ts names the words. */
#ifndef OPERANT_NETWORK_H
#define OPERANT_NETWORK_H

#include "mask.h"
#include "normalization.h"
#include "sparse.h"
#include "transpose.h"

struct layer {
  uint32_t kernel, bias; /* offsets from the parameters, or from a gradient slab */
  uint32_t inputs, outputs, activation;
  uint32_t input, input_stride, output, output_stride;
  uint32_t pre, is_dense;
  uint32_t transposed, transposed_stride;
  uint32_t grad_output, grad_output_stride, grad_input, grad_input_stride;
  uint32_t accumulates, input_activation, input_pre;
  uint32_t is_normalized, gain, shift; /* offsets, as the kernel's */
  uint32_t normalized, inverse_std, gains;
  uint32_t mask; /* of dropout, at the output's stride */
};

INLINE char *at(char *base, uint32_t address) { return address ? base + address : 0; }
INLINE int in_fours(uint32_t columns) { return (int)((columns + 3) & ~3u); }

static void forward(char *base, uint32_t layers, int count, uint32_t parameters, int rows) {
  const struct layer *l = (const struct layer *)(base + layers);
  for (int k = 0; k < count; k++, l++) {
    const int is_relu = l->activation == RELU && !l->is_normalized && !l->mask && !l->is_dense;
    const struct product p = {
      .lda = l->input_stride, .ldw = 4 * (size_t)l->outputs, .ldc = l->output_stride,
      .bias = floats(base + parameters + l->bias), .depth = (int)l->inputs, .after = is_relu ? RELU_AFTER : NOTHING,
    };
    const int columns = l->is_dense ? (int)l->outputs : in_fours(l->outputs);
    char *output = base + l->output;
    const char *input = base + l->input, *kernel = base + parameters + l->kernel;
    if (k == 0 && is_sparse(input, p.lda, rows, p.depth)) multiply_sparse(&p, input, kernel, output, rows, columns);
    else multiply(&p, input, kernel, output, rows, columns);
    if (l->mask)
      apply_mask(output, l->output_stride, base + l->mask, l->output_stride, rows, (int)l->outputs);
    if (l->is_normalized)
      normalize(
          output, l->output_stride, rows, (int)l->outputs, floats(base + parameters + l->gain),
          floats(base + parameters + l->shift), at(base, l->normalized), (float *)at(base, l->inverse_std));
    if (!is_relu) apply_activation((int)l->activation, output, l->output_stride, rows, columns, at(base, l->pre));
  }
}

/* What `backward` needs of the parameters: transposed copies of kernels, and normalisation's gains. */
static void transpose_kernels(char *base, uint32_t layers, int count, uint32_t parameters) {
  const struct layer *l = (const struct layer *)(base + layers);
  for (int k = 0; k < count; k++, l++) {
    const float *gain = floats(base + parameters + l->gain);
    const int columns = (int)l->outputs;
    if (l->gains)
      for (int j = 0; j < columns; j += LANES)
        store_first((float *)(base + l->gains) + j, load(gain + j), columns - j);
    if (l->transposed)
      transpose(
          base + parameters + l->kernel, 4 * (size_t)columns, (int)l->inputs, columns, base + l->transposed,
          l->transposed_stride);
  }
}

static void back_through(char *base, const struct layer *l, int rows) {
  const int columns = in_fours(l->inputs);
  const int after = l->input_activation == TANH ? TANH_SLOPE : l->input_activation == RELU ? RELU_SLOPE : NOTHING;
  char *gradient = base + l->grad_input;
  const struct product p = {
    .lda = l->grad_output_stride, .ldw = l->transposed_stride, .ldc = l->grad_input_stride,
    .depth = (int)l->outputs, .accumulate = l->accumulates != 0,
    .after = after, .y = base + l->input, .ldy = l->input_stride,
  };
  multiply(&p, base + l->grad_output, base + l->transposed, gradient, rows, columns);
  if (after) return;
  apply_derivative(
      (int)l->input_activation, gradient, l->grad_input_stride, base + l->input, l->input_stride,
      at(base, l->input_pre), rows, columns);
}

/* `is_first`: it reads observations. */
static void weight_gradients(
    char *base, const struct layer *l, uint32_t gradients, int rows, int accumulate, int is_first) {
  const char *d = base + l->grad_output;
  const struct outer p = {
    .a = base + l->input, .d = d, .g = base + gradients + l->kernel,
    .lda = l->input_stride, .ldd = l->grad_output_stride, .ldg = 4 * (size_t)l->outputs,
    .rows = rows, .inputs = (int)l->inputs, .columns = (int)l->outputs, .accumulate = accumulate,
  };
  if (!is_first || !outer_product_sparse(&p)) outer_product(&p);
  column_sums(d, p.ldd, rows, p.columns, (float *)(base + gradients + l->bias), accumulate);
}

static void back_through_normalization(
    char *base, const struct layer *l, uint32_t gradients, int rows, int accumulate) {
  char *d = base + l->grad_output;
  const char *x = base + l->normalized;
  const int columns = (int)l->outputs;
  if (gradients)
    normalization_gradients(
        d, l->grad_output_stride, x, l->output_stride, rows, columns, (float *)(base + gradients + l->gain),
        (float *)(base + gradients + l->shift), accumulate);
  normalize_back(
      d, l->grad_output_stride, x, l->output_stride, floats(base + l->inverse_std), floats(base + l->gains), rows,
      columns);
}

/* `gradients` 0 = of inputs alone. */
static void backward(char *base, uint32_t layers, int count, uint32_t gradients, int rows, int accumulate) {
  for (int k = count - 1; k >= 0; k--) {
    const struct layer *l = (const struct layer *)(base + layers) + k;
    if (l->is_normalized) back_through_normalization(base, l, gradients, rows, accumulate);
    if (l->mask)
      apply_mask(
          base + l->grad_output, l->grad_output_stride, base + l->mask, l->output_stride, rows, (int)l->outputs);
    if (gradients) weight_gradients(base, l, gradients, rows, accumulate, k == 0);
    if (l->grad_input) back_through(base, l, rows);
  }
}

#endif
