/** Searchers, held to Optuna's estimator and SciPy's Sobol points (fixtures/write_fixtures.py makes both). */
import { describe, expect, it } from 'vitest';
import {
  choice,
  conditional,
  int,
  logInt,
  logUniform,
  type Space,
  type TrialValues,
  uniform,
} from '../../src/config/search-space.ts';
import { openStream } from '../../src/random/streams.ts';
import { SEARCHERS } from '../../src/tune/searchers/by-name.ts';
import { gridSearcher, gridSize } from '../../src/tune/searchers/grid.ts';
import { normalMass } from '../../src/tune/searchers/normal.ts';
import { createParzenEstimator } from '../../src/tune/searchers/parzen.ts';
import { randomSearcher } from '../../src/tune/searchers/random.ts';
import type { PastTrial, Searcher } from '../../src/tune/searchers/searcher.ts';
import { sobolPoint, sobolSearcher } from '../../src/tune/searchers/sobol.ts';
import { numGood, rank, tpeSearcher } from '../../src/tune/searchers/tpe.ts';
import parzen from './fixtures/parzen.json' with { type: 'json' };
import sobol from './fixtures/sobol.json' with { type: 'json' };

const SPACE: Space = {
  learningRate: logUniform(1e-5, 1e-2),
  gamma: uniform(0.9, 0.999),
  numEpochs: int(1, 64),
  numEnvs: logInt(1, 64),
  kind: choice(['a', 'b', 'c']),
};
const KINDS = ['a', 'b', 'c'];

function rowsOf(columns: Record<string, number[]>): TrialValues[] {
  return columns.gamma.map((_, k) =>
    Object.fromEntries(
      Object.entries(columns).map(([name, values]) => [name, name === 'kind' ? KINDS[values[k]] : values[k]]),
    ),
  );
}

