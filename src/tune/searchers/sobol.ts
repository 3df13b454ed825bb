/** A Sobol sequence: points that fill a space more evenly than random ones. */
import { activeValues, type TrialValues } from '../../config/search-space.ts';
import { ConfigError } from '../../errors.ts';
import { openStream } from '../../random/streams.ts';
import { valueAt } from './random.ts';
import type { Searcher } from './searcher.ts';

/** Degree and coefficients of a primitive polynomial, and the first direction numbers, from the second dimension on (Joe and Kuo 2008). */
const DIRECTIONS: readonly (readonly [degree: number, coefficients: number, numbers: readonly number[]])[] = [
  [1, 0, [1]],
  [2, 1, [1, 3]],
  [3, 1, [1, 3, 1]],
  [3, 2, [1, 1, 1]],
  [4, 1, [1, 1, 3, 3]],
  [4, 4, [1, 3, 5, 13]],
  [5, 2, [1, 1, 5, 5, 17]],
  [5, 4, [1, 1, 5, 5, 5]],
  [5, 7, [1, 1, 7, 11, 19]],
  [5, 11, [1, 1, 5, 1, 1]],
  [5, 13, [1, 1, 1, 3, 11]],
  [5, 14, [1, 3, 5, 5, 31]],
  [6, 1, [1, 3, 3, 9, 7, 49]],
  [6, 13, [1, 1, 1, 15, 21, 21]],
  [6, 16, [1, 3, 1, 13, 27, 49]],
];
const MAX_OPTIONS = DIRECTIONS.length + 1;
const NUM_BITS = 32;
/** So many in a row, and points are taken as they come. */
const MAX_REFUSED = 1000;

/** Point `number` of those in the sequence whose values go together, its bits shifted by the study's seed (a digital shift keeps its evenness), as quantiles of the domains. */
export const sobolSearcher: Searcher = ({ space, seed, number, accepts }) => {
  const names = Object.keys(space);
  if (names.length > MAX_OPTIONS) {
    throw new ConfigError(
      'CONFIG_SPACE',
      `The sobol searcher takes at most ${MAX_OPTIONS} options, got ${names.length}: use tpe or random.`,
    );
  }
  const stream = openStream(seed, 'sobol');
  const shifts = names.map(() => stream.integer(2 ** NUM_BITS));
  const valuesOf = (index: number): TrialValues => {
    const point = sobolPoint(index, names.length);
    const all = names.map((name, k) => [
      name,
      valueAt(space[name], ((point[k] ^ shifts[k]) >>> 0) / 2 ** NUM_BITS),
    ]);
    return activeValues(space, Object.fromEntries(all));
  };
  if (accepts === undefined) return valuesOf(number);
  for (let index = 0, numAccepted = 0, numRefused = 0; numRefused < MAX_REFUSED; index++) {
    const values = valuesOf(index);
    if (!accepts(values)) numRefused++;
    else if (numAccepted++ === number) return values;
    else numRefused = 0;
  }
  return valuesOf(number);
};

/** Coordinates of one point as multiples of 2^-32; point 0 is the origin, and the order is that of the Gray code. @param numDimensions 1 to 16. */
export function sobolPoint(number: number, numDimensions: number): number[] {
  const gray = number ^ (number >>> 1);
  return Array.from({ length: numDimensions }, (_, dimension) => {
    const directions = directionNumbers(dimension);
    let bits = 0;
    for (let bit = 0; gray >>> bit !== 0; bit++) if ((gray >>> bit) & 1) bits ^= directions[bit];
    return bits >>> 0;
  });
}

/** By dimension; the same for every point. */
const known: (readonly number[])[] = [];
const directionNumbers = (dimension: number): readonly number[] =>
  (known[dimension] ??= computeDirections(dimension));

function computeDirections(dimension: number): number[] {
  if (dimension === 0) return Array.from({ length: NUM_BITS }, (_, k) => 1 << (NUM_BITS - 1 - k));
  const [degree, coefficients, initial] = DIRECTIONS[dimension - 1];
  const directions = initial.map((value, k) => value << (NUM_BITS - 1 - k));
  for (let k = degree; k < NUM_BITS; k++) {
    let value = directions[k - degree] ^ (directions[k - degree] >>> degree);
    for (let j = 1; j < degree; j++) if ((coefficients >>> (degree - 1 - j)) & 1) value ^= directions[k - j];
    directions.push(value);
  }
  return directions;
}
