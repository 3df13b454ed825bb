/**
 * NumPy's default generator, bit for bit: SeedSequence, PCG64 (XSL-RR 128/64) and the draws `random`, `uniform`, `integers` and
 * `standard_normal` of `numpy.random.Generator`. With it an environment's seeded resets are those of Gymnasium, whose
 * `np_random(seed)` is `Generator(PCG64(SeedSequence(seed)))`.
 *
 * Sources: M. O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random Number
 * Generation" (2014); D. Lemire, "Fast Random Integer Generation in an Interval" (2019); NumPy's documentation of
 * SeedSequence (after O'Neill's `seed_seq` replacement).
 */
import { ConfigError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { EnvRandom } from './env-random.ts';
import { ziggurat } from './numpy-normal.ts';

const MASK_128 = (1n << 128n) - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;
const MULTIPLIER_LIMBS = toLimbs(MULTIPLIER);
const POOL_SIZE = 4;
const TWO_32 = 0x1_0000_0000;
const PRODUCT = new Float64Array(8); // [8] f64, scratch of nextUint64

/** The 128-bit state in 16-bit limbs, the lowest first: products and their sums stay exact in a double. */
interface Pcg64 {
  readonly state: Uint16Array; // [8] u16
  readonly increment: Uint16Array; // [8] u16
  /** The upper half of the last 64 bits when only the lower was used, else -1. */
  buffered: number;
  /** The last 64 bits. */
  high: number;
  low: number;
}

/**
 * `numpy.random.default_rng(seed)`.
 *
 * @param seed integer >= 0 of any size.
 * @throws {@link ConfigError} `CONFIG_SEED` for anything else.
 * Cost: about 4 us to open, 0.1 us a draw.
 */
export function openNumpyRandom(seed: number | bigint): EnvRandom {
  if (typeof seed === 'number' && !Number.isSafeInteger(seed)) throw seedError(seed);
  if (seed < 0) throw seedError(seed);
  const generator = seededPcg64(BigInt(seed));
  const random = () => {
    nextUint64(generator);
    return (generator.high * 2 ** 21 + (generator.low >>> 11)) / 2 ** 53;
  };
  return {
    random,
    uniform: (low, high) => low + (high - low) * random(),
    integer: (bound) => boundedInteger(generator, bound),
    normal: () => ziggurat(() => nextUint64(generator), generator, random),
    getState: () => ({
      state: fromLimbs(generator.state).toString(16),
      increment: fromLimbs(generator.increment).toString(16),
      buffered: generator.buffered,
    }),
    setState(saved) {
      const { state, increment, buffered } = saved as JsonObject;
      generator.state.set(toLimbs(BigInt(`0x${state}`)));
      generator.increment.set(toLimbs(BigInt(`0x${increment}`)));
      generator.buffered = buffered as number;
    },
  };
}

function seedError(seed: number | bigint): ConfigError {
  return new ConfigError('CONFIG_SEED', `Expected a seed that is an integer >= 0, got ${seed}.`);
}

function seededPcg64(seed: bigint): Pcg64 {
  const words = seedSequence(seed, 8);
  const uint64 = (k: number) => BigInt(words[2 * k]) | (BigInt(words[2 * k + 1]) << 32n);
  const initial = (uint64(0) << 64n) | uint64(1);
  const increment = ((((uint64(2) << 64n) | uint64(3)) << 1n) | 1n) & MASK_128;
  const state = ((increment + initial) * MULTIPLIER + increment) & MASK_128;
  return { state: toLimbs(state), increment: toLimbs(increment), buffered: -1, high: 0, low: 0 };
}

/** `SeedSequence(seed).generate_state(numWords)`, u32 words. */
export function seedSequence(seed: bigint, numWords: number): Uint32Array {
  const entropy: number[] = [];
  for (let rest = seed; rest > 0n || entropy.length === 0; rest >>= 32n) {
    entropy.push(Number(rest & 0xffffffffn));
  }
  const pool = mixEntropy(entropy);
  let constant = 0x8b51f9dd;
  return Uint32Array.from({ length: numWords }, (_, i) => {
    let word = pool[i % POOL_SIZE] ^ constant;
    constant = Math.imul(constant, 0x58f38ded);
    word = Math.imul(word, constant);
    return word ^ (word >>> 16);
  });
}

function mixEntropy(entropy: readonly number[]): Int32Array {
  let constant = 0x43b0d7e5;
  const hash = (value: number) => {
    const mixed = value ^ constant;
    constant = Math.imul(constant, 0x931e8875);
    const product = Math.imul(mixed, constant);
    return product ^ (product >>> 16);
  };
  const mix = (x: number, y: number) => {
    const difference = (Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y)) | 0;
    return difference ^ (difference >>> 16);
  };
  const pool = Int32Array.from({ length: POOL_SIZE }, (_, i) => hash(entropy[i] ?? 0));
  for (let source = 0; source < POOL_SIZE; source++) {
    for (let target = 0; target < POOL_SIZE; target++) {
      if (source !== target) pool[target] = mix(pool[target], hash(pool[source]));
    }
  }
  for (let source = POOL_SIZE; source < entropy.length; source++) {
    for (let target = 0; target < POOL_SIZE; target++) {
      pool[target] = mix(pool[target], hash(entropy[source]));
    }
  }
  return pool;
}

