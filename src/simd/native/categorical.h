/*
 * Log-probabilities and entropies of categoricals and their gradients, in f64: the steps of ../../learner/simd/categorical-gradient.ts and exponential.ts, in their
 * order and so with their bits, for as many rows at once as a vector has doubles. What is unusual (exponents at the borders of fdlibm's cases, NaN, rows in which
 * nothing is allowed, actions that there are not) is left to these.
 */
#ifndef OPERANT_CATEGORICAL_H
#define OPERANT_CATEGORICAL_H

#include "table.h"
#include "vector.h"

#define WIDE (LANES / 2)

typedef double wide __attribute__((vector_size(8 * WIDE)));
typedef int64_t wide_mask __attribute__((vector_size(8 * WIDE)));
typedef uint64_t wide_bits __attribute__((vector_size(8 * WIDE)));
typedef float narrow __attribute__((vector_size(4 * WIDE)));
typedef double wide_anywhere __attribute__((vector_size(8 * WIDE), aligned(8), may_alias));

#define FORBIDDEN_LOGIT -1e8f
#define TWO_52 4503599627370496.0

INLINE wide wide_load(const double *p) { return *(const wide_anywhere *)p; }
INLINE void wide_store(double *p, wide x) { *(wide_anywhere *)p = x; }
INLINE wide choose(wide_mask mask, wide a, wide b) {
  return (wide)(((wide_bits)mask & (wide_bits)a) | (~(wide_bits)mask & (wide_bits)b));
}

/* e^x for x <= 0; `unusual` where it is not that. */
INLINE wide exponential_of_negative(wide x, wide_mask *unusual) {
  *unusual |= ~(x >= -700.0) | (-x * (0x1p-28 + x) > 0.0) | ((-x - 0.34657359) * (0.346573592 + x) > 0.0);
  const wide t = 0.5 - 1.4426950408889634 * x;
  const wide near = (t + TWO_52) - TWO_52;
  const wide k = near - choose(near > t, near - near + 1.0, near - near);
  const wide power = (wide)(((wide_bits){0} + (1023ull << 52)) - ((wide_bits)(k + TWO_52) << 52));
  const wide high = x + k * 0.6931471803691238;
  const wide low = k * -1.9082149292705877e-10;
  const wide r = high - low;
  const wide s = r * r;
  const wide c = r - s * (0.16666666666666602 +
                          s * (-0.0027777777777015593 +
                               s * (0.00006613756321437934 +
                                    s * (-0.0000016533902205465252 + s * 4.1381367970572385e-8))));
  return (1.0 - (low - (r * c) / (2.0 - c) - high)) * power;
}

