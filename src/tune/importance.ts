/** Which options decided. */
import type { Domain, Space } from '../config/search-space.ts';
import { createParzenEstimator } from './searchers/parzen.ts';
import { valueAt } from './searchers/random.ts';
import { numGood, rank } from './searchers/tpe.ts';
import type { Trial } from './trial.ts';

const MIN_TRIALS = 10;
const NUM_CELLS = 50;

/**
 * How differently the best tenth of the trials is spread along each option from all of them: the Pearson divergence
 * sum over cells of (p - q)^2 / q, p and q being the masses of Parzen estimators, as shares of the sum over the options. An option whose condition seldom holds
 * is judged by the trials that had it. Correlation, no cause: what a searcher never tried it cannot find important.
 *
 * Watanabe et al. (2023), "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary Subspaces", in one dimension.
 *
 * @returns shares, greatest first; null of fewer than 10 finished trials.
 */
export function importances(
  space: Space,
  trials: readonly Trial[],
): { readonly name: string; readonly share: number }[] | null {
  const finished = trials.filter(({ state }) => state === 'complete' || state === 'stopped');
  if (finished.length < MIN_TRIALS) return null;
  const good = new Set(rank(finished).slice(0, numGood(finished.length)));
  const divergences = Object.entries(space).map(([name, domain]) => {
    const having = finished.filter(({ firstValues }) => Object.hasOwn(firstValues, name));
    return {
      name,
      share: divergence(
        name,
        domain,
        having.filter((trial) => good.has(trial)),
        having,
      ),
    };
  });
  const sum = divergences.reduce((total, { share }) => total + share, 0) || 1;
  return divergences
    .map(({ name, share }) => ({ name, share: share / sum }))
    .sort((a, b) => b.share - a.share);
}

function divergence(name: string, domain: Domain, good: readonly Trial[], all: readonly Trial[]): number {
  if (good.length === 0) return 0;
  const cells = cellsOf(domain).map((value) => ({ [name]: value }));
  const [p, q] = [good, all].map((trials) => {
    const observed = trials.map(({ firstValues }) => ({ [name]: firstValues[name] }));
    const estimator = createParzenEstimator({ [name]: domain }, observed);
    const densities = cells.map((values) => Math.exp(estimator.logDensity(values)));
    const mass = densities.reduce((total, density) => total + density, 0);
    return densities.map((density) => density / mass);
  });
  return p.reduce((total, mass, k) => total + (mass - q[k]) ** 2 / q[k], 0);
}

/** Values that stand for equal parts of a domain (of the logarithm with one); of few integers and of choices, all of them once. */
function cellsOf(domain: Domain) {
  if (domain.kind === 'choice') return domain.choices;
  const values = Array.from({ length: NUM_CELLS }, (_, k) => valueAt(domain, (k + 0.5) / NUM_CELLS));
  return [...new Set(values)];
}