describe('the Parzen estimator', () => {
  it.each(parzen.map((fixture) => [fixture.observations.gamma.length, fixture] as const))(
    'has the density of Optuna with %i observations',
    (_, { observations, points, logDensities }) => {
      const estimator = createParzenEstimator(SPACE, rowsOf(observations));
      rowsOf(points).forEach((values, k) => {
        expect(estimator.logDensity(values)).toBeCloseTo(logDensities[k], 9);
      });
    },
  );

  it('draws values of the space whose frequencies are its density', () => {
    const space: Space = { numEpochs: int(1, 6), kind: choice(KINDS) };
    const estimator = createParzenEstimator(space, [
      { numEpochs: 2, kind: 'a' },
      { numEpochs: 3, kind: 'a' },
      { numEpochs: 6, kind: 'c' },
    ]);
    const stream = openStream(1, 'test');
    const counts = new Map<string, number>();
    const numDraws = 40_000;
    for (let n = 0; n < numDraws; n++) {
      const key = JSON.stringify(estimator.draw(stream));
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    let total = 0;
    for (let numEpochs = 1; numEpochs <= 6; numEpochs++) {
      for (const kind of KINDS) {
        const probability = Math.exp(estimator.logDensity({ numEpochs, kind }));
        total += probability;
        const share = (counts.get(JSON.stringify({ numEpochs, kind })) ?? 0) / numDraws;
        expect(Math.abs(share - probability)).toBeLessThan(5 * Math.sqrt(probability / numDraws));
      }
    }
    expect(total).toBeCloseTo(1, 12);
  });
});

it('knows the normal distribution, tails included', () => {
  expect(normalMass(-1.959963984540054, 1.959963984540054)).toBeCloseTo(0.95, 14);
  expect(normalMass(-1, 2)).toBeCloseTo(0.8185946141203637, 14);
  // P(Z > 10) = 7.61985302416e-24, P(Z > 11) = 1.9106595745e-28
  expect(normalMass(10, 11) / 7.6196619582e-24).toBeCloseTo(1, 9);
  expect(normalMass(-11, -10)).toBe(normalMass(10, 11));
});

describe('the Sobol sequence', () => {
  it('is that of Joe and Kuo in 16 dimensions', () => {
    sobol.forEach((point, n) => {
      expect(sobolPoint(n, 16).map((bits) => bits / 2 ** 32)).toEqual(point);
    });
  });

  it('puts one of 32 shifted points into each of 32 equal parts of every range', () => {
    const space: Space = { a: uniform(0, 32), b: uniform(0, 32), c: uniform(0, 32) };
    for (const name of Object.keys(space)) {
      const cells = suggest(sobolSearcher, space, 32).map((values) => Math.floor(values[name] as number));
      expect(new Set(cells).size).toBe(32);
    }
  });
});

/** The first trials of a study that knows no results. */
function suggest(searcher: Searcher, space: Space, count: number, seed = 0): TrialValues[] {
  return Array.from(
    { length: count },
    (_, number) => searcher({ space, seed, number, past: [] }) as TrialValues,
  );
}

describe('grid', () => {
  it('goes through every combination once, then ends', () => {
    const space: Space = { a: choice([1, 2]), b: int(3, 5) };
    const values = suggest(gridSearcher, space, 6).map(({ a, b }) => [a, b]);
    expect(values).toEqual([1, 2].flatMap((a) => [3, 4, 5].map((b) => [a, b])));
    expect(gridSearcher({ space, seed: 0, number: 6, past: [] })).toBeNull();
  });

  it('asks for values where there are too many', () => {
    expect(() => suggest(gridSearcher, { a: uniform(0, 1) }, 1)).toThrow(
      expect.objectContaining({ code: 'CONFIG_SPACE' }),
    );
  });
});

describe('a conditional space', () => {
  const space: Space = {
    size: conditional(int(1, 3), { kind: ['a'] }),
    kind: choice(['a', 'b', 'c']),
    depth: conditional(choice([7, 8]), { size: [2, 3] }),
  };
  const isRight = (values: TrialValues) =>
    'size' in values === (values.kind === 'a') && 'depth' in values === Number(values.size) >= 2;

  it('has a grid of the combinations that there are', () => {
    const values = suggest(gridSearcher, space, gridSize(space));
    expect(values).toEqual([
      { kind: 'a', size: 1 },
      ...[2, 3].flatMap((size) => [7, 8].map((depth) => ({ kind: 'a', size, depth }))),
      { kind: 'b' },
      { kind: 'c' },
    ]);
    expect(gridSearcher({ space, seed: 0, number: 7, past: [] })).toBeNull();
  });

  it.each(Object.entries(SEARCHERS))(
    '%s gives an option a value exactly where its condition holds',
    (name, searcher) => {
      const past: PastTrial[] = [];
      const count = name === 'grid' ? 7 : 40;
      for (let number = 0; number < count; number++) {
        const values = searcher({ space, seed: 0, number, past }) as TrialValues;
        past.push({ values, state: 'complete', score: Number(values.depth ?? 0), numSteps: 1 });
      }
      expect(past.every(({ values }) => isRight(values))).toBe(true);
      expect(new Set(past.map(({ values }) => values.kind)).size).toBe(3);
      // tpe finds that depth 8 is best, two conditions down
      const numBest = past.slice(20).filter(({ values }) => values.depth === 8).length;
      if (name === 'tpe') expect(numBest).toBeGreaterThan(10);
    },
  );
});

describe('random', () => {
  it('fills each domain evenly, also over trials with neighbouring numbers', () => {
    const values = suggest(randomSearcher, SPACE, 4000);
    const share = (test: (values: TrialValues) => boolean) => values.filter(test).length / values.length;
    expect(share(({ learningRate }) => (learningRate as number) < 1e-4)).toBeCloseTo(1 / 3, 1);
    expect(share(({ numEpochs }) => numEpochs === 1)).toBeCloseTo(1 / 64, 2);
    expect(share(({ kind }) => kind === 'c')).toBeCloseTo(1 / 3, 1);
    const steps = values.map(({ gamma }, k) =>
      k === 0 ? 0 : (gamma as number) - (values[k - 1].gamma as number),
    );
    expect(new Set(steps.map((step) => step.toFixed(4))).size).toBeGreaterThan(900);
  });

  it('depends on the seed', () => {
    expect(suggest(randomSearcher, SPACE, 2, 1)).not.toEqual(suggest(randomSearcher, SPACE, 2, 2));
  });
});

describe('tpe', () => {
  it('has a best tenth, 25 at most', () => {
    expect([10, 11, 100, 1000].map(numGood)).toEqual([1, 2, 10, 25]);
  });

  it('ranks complete trials before stopped ones, and those by how far they went', () => {
    const trial = (state: PastTrial['state'], score: number | null, numSteps: number): PastTrial => ({
      values: {},
      state,
      score,
      numSteps,
    });
    const failed = trial('failed', null, 0);
    const early = trial('stopped', 9, 10);
    const late = trial('stopped', 2, 20);
    const bad = trial('complete', 1, 40);
    const good = trial('complete', 3, 40);
    expect(rank([failed, early, late, bad, good])).toEqual([good, bad, late, early, failed]);
  });

  it('finds the best of a mixed space better than random draws do', () => {
    const medians = [tpeSearcher, randomSearcher].map((searcher) => {
      const bests = Array.from({ length: 9 }, (_, seed) => bestLoss(searcher, seed)).sort((a, b) => a - b);
      return bests[4];
    });
    expect(medians[0]).toBeLessThan(medians[1] / 2);
  });
});

/** The least loss of 60 trials: squared distances from one point, and 0.3 for each wrong choice. */
function bestLoss(searcher: Searcher, seed: number): number {
  const past: PastTrial[] = [];
  for (let number = 0; number < 60; number++) {
    const values = searcher({ space: SPACE, seed, number, past }) as Record<string, number>;
    const loss =
      (Math.log10(values.learningRate) + 3.5) ** 2 +
      (10 * (values.gamma - 0.98)) ** 2 +
      ((values.numEpochs - 7) / 10) ** 2 +
      (values.kind === ('b' as never) ? 0 : 0.3);
    past.push({ values, state: 'complete', score: -loss, numSteps: 1 });
  }
  return Math.min(...past.map(({ score }) => -(score as number)));
}
