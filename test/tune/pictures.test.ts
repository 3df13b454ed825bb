/** A study in pictures, and which options decided. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  choice,
  conditional,
  logUniform,
  type Space,
  type TrialValues,
  uniform,
} from '../../src/config/search-space.ts';
import { importances } from '../../src/tune/importance.ts';
import { randomSearcher } from '../../src/tune/searchers/random.ts';
import type { StudySettings } from '../../src/tune/settings.ts';
import { writePictures } from '../../src/tune/study-pictures.ts';
import { bestTrial, type Trial } from '../../src/tune/trial.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const SPACE: Space = {
  learningRate: logUniform(1e-5, 1e-1),
  gamma: uniform(0, 1),
  kind: choice(['<a>', 'b']),
  size: conditional(choice([1, 2]), { kind: ['b'] }),
};

/** 200 random trials whose score is what the function says. */
function trialsOf(scoreOf: (values: TrialValues) => number, count = 200): Trial[] {
  return Array.from({ length: count }, (_, number) => {
    const values = randomSearcher({ space: SPACE, seed: 0, number, past: [] }) as TrialValues;
    const score = scoreOf(values);
    return {
      ...{ number, values, firstValues: values, state: 'complete', scores: [score], score },
      ...{ steps: [8], numSteps: 8, clones: [], reason: null },
    } as const;
  });
}

it('the option that a score depends on is the important one', () => {
  for (const name of ['learningRate', 'gamma'] as const) {
    const scale = name === 'gamma' ? 1 : 4;
    const trials = trialsOf((values) => {
      const x = values[name] as number;
      return -(((name === 'gamma' ? x : (Math.log10(x) + 5) / scale) - 0.3) ** 2);
    });
    const [first, ...others] = importances(SPACE, trials) ?? [];
    expect(first.name).toBe(name);
    expect(first.share).toBeGreaterThan(0.8);
    expect(first.share + others.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
  }
  const byKind = importances(
    SPACE,
    trialsOf(({ kind, gamma }) => (kind === 'b' ? 1 : 0) + 0.001 * Number(gamma)),
  );
  expect(byKind?.slice(0, 2).map(({ name }) => name)).toContain('kind');
  expect(
    importances(
      SPACE,
      trialsOf(() => 1, 9),
    ),
  ).toBeNull();
});

it('pictures show what there is, in well-formed SVG, and go when it goes', async () => {
  const folder = temporaryFolder();
  const settings = {
    space: SPACE,
    metric: 'episodeReturnMean',
    mode: 'max',
    seedsPerTrial: 1,
  } as StudySettings;
  const trials = trialsOf(({ gamma }) => gamma as number, 20);
  const run = join(folder, 'trials', '0003', 'seed-0');
  mkdirSync(run, { recursive: true });
  const rows = [1, 2].map((k) => ({ numEnvSteps: 4 * k, 'rollout/episodeReturnMean': k }));
  writeFileSync(join(run, 'progress.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const clone = { source: 3, numSteps: 4, values: { ...trials[3].values, gamma: 1 } };
  const cloned = trials.map((trial) =>
    trial.number === 5 ? { ...trial, values: clone.values, score: 9, clones: [clone] } : trial,
  );
  const best = { ...trials[3], score: 10 };
  const all = cloned.map((trial) => (trial.number === 3 ? best : trial));
  const names = await writePictures(folder, settings, all, bestTrial(all));
  expect(names).toEqual(['history.svg', 'importance.svg', 'parallel.svg', 'curves.svg', 'lineage.svg']);
  for (const name of names) {
    const svg = readFileSync(join(folder, name), 'utf8');
    expect(svg).not.toMatch(/NaN|undefined|Infinity|<a>/);
    const opened = svg.match(/<(?!\/)[a-z]+[^>]*[^/]>/g)?.length;
    expect(svg.match(/<\/[a-z]+>/g)?.length).toBe(opened);
  }
  expect(readFileSync(join(folder, 'history.svg'), 'utf8').match(/<circle/g)).toHaveLength(20);
  expect(readFileSync(join(folder, 'parallel.svg'), 'utf8').match(/<polyline/g)).toHaveLength(20);
  expect(await writePictures(folder, settings, [], null)).toEqual([]);
  expect(existsSync(join(folder, 'history.svg'))).toBe(false);
});
