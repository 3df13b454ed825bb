/**
 * The tree-structured Parzen estimator: draw where good trials were and bad ones were not.
 *
 * The first 10 trials are random. Then the trials so far are split into the best tenth (at most 25) and the rest, an estimator is fitted to
 * each, l and g, and of 24 draws from l the one with the largest log l - log g is taken. Complete trials come first, by score;
 * then stopped ones, those that went further first; then failed ones. Running trials count as bad, so that trials side by side differ
 * (the constant liar).
 *
 * Bergstra et al. (2011), "Algorithms for Hyper-Parameter Optimization", with the multivariate kernels and constants of Optuna 5.0.
 * Departure: a failed trial counts as worse than every other, where Optuna leaves it out.
 */
import { createParzenEstimator } from './parzen.ts';
import { randomSearcher } from './random.ts';
import { type PastTrial, type Searcher, trialStream } from './searcher.ts';

const NUM_RANDOM = 10;
const NUM_CANDIDATES = 24;
const MAX_GOOD = 25;

export const tpeSearcher: Searcher = (context) => {
  const { space, past } = context;
  const finished = past.filter(({ state }) => state !== 'running');
  if (finished.length < NUM_RANDOM) return randomSearcher(context);
  const good = new Set(rank(finished).slice(0, numGood(finished.length)));
  const valuesOf = (trials: readonly PastTrial[]) => trials.map(({ values }) => values);
  const likely = createParzenEstimator(space, valuesOf(past.filter((trial) => good.has(trial))));
  const unlikely = createParzenEstimator(space, valuesOf(past.filter((trial) => !good.has(trial))));
  const stream = trialStream(context, 'tpe');
  const candidates = Array.from({ length: NUM_CANDIDATES }, () => likely.draw(stream));
  const gains = candidates.map((values) => likely.logDensity(values) - unlikely.logDensity(values));
  return candidates[gains.indexOf(Math.max(...gains))];
};

export function numGood(numFinished: number): number {
  return Math.min(MAX_GOOD, Math.ceil(0.1 * numFinished));
}

const STATES = ['complete', 'stopped', 'failed', 'running'];

/** Best first; older first where nothing tells them apart. */
export function rank(trials: readonly PastTrial[]): PastTrial[] {
  const scoreOf = ({ score }: PastTrial) => score ?? Number.NEGATIVE_INFINITY;
  return trials.toSorted((a, b) => {
    const byState = STATES.indexOf(a.state) - STATES.indexOf(b.state);
    if (byState !== 0) return byState;
    if (a.state === 'stopped' && a.numSteps !== b.numSteps) return b.numSteps - a.numSteps;
    const [first, second] = [scoreOf(a), scoreOf(b)];
    return first === second ? 0 : second - first;
  });
}
