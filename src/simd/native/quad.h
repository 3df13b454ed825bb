/* Four floats, whatever a vector has: where the order of a sum is that of WebAssembly's lanes, and to transpose. */
#ifndef OPERANT_QUAD_H
#define OPERANT_QUAD_H

#include "vector.h"

#if defined(__aarch64__)

typedef float32x4_t quad;
INLINE quad quad_load(const float *p) { return vld1q_f32(p); }
INLINE void quad_store(float *p, quad x) { vst1q_f32(p, x); }
INLINE quad quad_zero(void) { return vdupq_n_f32(0); }
INLINE quad quad_fused(quad a, quad b, quad c) { return vfmaq_f32(c, a, b); }
/* (x0 + x2) + (x1 + x3) */
INLINE float sum_halves(quad x) { return vpadds_f32(vadd_f32(vget_low_f32(x), vget_high_f32(x))); }
/* (x0 + x1) + (x2 + x3) */
INLINE float sum_pairs(quad x) { return vpadds_f32(vpadd_f32(vget_low_f32(x), vget_high_f32(x))); }
INLINE void quad_transpose(quad x[4]) {
  const float32x4x2_t upper = vtrnq_f32(x[0], x[1]), lower = vtrnq_f32(x[2], x[3]);
  UNROLL for (int n = 0; n < 2; n++) {
    x[n] = vcombine_f32(vget_low_f32(upper.val[n]), vget_low_f32(lower.val[n]));
    x[n + 2] = vcombine_f32(vget_high_f32(upper.val[n]), vget_high_f32(lower.val[n]));
  }
}

#else

typedef __m128 quad;
INLINE quad quad_load(const float *p) { return _mm_loadu_ps(p); }
INLINE void quad_store(float *p, quad x) { _mm_storeu_ps(p, x); }
INLINE quad quad_zero(void) { return _mm_setzero_ps(); }
INLINE quad quad_fused(quad a, quad b, quad c) { return _mm_fmadd_ps(a, b, c); }
INLINE float sum_halves(quad x) {
  const quad pairs = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(pairs, _mm_shuffle_ps(pairs, pairs, 1)));
}
INLINE float sum_pairs(quad x) {
  const quad pairs = _mm_add_ps(x, _mm_movehdup_ps(x));
  return _mm_cvtss_f32(_mm_add_ss(pairs, _mm_movehl_ps(pairs, pairs)));
}
INLINE void quad_transpose(quad x[4]) { _MM_TRANSPOSE4_PS(x[0], x[1], x[2], x[3]); }

#endif

INLINE quad quad_madd(quad a, quad b, quad c) {
  if (FUSED) return quad_fused(a, b, c);
  return a * b + c;
}

#endif
