/** Every combination once. */
import { ConfigError } from '../../errors.ts';
import type { JsonValue } from '../../json.ts';
import type { Domain, Space } from '../space.ts';
import type { Searcher } from './searcher.ts';

/** An integer range of more values is asked to be written as a choice. */
const MAX_INTEGERS = 64;

/** The last option of the space changes fastest; null after the last combination. */
export const gridSearcher: Searcher = ({ space, number }) => {
  const axes = Object.entries(space).map(([name, domain]) => ({ name, values: axisOf(name, domain) }));
  if (number >= axes.reduce((count, { values }) => count * values.length, 1)) return null;
  let rest = number;
  const entries = axes.toReversed().map(({ name, values }): [string, JsonValue] => {
    const index = rest % values.length;
    rest = Math.floor(rest / values.length);
    return [name, values[index]];
  });
  return Object.fromEntries(entries.reverse());
};

/** @throws ConfigError `CONFIG_SPACE` for a range that has no grid. */
export function gridSize(space: Space): number {
  return Object.entries(space).reduce((count, [name, domain]) => count * axisOf(name, domain).length, 1);
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
