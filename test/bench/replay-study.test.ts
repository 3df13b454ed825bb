/** A scheduler's study made of the logs of trials that ran through. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { replayStudy } from '../../bench/tune/replay-study.ts';
import { uniform } from '../../src/config/search-space.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** Scores at 2, 4 and 8 steps. */
const SCORES = [
  [5, 6, 7],
  [4, 9, 9],
  [6, 6, 6],
  [1, 1, 99],
];

function studyFolder(): string {
  const folder = temporaryFolder();
  for (const [number, scores] of SCORES.entries()) {
    const run = join(folder, 'trials', `000${number}`, 'seed-0');
    mkdirSync(run, { recursive: true });
    const rows = scores.map((score, k) => ({
      numEnvSteps: 2 ** (k + 1),
      'rollout/episodeReturnMean': score,
    }));
    writeFileSync(join(run, 'progress.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  }
  return folder;
}

it('stops whom ASHA would have stopped, and takes the best of the others', async () => {
  const values = SCORES.map((_, gamma) => ({ gamma }));
  const settings = {
    ...{ space: { gamma: uniform(0, 4) }, searcher: 'random', seed: 0, numTrials: 4, trialSteps: 8 },
    ...{ gracePeriod: 2, reductionFactor: 2, suggestionLag: 0, scheduler: 'asha' as const },
    ...{ perturbationInterval: 1, quantile: 0.25, resampleProbability: 0.25 },
  };
  const { best, numSteps } = await replayStudy(studyFolder(), values, settings);
  // one machine, so trials come one after the other: 0 is first at each rung, 1 is below 5 at 2, 2 is above at 2 and level with 6 at 4, 3 is below at 2
  expect([best?.number, best?.score, numSteps]).toEqual([0, 7, 8 + 2 + 8 + 2]);
  const none = await replayStudy(studyFolder(), values, { ...settings, scheduler: 'none' });
  expect([none.best?.number, none.numSteps]).toEqual([3, 32]);
});
