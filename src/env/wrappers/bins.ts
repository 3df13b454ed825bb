/** Equal bins over the bounds of a Box. */
import { ConfigError } from '../../errors.ts';
import { describeSpace } from '../space-json.ts';
import type { Box } from '../spaces.ts';

/** Bins of each element, or of all alike. */
export type NumBins = number | readonly number[];

/** More choices than this are a mistake: each is an input, or an output, of a network. */
const MAX_TOTAL = 65_536;

/** How many bins each element has. @throws {@link ConfigError} `CONFIG_WRAPPER`. */
export function checkBins(wrapper: string, space: Box, bins: NumBins): readonly number[] {
  const counts = typeof bins === 'number' ? new Array<number>(space.size).fill(bins) : [...bins];
  const isBounded = [...space.low, ...space.high].every(Number.isFinite);
  if (isBounded && counts.length === space.size && counts.every((n) => Number.isSafeInteger(n) && n >= 1))
    return counts;
  throw new ConfigError(
    'CONFIG_WRAPPER',
    `Expected \`bins\` of ${wrapper} to be an integer >= 1, or one for each of the ${space.size} elements, over finite bounds, got ${JSON.stringify(bins)} for ${describeSpace(space)}.`,
  );
}

export interface Bins {
  /** The bin of element k that x lies in, those out of bounds in the first or last one. */
  binOf(k: number, x: number): number;
  /** The middle of a bin of element k. */
  middleOf(k: number, bin: number): number;
  /** Their product. @throws {@link ConfigError} `CONFIG_WRAPPER` for more than 65,536. */
  total(wrapper: string): number;
}

export function createBins({ low, high }: Box, counts: readonly number[]): Bins {
  const width = Float64Array.from(low, (l, k) => (high[k] - l) / counts[k]);
  const product = counts.reduce((a, b) => a * b, 1);
  return {
    binOf(k, x) {
      if (width[k] === 0) return 0;
      return Math.min(counts[k] - 1, Math.max(0, Math.floor((x - low[k]) / width[k])));
    },
    middleOf: (k, bin) => low[k] + (bin + 0.5) * width[k],
    total(wrapper) {
      if (product <= MAX_TOTAL) return product;
      throw new ConfigError(
        'CONFIG_WRAPPER',
        `${wrapper} makes ${product} choices of bins ${counts.join(' x ')}, and ${MAX_TOTAL} are the most: take fewer, or \`multiDiscrete\`.`,
      );
    },
  };
}
