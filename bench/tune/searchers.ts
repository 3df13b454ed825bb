/** Searchers on a space whose best is known, beside Optuna's. */
import { spawnSync } from 'node:child_process';
import { cpuUsage } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { TrialValues } from '../../src/config/search-space.ts';
import { randomSearcher } from '../../src/tune/searchers/random.ts';
import type { PastTrial, Searcher } from '../../src/tune/searchers/searcher.ts';
import { sobolSearcher } from '../../src/tune/searchers/sobol.ts';
import { tpeSearcher } from '../../src/tune/searchers/tpe.ts';
import { MIXED_SPACE, mixedLoss } from './mixed-space.ts';
import { quartiles, type Section } from './report.ts';

const NUM_SEEDS = 40;
const NUM_TRIALS = 100;

interface Bests {
  readonly bests: readonly number[];
  /** Of a study. */
  readonly cpuSeconds: number;
}

export function compareSearchers(python: string): Section {
  const rows = Object.entries({ tpe: tpeSearcher, random: randomSearcher, sobol: sobolSearcher }).map(
    ([name, searcher]) => [name, ours(searcher)] as const,
  );
  const optuna = optunas(python);
  const all = [...rows, ...(optuna === null ? [] : optuna)];
  return {
    title: `Searchers: best loss of ${NUM_TRIALS} trials on a mixed space of 9 options, ${NUM_SEEDS} seeds (0 is the best there is)`,
    head: ['searcher', 'median', 'quartiles', 'processor time of a study'],
    rows: all.map(([name, { bests, cpuSeconds }]) => [
      name,
      ...quartiles(bests),
      `${cpuSeconds.toFixed(2)} s`,
    ]),
    note: optuna === null ? `Without Optuna: \`${python}\` has none (--python names another).` : '',
  };
}

function ours(searcher: Searcher): Bests {
  const begin = cpuUsage();
  const bests = Array.from({ length: NUM_SEEDS }, (_, seed) => {
    const past: PastTrial[] = [];
    for (let number = 0; number < NUM_TRIALS; number++) {
      const values = searcher({ space: MIXED_SPACE, seed, number, past }) as TrialValues;
      past.push({ values, state: 'complete', score: -mixedLoss(values), numSteps: 1 });
    }
    return Math.min(...past.map(({ score }) => -(score as number)));
  });
  const { user, system } = cpuUsage(begin);
  return { bests, cpuSeconds: (user + system) / 1e6 / NUM_SEEDS };
}

/** null where there is no Optuna. */
function optunas(python: string): (readonly [string, Bests])[] | null {
  const script = fileURLToPath(new URL('optuna_studies.py', import.meta.url));
  const { status, stdout } = spawnSync(python, [script, String(NUM_SEEDS), String(NUM_TRIALS)], {
    encoding: 'utf8',
  });
  if (status !== 0) return null;
  const { version, tpe, random } = JSON.parse(stdout) as { version: string; tpe: Bests; random: Bests };
  return [
    [`Optuna ${version}, TPE`, tpe],
    [`Optuna ${version}, random`, random],
  ];
}
