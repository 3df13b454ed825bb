/** Independent draws from every domain, among the values that go together. */

import { activeValues, type Domain } from '../../config/search-space.ts';
import type { JsonValue } from '../../json.ts';
import type { Stream } from '../../random/streams.ts';
import { acceptedDraw, type Searcher, trialStream } from './searcher.ts';

/** Each trial has a stream of its own: what a trial gets does not depend on how many were drawn before it. */
export const randomSearcher: Searcher = (context) => {
  const stream = trialStream(context, 'search');
  const { space, accepts } = context;
  const draw = () => {
    const all = Object.entries(space).map(([name, domain]) => [name, drawValue(domain, stream)]);
    return activeValues(space, Object.fromEntries(all));
  };
  return acceptedDraw(draw, accepts) ?? draw();
};

export function drawValue(domain: Domain, stream: Stream): JsonValue {
  return valueAt(domain, stream.uniform());
}

/** The value of a domain at a quantile in [0, 1). Integers have equal shares (of the logarithm from low - 1/2 to high + 1/2 with a logarithm). */
export function valueAt(domain: Domain, quantile: number): JsonValue {
  if (domain.kind === 'choice') return domain.choices[Math.floor(quantile * domain.choices.length)];
  const { low, high, isLog, isInteger } = domain;
  const half = isInteger ? 0.5 : 0;
  const [first, last] = isLog ? [Math.log(low - half), Math.log(high + half)] : [low - half, high + half];
  const position = first + quantile * (last - first);
  const value = isLog ? Math.exp(position) : position;
  return Math.min(high, Math.max(low, isInteger ? Math.round(value) : value));
}
