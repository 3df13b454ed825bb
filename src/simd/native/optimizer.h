/* Gradient reduction, Adam and target blends over slices of the flat parameters, as ../assembly/optimizer.ts. */
#ifndef OPERANT_OPTIMIZER_H
#define OPERANT_OPTIMIZER_H

#include "table.h"
#include "vector.h"

/* slabs[0] += slabs[1] + ... in slab order. Returns the sum of squares, summed in 16 lanes as the WebAssembly kernels do. */
static double reduce_slice(char *slab, size_t slab_bytes, int num_slabs, size_t bytes) {
  vec squares[16 / LANES];
  UNROLL for (int v = 0; v < 16 / LANES; v++) squares[v] = splat(0);
  for (size_t k = 0; k < bytes; k += 64) {
    UNROLL for (int v = 0; v < 16 / LANES; v++) {
      char *p = slab + k + v * 4 * LANES;
      vec g = load(floats(p));
      for (int s = 1; s < num_slabs; s++) g = g + load(floats(p + s * slab_bytes));
      if (num_slabs > 1) store((float *)p, g);
      squares[v] = madd(g, g, squares[v]);
    }
  }
  float q[16];
  UNROLL for (int v = 0; v < 16 / LANES; v++) store(q + v * LANES, squares[v]);
  double sum = 0;
  for (int n = 0; n < 4; n++) sum += (double)((q[n] + q[n + 4]) + (q[n + 8] + q[n + 12]));
  return sum;
}

/* x, or 0 where x is too small to be a normal number; NaN stays. */
INLINE vec normal_or_zero(vec x) {
  return select_greater(splat(1.17549435e-38), maximum(x, -x), splat(0), x);
}

static void adam_slice(float *p, const float *g, float *m, float *v, size_t bytes, const struct adam_numbers *a) {
  const vec scale = splat(a->scale), correction = splat(a->root_correction), epsilon = splat(a->epsilon);
  const vec b1 = splat(a->beta1), c1 = splat(a->rest1), b2 = splat(a->beta2), c2 = splat(a->rest2);
  const vec step = splat(-a->step_size), keep = splat(a->keep);
  const int count = (int)((bytes + 15) / 16 * 4);
  for (int k = 0; k < count; k += LANES) {
    const vec gradient = load(g + k) * scale;
    const vec mean = normal_or_zero(madd(b1, load(m + k), c1 * gradient));
    const vec square = normal_or_zero(madd(b2, load(v + k), c2 * (gradient * gradient)));
    store_first(m + k, mean, count - k);
    store_first(v + k, square, count - k);
    const vec change = mean / madd(root(square), correction, epsilon);
    store_first(p + k, madd(step, change, keep * load(p + k)), count - k);
  }
}

/* target += tau (source - target); tau 1 copies. */
static void blend_slice(float *target, const float *source, size_t bytes, float tau) {
  const vec t = splat(tau);
  const int count = (int)((bytes + 15) / 16 * 4);
  for (int k = 0; k < count; k += LANES) {
    const vec old = load(target + k), new = load(source + k);
    store_first(target + k, tau == 1 ? new : madd(t, new - old, old), count - k);
  }
}

#endif