/* log x for finite x >= 1, by fdlibm's steps (Sun Microsystems, freely granted), which V8's Math.log takes. */
INLINE wide logarithm(wide x) {
  const double ln2_high = 0.69314718036912381649, ln2_low = 1.90821492927058770002e-10;
  const wide_bits b = (wide_bits)x;
  const wide_bits hx = (b >> 32) & 0xfffff;
  const wide_bits i = (hx + 0x95f64) & 0x100000;
  const wide f = (wide)((b & 0xfffffffffffffull) | ((i ^ 0x3ff00000) << 32)) - 1.0;
  const wide k = (wide)(((b >> 52) - 1023 + (i >> 20)) | 0x4330000000000000ull) - TWO_52;
  const wide s = f / (2.0 + f);
  const wide z = s * s;
  const wide w = z * z;
  const wide t1 = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
  const wide t2 = z * (6.666666666666735130e-01 +
                       w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
  const wide R = t2 + t1;
  const wide half = 0.5 * f * f;
  const wide middle = k * ln2_high - ((half - (s * (half + R) + k * ln2_low)) - f);
  const wide other = k * ln2_high - ((s * (f - R) - k * ln2_low) - f);
  const wide small = k * ln2_high - ((f * f * (0.5 - 0.33333333333333333 * f) - k * ln2_low) - f);
  const wide_mask is_middle = ((wide_mask)(hx - 0x6147a) | (wide_mask)(0x6b851 - hx)) > 0;
  const wide_mask is_small = (wide_mask)((hx + 2) & 0xfffff) < 3;
  return choose(is_small, small, choose(is_middle, middle, other));
}

/* WIDE rows of a matrix of `columns`; where there are fewer the last one stands for those that lack. */
struct some_rows {
  int count;
  int row[WIDE];
};

INLINE struct some_rows rows_from(int first, int rows) {
  struct some_rows some = {.count = rows - first < WIDE ? rows - first : WIDE};
  UNROLL for (int l = 0; l < WIDE; l++) some.row[l] = first + (l < some.count ? l : some.count - 1);
  return some;
}

INLINE wide column_of(const float *matrix, int columns, const struct some_rows *some, int j) {
  narrow x;
  UNROLL for (int l = 0; l < WIDE; l++) x[l] = matrix[some->row[l] * columns + j];
  return __builtin_convertvector(x, wide);
}

INLINE wide_mask words_of(const int32_t *matrix, int columns, const struct some_rows *some, int j) {
  wide_mask x;
  UNROLL for (int l = 0; l < WIDE; l++) x[l] = matrix[some->row[l] * columns + j];
  return x;
}

INLINE wide_mask forbidden_of(const uint8_t *masks, int columns, const struct some_rows *some, int j) {
  wide_mask x;
  UNROLL for (int l = 0; l < WIDE; l++) x[l] = masks[some->row[l] * columns + j] == 0 ? -1 : 0;
  return x;
}

INLINE wide wide_of(const double *from, const struct some_rows *some) {
  if (some->count == WIDE) return wide_load(from + some->row[0]);
  wide x;
  UNROLL for (int l = 0; l < WIDE; l++) x[l] = from[some->row[l]];
  return x;
}

INLINE void put(double *to, const struct some_rows *some, wide x) {
  if (some->count == WIDE) wide_store(to + some->row[0], x);
  else
    for (int l = 0; l < some->count; l++) to[some->row[l]] = x[l];
}

/* log-softmax (into `logs`) and probabilities of logits start .. end - 1, [columns, WIDE] each; gives the entropies. */
INLINE wide evaluate_segment(
    const struct categorical *c, const struct some_rows *some, int start, int end, double *logs, double *probabilities,
    const int has_masks, wide_mask *unusual) {
  const wide zero = {0};
  const int columns = c->num_logits;
  wide top = zero;
  for (int j = start; j < end; j++) {
    wide x = column_of(c->logits, columns, some, j);
    if (has_masks) x = choose(forbidden_of(c->masks, columns, some, j), zero + FORBIDDEN_LOGIT, x);
    wide_store(logs + j * WIDE, x);
    top = j == start ? x : choose(x > top, x, top);
  }
  if (has_masks) *unusual |= ~(top > FORBIDDEN_LOGIT / 2.0);
  wide sum = zero;
  for (int j = start; j < end; j++) {
    const wide x = wide_load(logs + j * WIDE) - top;
    wide weight;
    if (has_masks) {
      const wide_mask forbidden = forbidden_of(c->masks, columns, some, j);
      weight = choose(forbidden, zero, exponential_of_negative(choose(forbidden, zero, x), unusual));
    } else weight = exponential_of_negative(x, unusual);
    wide_store(logs + j * WIDE, x);
    wide_store(probabilities + j * WIDE, weight);
    sum = sum + weight;
  }
  const wide log_sum = logarithm(sum);
  const wide scale = 1.0 / sum;
  wide entropy = zero;
  for (int j = start; j < end; j++) {
    const wide log = wide_load(logs + j * WIDE) - log_sum;
    const wide probability = wide_load(probabilities + j * WIDE) * scale;
    wide_store(logs + j * WIDE, log);
    wide_store(probabilities + j * WIDE, probability);
    entropy = entropy - probability * log;
  }
  return entropy;
}

/* Log-probabilities of actions, entropies, and the cache of `categorical_backward`; 0 = a row is unusual, and nothing that was written counts. */
INLINE int evaluate_categoricals(const struct categorical *c, int rows, const int has_masks) {
  const int P = c->num_logits, S = c->num_segments;
  wide_mask unusual = {0};
  double *cache = c->cache;
  for (int first = 0; first < rows; first += WIDE, cache += (2 * P + S) * WIDE) {
    const struct some_rows some = rows_from(first, rows);
    double *logs = cache, *probabilities = cache + P * WIDE, *entropies = cache + 2 * P * WIDE;
    wide log_prob = {0}, total = {0};
    for (int s = 0, start = 0; s < S; start += c->sizes[s++]) {
      const int end = start + c->sizes[s];
      const wide entropy = evaluate_segment(c, &some, start, end, logs, probabilities, has_masks, &unusual);
      wide_store(entropies + s * WIDE, entropy);
      total = total + entropy;
      const wide_mask action = words_of(c->actions, S, &some, s) + start;
      unusual |= (action < start) | (action >= end); /* the gradient is written at it */
      wide chosen = {0};
      for (int j = start; j < end; j++) chosen = choose(action == j, wide_load(logs + j * WIDE), chosen);
      log_prob = log_prob + chosen;
    }
    put(c->log_probs, &some, log_prob);
    put(c->entropies, &some, total);
  }
  int64_t found = 0;
  UNROLL for (int l = 0; l < WIDE; l++) found |= unusual[l];
  return found == 0;
}

static int categorical_evaluate(const struct categorical *c, int rows) {
  return c->masks ? evaluate_categoricals(c, rows, 1) : evaluate_categoricals(c, rows, 0);
}

/* Gradients of logits, of the rows evaluated last. */
static void categorical_backward(const struct categorical *c, int rows) {
  const int P = c->num_logits, S = c->num_segments;
  const double *cache = c->cache;
  for (int first = 0; first < rows; first += WIDE, cache += (2 * P + S) * WIDE) {
    const struct some_rows some = rows_from(first, rows);
    const double *logs = cache, *probabilities = cache + P * WIDE, *entropies = cache + 2 * P * WIDE;
    const wide weight = wide_of(c->by_log_prob, &some), by_entropy = wide_of(c->by_entropy, &some);
    for (int s = 0, start = 0; s < S; start += c->sizes[s++]) {
      const wide entropy = wide_load(entropies + s * WIDE);
      for (int j = start; j < start + c->sizes[s]; j++) {
        const wide inner = weight + by_entropy * (wide_load(logs + j * WIDE) + entropy);
        const narrow gradient = __builtin_convertvector(-wide_load(probabilities + j * WIDE) * inner, narrow);
        UNROLL for (int l = 0; l < WIDE; l++) if (l < some.count) c->gradients[some.row[l] * P + j] = gradient[l];
      }
      for (int l = 0; l < some.count; l++) {
        float *chosen = c->gradients + some.row[l] * P + start + c->actions[some.row[l] * S + s];
        *chosen = (float)((double)*chosen + weight[l]);
      }
    }
  }
  if (!c->masks) return;
  for (int k = 0; k < rows * P; k++)
    if (c->masks[k] == 0) c->gradients[k] = 0;
}

#endif
