/* The quantile Huber loss over rows and its gradient, as ../assembly/quantile-huber.ts, which has the equation. */
#ifndef OPERANT_QUANTILE_HUBER_H
#define OPERANT_QUANTILE_HUBER_H

#include "table.h"
#include "vector.h"

/* V vectors of quantiles from the `first` on against all targets; returns `loss` and theirs, added in order. */
INLINE float compare_tile(
    const int V, const float *predicted, const float *targets, int first, const struct quantile_huber *q, float factor,
    float *gradient, float loss) {
  vec theta[2], tau[2], rest[2], slope[2], losses[2];
  float lane[LANES];
  for (int n = 0; n < LANES; n++) lane[n] = (float)n + 0.5f;
  UNROLL for (int v = 0; v < V; v++) {
    theta[v] = load(predicted + first + v * LANES);
    tau[v] = (splat((float)(first + v * LANES)) + load(lane)) / splat((float)q->size);
    rest[v] = splat(1) - tau[v];
    slope[v] = losses[v] = splat(0);
  }
  for (int j = 0; j < q->num_targets; j++) {
    const vec y = splat(targets[j]);
    UNROLL for (int v = 0; v < V; v++) {
      const vec u = y - theta[v];
      const vec c = at_least(at_most(u, 1), -1);
      const vec weighted = select_greater(splat(0), u, rest[v], tau[v]) * c;
      slope[v] = slope[v] + weighted;
      losses[v] = madd(weighted, madd(c, splat(-0.5), u), losses[v]);
    }
  }
  float sums[2 * LANES];
  UNROLL for (int v = 0; v < V; v++) {
    const int left = q->size - first - v * LANES;
    if (left > 0) store_first(gradient + first + v * LANES, slope[v] * splat(factor), left);
    store(sums + v * LANES, losses[v]);
  }
  const int count = q->size - first < V * LANES ? q->size - first : V * LANES;
  for (int n = 0; n < count; n++) loss += sums[n];
  return loss;
}

static void quantile_huber_rows(char *base, const struct quantile_huber *q) {
  const float share = 1.0f / (float)(q->size * q->num_targets);
  const float factor = -(q->scale * share);
  const char *predicted = base + q->predicted, *targets = base + q->targets;
  char *gradient = base + q->gradient;
  float *losses = (float *)(base + q->losses);
  for (int r = 0; r < q->rows; r++) {
    float loss = 0;
    int i = 0;
    for (; q->size - i > LANES; i += 2 * LANES)
      loss = compare_tile(2, floats(predicted), floats(targets), i, q, factor, (float *)gradient, loss);
    if (i < q->size)
      loss = compare_tile(1, floats(predicted), floats(targets), i, q, factor, (float *)gradient, loss);
    losses[r] = loss * share;
    predicted += q->predicted_stride;
    targets += q->targets_stride;
    gradient += q->gradient_stride;
  }
}

#endif
