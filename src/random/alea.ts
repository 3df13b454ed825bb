/** The generator behind every stream, written out: `seedrandom.alea` costs a call of two closures and a boxed number for each draw. */
import { mixBits } from './mix-bits.ts';

/** The four words of an alea generator; plain JSON, so that a checkpoint can hold it. */
export interface StreamState {
  readonly c: number;
  readonly s0: number;
  readonly s1: number;
  readonly s2: number;
}

export interface Stream {
  /** Uniform in [0, 1), 32 bits of resolution. */
  uniform(): number;
  /** Integer, uniform in [0, bound); `bound` <= 2^32. */
  integer(bound: number): number;
  /** Standard normal. Box-Muller without a spare: always two uniforms, so that replaying draws needs only their count. */
  normal(): number;
  getState(): StreamState;
  setState(state: StreamState): void;
}

const UNIT = 2 ** -32;

/**
 * Baagoe's alea, a multiply-with-carry generator: t = 2091639 s0 + 2^-32 c; the whole part of t is the next c, the rest the
 * number drawn. Draw for draw that of `seedrandom.alea('', { state })`.
 */
export class AleaStream implements Stream {
  private c = 1; // integer in [0, 2091639]
  private s0 = 0.5; // s0, s1, s2: multiples of 2^-32 in [0, 1); s0 is used next
  private s1 = 0.5;
  private s2 = 0.5;
  private readonly purpose: number;

  /** @param purpose keeps an episode's streams apart, see `episode-stream.ts`. */
  constructor(seed: number, purpose: number) {
    this.purpose = purpose;
    this.restart(seed);
  }

  uniform(): number {
    const t = 2091639 * this.s0 + this.c * UNIT;
    this.s0 = this.s1;
    this.s1 = this.s2;
    this.c = t | 0;
    this.s2 = t - this.c;
    return this.s2;
  }

  integer(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  restart(seed: number): void {
    const high = mixBits(Math.floor(seed / 0x1_0000_0000) ^ this.purpose);
    const low = seed | 0;
    const first = mixBits((high + mixBits(low)) | 0);
    const second = mixBits(low ^ mixBits((high + 0x9e3779b9) | 0));
    this.c = 1;
    this.s0 = (first >>> 0) * UNIT;
    this.s1 = (second >>> 0) * UNIT;
    this.s2 = (mixBits((first + mixBits(second)) | 0) >>> 0) * UNIT;
  }

  getState(): StreamState {
    return { c: this.c, s0: this.s0, s1: this.s1, s2: this.s2 };
  }

  setState({ c, s0, s1, s2 }: StreamState): void {
    this.c = c;
    this.s0 = s0;
    this.s1 = s1;
    this.s2 = s2;
  }
}

/** Goes on from a state. Functions of the stream can be passed on alone. */
export function aleaFrom(state: StreamState): Stream {
  const alea = new AleaStream(0, 0);
  alea.setState(state);
  return {
    uniform: () => alea.uniform(),
    integer: (bound) => alea.integer(bound),
    normal: () => alea.normal(),
    getState: () => alea.getState(),
    setState: (next) => alea.setState(next),
  };
}
