/* Sampling a squashed Gaussian over a block of rows, as ../assembly/squashed-gaussian.ts, which has the equations. */
#ifndef OPERANT_SQUASHED_GAUSSIAN_H
#define OPERANT_SQUASHED_GAUSSIAN_H

#include "elementary.h"
#include "table.h"

/* Means and log deviations [R, 2 size] into two matrices [R, size]. */
INLINE void split_parameters(const float *parameters, int rows, int size, float *means, float *log_stds) {
  for (int r = 0; r < rows; r++, parameters += 2 * size, means += size, log_stds += size)
    for (int a = 0; a < size; a++) {
      means[a] = parameters[a];
      log_stds[a] = parameters[size + a];
    }
}

static void sample_squashed_rows(char *base, const struct squashed_rows *s) {
  const float *noise = floats(base + s->noise);
  float *actions = (float *)(base + s->actions), *deviations = (float *)(base + s->deviations);
  float *slopes = (float *)(base + s->slopes), *densities = (float *)(base + s->scratch);
  float *log_probs = (float *)(base + s->log_probs);
  split_parameters(floats(base + s->parameters), s->rows, s->size, actions, deviations);
  const int count = s->rows * s->size;
  for (int i = 0; i < count; i += LANES) {
    const vec log_std = at_least(at_most(load(deviations + i), 2), -20);
    const vec e = load(noise + i);
    const vec std = exp_of(log_std);
    const vec u = madd(std, e, load(actions + i));
    const vec magnitude = maximum(u, -u);
    const vec x = exp_of(splat(-2) * magnitude);
    const vec one = splat(1) + x;
    const vec inside = splat(0.6931471805599453) - magnitude - log_of(one);
    vec negative = log_std + splat(0.9189385332046727);
    negative = madd(e * e, splat(0.5), negative);
    negative = madd(inside, splat(2), negative);
    store_first(actions + i, tanh_of(u), count - i);
    store_first(deviations + i, std, count - i);
    store_first(slopes + i, splat(4) * x / (one * one), count - i);
    store_first(densities + i, negative, count - i);
  }
  for (int r = 0; r < s->rows; r++) {
    float sum = 0;
    for (int a = 0; a < s->size; a++) sum -= *densities++;
    log_probs[r] = sum;
  }
}

#endif