/** state = state * multiplier + increment mod 2^128; then `high` and `low` = rotr64(state.high ^ state.low, state >> 122). */
function nextUint64(generator: Pcg64): void {
  const { state, increment } = generator;
  let carry = 0;
  for (let k = 0; k < 8; k++) {
    let sum = 0;
    for (let i = 0; i <= k; i++) sum += state[i] * MULTIPLIER_LIMBS[k - i];
    PRODUCT[k] = sum;
  }
  for (let k = 0; k < 8; k++) {
    const total = PRODUCT[k] + increment[k] + carry;
    state[k] = total % 0x10000;
    carry = Math.floor(total / 0x10000);
  }
  const high = (((state[7] ^ state[3]) << 16) | (state[6] ^ state[2])) >>> 0;
  const low = (((state[5] ^ state[1]) << 16) | (state[4] ^ state[0])) >>> 0;
  const rotation = state[7] >>> 10;
  const [upper, lower] = rotation < 32 ? [high, low] : [low, high];
  const shift = rotation % 32;
  generator.high = shift === 0 ? upper : ((upper >>> shift) | (lower << (32 - shift))) >>> 0;
  generator.low = shift === 0 ? lower : ((lower >>> shift) | (upper << (32 - shift))) >>> 0;
}

function nextUint32(generator: Pcg64): number {
  if (generator.buffered >= 0) {
    const value = generator.buffered;
    generator.buffered = -1;
    return value;
  }
  nextUint64(generator);
  generator.buffered = generator.high;
  return generator.low;
}

/** Lemire's method on 32-bit words, as NumPy does for ranges up to 2^32; a range of one draws nothing. */
function boundedInteger(generator: Pcg64, bound: number): number {
  if (bound === 1) return 0;
  if (bound === TWO_32) return nextUint32(generator);
  const threshold = (TWO_32 - bound) % bound;
  for (;;) {
    const word = nextUint32(generator);
    const [high, low] = multiply32(word, bound);
    if (low >= threshold) return high;
  }
}

/** The 64-bit product of two u32, as [high, low]. */
function multiply32(a: number, b: number): [number, number] {
  const upper = (a >>> 16) * b; // < 2^48
  const lower = (a & 0xffff) * b;
  const sum = (upper % 0x10000) * 0x10000 + lower; // < 2^49
  return [Math.floor(upper / 0x10000) + Math.floor(sum / TWO_32), sum % TWO_32];
}

function toLimbs(value: bigint): Uint16Array {
  return Uint16Array.from({ length: 8 }, (_, k) => Number((value >> BigInt(16 * k)) & 0xffffn));
}

function fromLimbs(limbs: Uint16Array): bigint {
  return limbs.reduceRight((value, limb) => (value << 16n) | BigInt(limb), 0n);
}
