/** Every combination once, of those that go together. */
import {
  type Domain,
  isActive,
  orderedNames,
  type Space,
  type TrialValues,
} from '../../config/search-space.ts';
import { ConfigError } from '../../errors.ts';
import type { JsonValue } from '../../json.ts';
import type { Accepts, Searcher } from './searcher.ts';

/** An integer range of more values is asked to be written as a choice. */
const MAX_INTEGERS = 64;
/** Some seconds. */
const MAX_COUNTED = 10_000;

/** The last option of the space changes fastest; options whose condition does not hold do not change. null after the last combination. */
export const gridSearcher: Searcher = ({ space, number, accepts }) => {
  if (accepts === undefined) return combination(space, number);
  for (let k = 0, numAccepted = 0; ; k++) {
    const values = combination(space, k);
    if (values === null || (accepts(values) && numAccepted++ === number)) return values;
  }
};

function combination(space: Space, number: number): TrialValues | null {
  const names = orderedNames(space);
  const axes = names.map((name) => axisOf(name, space[name]));
  const values: Record<string, JsonValue> = {};
  let rest = number;
  for (const [k, name] of names.entries()) {
    if (!isActive(space[name], values)) continue;
    const chosen = axes[k].find((value) => {
      values[name] = value;
      const count = countFrom(k + 1, space, names, values);
      if (rest < count) return true;
      rest -= count;
      return false;
    });
    if (chosen === undefined) return null;
  }
  return values;
}

/**
 * Combinations that go together; of a grid of more than {@link MAX_COUNTED} all that there are, since each has to be tried.
 *
 * @throws ConfigError `CONFIG_SPACE` for a range that has no grid.
 */
export function gridSize(space: Space, accepts?: Accepts): number {
  const size = countFrom(0, space, orderedNames(space), {});
  if (accepts === undefined || size > MAX_COUNTED) return size;
  return Array.from({ length: size }, (_, k) => combination(space, k) as TrialValues).filter(accepts).length;
}

/** Combinations of the options from `names[k]` on, where those before have these values. */
function countFrom(k: number, space: Space, names: readonly string[], values: TrialValues): number {
  if (k === names.length) return 1;
  const name = names[k];
  if (!isActive(space[name], values)) return countFrom(k + 1, space, names, values);
  const axis = axisOf(name, space[name]);
  const isAsked = names.slice(k + 1).some((later) => space[later].when?.[name] !== undefined);
  if (!isAsked) return axis.length * countFrom(k + 1, space, names, { ...values, [name]: axis[0] });
  return axis.reduce<number>(
    (sum, value) => sum + countFrom(k + 1, space, names, { ...values, [name]: value }),
    0,
  );
}

function axisOf(name: string, domain: Domain): readonly JsonValue[] {
  if (domain.kind === 'choice') return domain.choices;
  const count = domain.high - domain.low + 1;
  if (!domain.isInteger || count > MAX_INTEGERS) {
    throw new ConfigError(
      'CONFIG_SPACE',
      `A grid needs values to go through: write \`${name}\` as { "choice": [...] } (or integers of at most ${MAX_INTEGERS} values).`,
    );
  }
  return Array.from({ length: count }, (_, k) => domain.low + k);
}
