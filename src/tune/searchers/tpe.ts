/**
 * The tree-structured Parzen estimator: draw where good trials were and bad ones were not.
 *
 * The first 10 trials are random. Then the trials so far are split into the best tenth (at most 25) and the rest, an estimator is fitted to
 * each, l and g, and of 24 draws from l the one with the largest log l - log g is taken. Complete trials come first, by score;
 * then stopped ones, those that went further first; then failed ones. Running trials count as bad, so that trials side by side differ
 * (the constant liar).
 *
 * Options with a condition are suggested after those that it looks at, from the trials that had them (Optuna's `group`). Candidates with values
 * that do not go together are drawn again.
 *
 * Bergstra et al. (2011), "Algorithms for Hyper-Parameter Optimization", with the multivariate kernels and constants of Optuna 5.0.
 * Departure: a failed trial counts as worse than every other, where Optuna leaves it out.
 */
import {
  type Domain,
  isActive,
  orderedNames,
  type Space,
  type TrialValues,
} from '../../config/search-space.ts';
import type { JsonValue } from '../../json.ts';
import type { Stream } from '../../random/streams.ts';
import { createParzenEstimator } from './parzen.ts';
import { randomSearcher } from './random.ts';
import { type Accepts, acceptedDraw, type PastTrial, type Searcher, trialStream } from './searcher.ts';

const NUM_RANDOM = 10;
const NUM_CANDIDATES = 24;
const MAX_GOOD = 25;
/** For a candidate that goes together with the values before it. */
const MAX_DRAWS = 100;

export const tpeSearcher: Searcher = (context) => {
  const { space, past, accepts } = context;
  const finished = past.filter(({ state }) => state !== 'running');
  if (finished.length < NUM_RANDOM) return randomSearcher(context);
  const good = new Set(rank(finished).slice(0, numGood(finished.length)));
  const stream = trialStream(context, 'tpe');
  const values: Record<string, JsonValue> = {};
  for (const part of partsOf(space)) {
    if (!Object.values(part).every((domain) => isActive(domain, values))) continue;
    const acceptsPart = accepts && ((drawn: TrialValues) => accepts({ ...values, ...drawn }));
    Object.assign(values, suggestPart(part, past, good, stream, acceptsPart));
  }
  return accepts === undefined || accepts(values) ? values : randomSearcher(context);
};

/** Options that have the same condition are suggested together: the others' values say when these have one. Conditions come after what they look at. */
function partsOf(space: Space): Space[] {
  const parts = new Map<string, Record<string, Domain>>();
  for (const name of orderedNames(space)) {
    const key = JSON.stringify(space[name].when ?? {});
    parts.set(key, { ...parts.get(key), [name]: space[name] });
  }
  return [...parts.values()];
}

function suggestPart(
  part: Space,
  past: readonly PastTrial[],
  good: ReadonlySet<PastTrial>,
  stream: Stream,
  accepts: Accepts | undefined,
): TrialValues {
  const [name] = Object.keys(part);
  const withPart = past.filter(({ values }) => Object.hasOwn(values, name));
  const valuesOf = (trials: readonly PastTrial[]) => trials.map(({ values }) => values);
  const likely = createParzenEstimator(part, valuesOf(withPart.filter((trial) => good.has(trial))));
  const unlikely = createParzenEstimator(part, valuesOf(withPart.filter((trial) => !good.has(trial))));
  const draw = () => likely.draw(stream);
  const candidates = Array.from(
    { length: NUM_CANDIDATES },
    () => acceptedDraw(draw, accepts, MAX_DRAWS) ?? draw(), // what is refused may be that options with conditions have no values yet
  );
  const gains = candidates.map((values) => likely.logDensity(values) - unlikely.logDensity(values));
  return candidates[gains.indexOf(Math.max(...gains))];
}

export function numGood(numFinished: number): number {
  return Math.min(MAX_GOOD, Math.ceil(0.1 * numFinished));
}

const STATES = ['complete', 'stopped', 'failed', 'waiting', 'running'];

/** Best first; older first where nothing tells them apart. */
export function rank<T extends Pick<PastTrial, 'score' | 'numSteps'> & { readonly state: string }>(
  trials: readonly T[],
): T[] {
  const scoreOf = ({ score }: T) => score ?? Number.NEGATIVE_INFINITY;
  return trials.toSorted((a, b) => {
    const byState = STATES.indexOf(a.state) - STATES.indexOf(b.state);
    if (byState !== 0) return byState;
    if (a.state === 'stopped' && a.numSteps !== b.numSteps) return b.numSteps - a.numSteps;
    const [first, second] = [scoreOf(a), scoreOf(b)];
    return first === second ? 0 : second - first;
  });
}
