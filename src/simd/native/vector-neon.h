/* Vectors of 4 floats (NEON on AArch64): vector.h says what each function is. */
#ifndef OPERANT_VECTOR_NEON_H
#define OPERANT_VECTOR_NEON_H

#include <arm_neon.h>

#define REGISTERS 32

typedef float32x4_t vec;
INLINE vec load(const float *p) { return vld1q_f32(p); }
INLINE void store(float *p, vec x) { vst1q_f32(p, x); }
INLINE vec splat(float x) { return vdupq_n_f32(x); }
INLINE vec fused(vec a, vec b, vec c) { return vfmaq_f32(c, a, b); }
/* not the instructions of these names: they order zeros by sign, and give NaN for NaN on either side */
INLINE vec minimum(vec a, vec b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
INLINE vec maximum(vec a, vec b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
INLINE vec root(vec x) { return vsqrtq_f32(x); }
INLINE vec nearest(vec x) { return vrndnq_f32(x); }
INLINE vec select_greater(vec x, vec y, vec a, vec b) { return vbslq_f32(vcgtq_f32(x, y), a, b); }
INLINE vec power_of_two(vec n) {
  const int32x4_t biased = vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127));
  return vreinterpretq_f32_s32(vshlq_n_s32(biased, 23));
}
INLINE vec split_exponent(vec x, vec *m) {
  const int32x4_t middle = vdupq_n_s32(0x3f3504f3);
  const int32x4_t bits = vsubq_s32(vreinterpretq_s32_f32(x), middle);
  *m = vreinterpretq_f32_s32(vaddq_s32(vandq_s32(bits, vdupq_n_s32(0x007fffff)), middle));
  return vcvtq_f32_s32(vshrq_n_s32(bits, 23));
}
INLINE void store_first(float *p, vec x, int count) {
  if (count >= 4) {
    vst1q_f32(p, x);
    return;
  }
  if (count > 0) p[0] = vgetq_lane_f32(x, 0);
  if (count > 1) p[1] = vgetq_lane_f32(x, 1);
  if (count > 2) p[2] = vgetq_lane_f32(x, 2);
}
INLINE vec first_lanes(vec x, int count) {
  static const int32_t lane[4] = {0, 1, 2, 3};
  const uint32x4_t kept = vcgtq_s32(vdupq_n_s32(count), vld1q_s32(lane));
  return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(x), kept));
}

#endif
