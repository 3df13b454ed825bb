/* What one build of the kernels offers; addresses are offsets from `base`, the first byte of the shared memory. */
#ifndef OPERANT_TABLE_H
#define OPERANT_TABLE_H

#include <stdint.h>

struct adam_numbers {
  float scale, beta1, rest1, beta2, rest2, step_size, root_correction, epsilon, keep;
};

struct quantile_huber {
  uint32_t predicted, predicted_stride, targets, targets_stride; /* addresses from the base */
  int rows, size, num_targets;
  float scale;
  uint32_t gradient, gradient_stride, losses;
};

struct squashed_rows {
  uint32_t parameters, noise; /* addresses from the base */
  int rows, size;
  uint32_t actions, log_probs, deviations, slopes, scratch;
};

/* Arrays of a chunk of rows, wherever they lie: ../native-categorical.ts. */
struct categorical {
  const float *logits;      /* [R, P] */
  const int32_t *actions;   /* [R, S] */
  const uint8_t *masks;     /* [R, P], or null */
  double *log_probs, *entropies;
  const double *by_log_prob, *by_entropy;
  float *gradients;         /* [R, P] */
  double *cache;            /* (2 P + S) for each row, of R rounded up to a vector */
  const int32_t *sizes;     /* [S] */
  int num_segments, num_logits;
};

struct table {
  void (*forward)(char *base, uint32_t layers, int count, uint32_t parameters, int rows);
  void (*backward)(char *base, uint32_t layers, int count, uint32_t gradients, int rows, int accumulate);
  void (*transpose_kernels)(char *base, uint32_t layers, int count, uint32_t parameters);
  void (*recurrent_forward)(char *base, uint32_t cell, uint32_t parameters, int steps, int rows);
  void (*recurrent_backward)(char *base, uint32_t cell, uint32_t gradients, int steps, int rows, int accumulate);
  double (*reduce_slice)(char *base, uint32_t slab, uint32_t slab_bytes, int num_slabs, uint32_t bytes);
  void (*adam_slice)(
      char *base, uint32_t p, uint32_t g, uint32_t m, uint32_t v, uint32_t bytes, const struct adam_numbers *numbers);
  void (*blend_slice)(char *base, uint32_t target, uint32_t source, uint32_t bytes, float tau);
  void (*quantile_huber)(char *base, const struct quantile_huber *q);
  void (*sample_squashed)(char *base, const struct squashed_rows *s);
  int (*categorical_evaluate)(const struct categorical *c, int rows);
  void (*categorical_backward)(const struct categorical *c, int rows);
  float (*peak)(int turns);
};

__attribute__((visibility("hidden"))) extern const struct table strict_avx2, fused_avx2, strict_avx512, fused_avx512,
    strict_neon, fused_neon;

#endif
