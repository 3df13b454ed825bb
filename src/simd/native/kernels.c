/* One build of the kernels: compiled once for each of AVX2 and AVX-512, or for NEON, fused and not; NAME is its table. */
#include "categorical.h"
#include "network.h"
#include "optimizer.h"
#include "quantile-huber.h"
#include "recurrent.h"
#include "squashed-gaussian.h"
#include "table.h"

static double reduce(char *base, uint32_t slab, uint32_t slab_bytes, int num_slabs, uint32_t bytes) {
  return reduce_slice(base + slab, slab_bytes, num_slabs, bytes);
}

static void adam(
    char *base, uint32_t p, uint32_t g, uint32_t m, uint32_t v, uint32_t bytes, const struct adam_numbers *numbers) {
  adam_slice(
      (float *)(base + p), floats(base + g), (float *)(base + m), (float *)(base + v), bytes, numbers);
}

static void blend(char *base, uint32_t target, uint32_t source, uint32_t bytes, float tau) {
  blend_slice((float *)(base + target), floats(base + source), bytes, tau);
}

/* The measure of everything else, as ../assembly/peak.ts: 12 independent chains, 24 operations for each lane a turn. */
static float peak(int turns) {
  const vec a = splat(0.999), b = splat(0.001);
  vec x[12];
  UNROLL for (int n = 0; n < 12; n++) x[n] = splat((float)n);
  for (int k = 0; k < turns; k++) UNROLL for (int n = 0; n < 12; n++) x[n] = madd(x[n], a, b);
  float lanes[LANES];
  float sum = 0;
  UNROLL for (int n = 0; n < 12; n++) {
    store(lanes, x[n]);
    sum += lanes[0];
  }
  return sum;
}

const struct table NAME = {forward, backward, transpose_kernels, recurrent_forward, recurrent_backward, reduce, adam, blend, quantile_huber_rows, sample_squashed_rows, categorical_evaluate, categorical_backward, peak};
