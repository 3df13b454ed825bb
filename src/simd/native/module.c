/*
 * The kernels as a Node addon: { numLanes, addressOf(typedArray), useLargePages(address, bytes), lanes8, lanes16 }, or lanes4 on ARM. The last are { fused, strict },
 * with a function for each kernel in each, and there where the processor runs them; numLanes is the widest one's, or 0.
 *
 * It keeps no state, so any number of threads load it. Each function takes the address of the shared memory first, then what its
 * namesake in WebAssembly takes. Nothing is checked here: ../native-kernels.ts is the one caller.
 */
#include <node_api.h>
#include <stddef.h>
#include "table.h"
#if defined(__linux__)
#include <sys/mman.h>
#endif

#define MOST_ARGUMENTS 12

struct call {
  const struct table *table;
  char *base;
  napi_value arguments[MOST_ARGUMENTS];
};

static double number(napi_env env, napi_value value) {
  double result = 0;
  napi_get_value_double(env, value, &result);
  return result;
}

static struct call read_call(napi_env env, napi_callback_info info) {
  struct call call = {0};
  size_t count = MOST_ARGUMENTS;
  napi_get_cb_info(env, info, &count, call.arguments, NULL, (void **)&call.table);
  call.base = (char *)(uintptr_t)number(env, call.arguments[0]);
  return call;
}

static uint32_t word(napi_env env, const struct call *call, int index) {
  uint32_t result = 0;
  napi_get_value_uint32(env, call->arguments[index], &result);
  return result;
}

static napi_value forward(napi_env env, napi_callback_info info) {
  const struct call c = read_call(env, info);
  c.table->forward(c.base, word(env, &c, 1), (int)word(env, &c, 2), word(env, &c, 3), (int)word(env, &c, 4));
  return NULL;
}

static napi_value backward(napi_env env, napi_callback_info info) {
  const struct call c = read_call(env, info);
  c.table->backward(
      c.base, word(env, &c, 1), (int)word(env, &c, 2), word(env, &c, 3), (int)word(env, &c, 4), (int)word(env, &c, 5));
  return NULL;
}

static napi_value transpose_kernels(napi_env env, napi_callback_info info) {
  const struct call c = read_call(env, info);
  c.table->transpose_kernels(c.base, word(env, &c, 1), (int)word(env, &c, 2), word(env, &c, 3));
  return NULL;
}

static napi_value recurrent_forward(napi_env env, napi_callback_info info) {
  const struct call c = read_call(env, info);
  c.table->recurrent_forward(
      c.base, word(env, &c, 1), word(env, &c, 2), (int)word(env, &c, 3), (int)word(env, &c, 4));
  return NULL;
}

static napi_value recurrent_backward(napi_env env, napi_callback_info info) {
  const struct call c = read_call(env, info);
  c.table->recurrent_backward(
      c.base, word(env, &c, 1), word(env, &c, 2), (int)word(env, &c, 3), (int)word(env, &c, 4), (int)word(env, &c, 5));
  return NULL;
}

static napi_value reduce_slice(napi_env env, napi_callback_info info) {
  const struct call c = read_call(env, info);
  const double squares = c.table->reduce_slice(
      c.base, word(env, &c, 1), word(env, &c, 2), (int)word(env, &c, 3), word(env, &c, 4));
  napi_value result;
  napi_create_double(env, squares, &result);
  return result;
}

/* Its last argument is the address of nine doubles: as arguments each would be an object on V8's heap. */
static napi_value adam_slice(napi_env env, napi_callback_info info) {
  const struct call c = read_call(env, info);
  const double *given = (const double *)(uintptr_t)number(env, c.arguments[6]);
  float n[9];
  for (int k = 0; k < 9; k++) n[k] = (float)given[k];
  const struct adam_numbers numbers = {n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8]};
  c.table->adam_slice(
      c.base, word(env, &c, 1), word(env, &c, 2), word(env, &c, 3), word(env, &c, 4), word(env, &c, 5), &numbers);
  return NULL;
}

static napi_value blend_slice(napi_env env, napi_callback_info info) {
  const struct call c = read_call(env, info);
  const float tau = (float)number(env, c.arguments[4]);
  c.table->blend_slice(c.base, word(env, &c, 1), word(env, &c, 2), word(env, &c, 3), tau);
  return NULL;
}

static napi_value quantile_huber(napi_env env, napi_callback_info info) {
  const struct call c = read_call(env, info);
  const struct quantile_huber q = {
    .predicted = word(env, &c, 1), .predicted_stride = word(env, &c, 2),
    .targets = word(env, &c, 3), .targets_stride = word(env, &c, 4),
    .rows = (int)word(env, &c, 5), .size = (int)word(env, &c, 6), .num_targets = (int)word(env, &c, 7),
    .scale = (float)number(env, c.arguments[8]),
    .gradient = word(env, &c, 9), .gradient_stride = word(env, &c, 10), .losses = word(env, &c, 11),
  };
  c.table->quantile_huber(c.base, &q);
  return NULL;
}

static napi_value sample_squashed(napi_env env, napi_callback_info info) {
  const struct call c = read_call(env, info);
  const struct squashed_rows s = {
    .parameters = word(env, &c, 1), .noise = word(env, &c, 2),
    .rows = (int)word(env, &c, 3), .size = (int)word(env, &c, 4),
    .actions = word(env, &c, 5), .log_probs = word(env, &c, 6), .deviations = word(env, &c, 7),
    .slopes = word(env, &c, 8), .scratch = word(env, &c, 9),
  };
  c.table->sample_squashed(c.base, &s);
  return NULL;
}

/* Their first argument is the address of twelve doubles instead of the memory's: addresses of arrays, then sizes. */
static struct categorical read_categorical(const struct call *c) {
  const double *given = (const double *)c->base;
  void *at[10];
  for (int k = 0; k < 10; k++) at[k] = (void *)(uintptr_t)given[k];
  return (struct categorical){
    at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7], at[8], at[9], (int)given[10], (int)given[11],
  };
}

static napi_value categorical_evaluate(napi_env env, napi_callback_info info) {
  const struct call c = read_call(env, info);
  const struct categorical categorical = read_categorical(&c);
  napi_value result;
  napi_get_boolean(env, c.table->categorical_evaluate(&categorical, (int)word(env, &c, 1)) != 0, &result);
  return result;
}

static napi_value categorical_backward(napi_env env, napi_callback_info info) {
  const struct call c = read_call(env, info);
  const struct categorical categorical = read_categorical(&c);
  c.table->categorical_backward(&categorical, (int)word(env, &c, 1));
  return NULL;
}

static napi_value peak(napi_env env, napi_callback_info info) {
  const struct call c = read_call(env, info);
  napi_value result;
  napi_create_double(env, c.table->peak((int)word(env, &c, 1)), &result);
  return result;
}

/*
 * Asks for pages of 2 MiB under a memory of which little was touched yet: an update of large networks goes through more pages of 4 KiB than a processor
 * remembers the places of. Where the system has none (Linux alone is asked) the memory is as it was.
 */
static napi_value use_large_pages(napi_env env, napi_callback_info info) {
#if defined(__linux__)
  napi_value arguments[2];
  size_t count = 2;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  madvise((void *)(uintptr_t)number(env, arguments[0]), (size_t)number(env, arguments[1]), MADV_HUGEPAGE);
#endif
  return NULL;
}

static napi_value address_of(napi_env env, napi_callback_info info) {
  napi_value array, result;
  size_t count = 1;
  void *data = NULL;
  napi_get_cb_info(env, info, &count, &array, NULL, NULL);
  napi_get_typedarray_info(env, array, NULL, NULL, &data, NULL, NULL);
  napi_create_double(env, (double)(uintptr_t)data, &result);
  return result;
}

static void add(napi_env env, napi_value target, const char *name, napi_callback callback, const struct table *table) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, (void *)table, &function);
  napi_set_named_property(env, target, name, function);
}

static napi_value make_build(napi_env env, const struct table *table) {
  napi_value build;
  napi_create_object(env, &build);
  add(env, build, "forward", forward, table);
  add(env, build, "backward", backward, table);
  add(env, build, "transposeKernels", transpose_kernels, table);
  add(env, build, "recurrentForward", recurrent_forward, table);
  add(env, build, "recurrentBackward", recurrent_backward, table);
  add(env, build, "reduceSlice", reduce_slice, table);
  add(env, build, "adamSlice", adam_slice, table);
  add(env, build, "blendSlice", blend_slice, table);
  add(env, build, "quantileHuber", quantile_huber, table);
  add(env, build, "sampleSquashed", sample_squashed, table);
  add(env, build, "categoricalEvaluate", categorical_evaluate, table);
  add(env, build, "categoricalBackward", categorical_backward, table);
  add(env, build, "peak", peak, table);
  return build;
}

static void add_width(
    napi_env env, napi_value exports, const char *name, const struct table *fused, const struct table *strict) {
  napi_value width;
  napi_create_object(env, &width);
  napi_set_named_property(env, width, "fused", make_build(env, fused));
  napi_set_named_property(env, width, "strict", make_build(env, strict));
  napi_set_named_property(env, exports, name, width);
}

#if defined(__aarch64__)

/* NEON is part of the architecture. */
static int add_widths(napi_env env, napi_value exports) {
  add_width(env, exports, "lanes4", &fused_neon, &strict_neon);
  return 4;
}

#else

#include <cpuid.h>

/* Registers that the operating system saves: what the processor has beyond them cannot be used. */
static uint32_t saved_registers(void) {
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

/* As __builtin_cpu_supports says it, which not every compiler has for a library without a C library. */
static int lanes_of_processor(void) {
  const uint32_t FMA = 1 << 12, OSXSAVE = 1 << 27, AVX2 = 1 << 5;
  const uint32_t AVX512 = 1 << 16 | 1 << 17 | 1 << 30 | 1u << 31; /* F, DQ, BW, VL */
  uint32_t a, b, c, d, features, wide;
  if (!__get_cpuid(1, &a, &b, &features, &d) || !__get_cpuid_count(7, 0, &a, &wide, &c, &d)) return 0;
  if (!(features & FMA) || !(features & OSXSAVE) || !(wide & AVX2)) return 0;
  const uint32_t saved = saved_registers();
  if ((saved & 0x06) != 0x06) return 0;
  return (wide & AVX512) == AVX512 && (saved & 0xe6) == 0xe6 ? 16 : 8;
}

static int add_widths(napi_env env, napi_value exports) {
  const int lanes = lanes_of_processor();
  if (lanes >= 8) add_width(env, exports, "lanes8", &fused_avx2, &strict_avx2);
  if (lanes == 16) add_width(env, exports, "lanes16", &fused_avx512, &strict_avx512);
  return lanes;
}

#endif

NAPI_MODULE_INIT() {
  napi_value num_lanes;
  napi_create_int32(env, add_widths(env, exports), &num_lanes);
  napi_set_named_property(env, exports, "numLanes", num_lanes);
  add(env, exports, "addressOf", address_of, NULL);
  add(env, exports, "useLargePages", use_large_pages, NULL);
  return exports;
}
