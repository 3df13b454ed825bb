/** ASHA beside no scheduler over many small studies of the same draws. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { choice } from '../../src/index.ts';
import type { Trial } from '../../src/tune/trial.ts';
import { median, pairedMedianInterval } from '../statistics.ts';
import { replayStudy } from './replay-study.ts';
import type { Section } from './report.ts';
import { COMMON, SPACE, type StudyRuns, sectionOf, type VariantResult } from './studies.ts';

const STUDY = { space: SPACE, trialSteps: 8_192, searcher: 'random', suggestionLag: 4 } as const;
const ASHA = { ...STUDY, reductionFactor: 4, scheduler: 'asha' } as const;
/** How many trials a study has, and from how many steps on ASHA looks at them: the first of these is what is asked, others stand beside it. */
const TASKS = {
  asha: { numTrials: 16, gracePeriods: [512] },
  'asha-60': { numTrials: 60, gracePeriods: [1_024, 512] },
} as const;
/** Of other schedulers. */
const UNREAD = { perturbationInterval: 1, quantile: 0.25, resampleProbability: 0.25 };
/** Of the median without a scheduler: how much less would be worse. */
const MARGIN = 0.1;

export async function compareAsha(name: keyof typeof TASKS, runs: StudyRuns): Promise<Section> {
  const { numTrials, gracePeriods } = TASKS[name];
  const none: VariantResult = { name: 'random', finals: [], steps: [] };
  const variants = gracePeriods.map((gracePeriod) => ({
    gracePeriod,
    result: { name: `random, asha from ${gracePeriod} steps on`, finals: [], steps: [] } as VariantResult,
  }));
  const folder = mkdtempSync(join(tmpdir(), 'operant-bench-asha-'));
  try {
    for (let seed = runs.firstStudy; seed < runs.firstStudy + runs.numStudies; seed++) {
      const out = join(folder, String(seed));
      const { best, final, trials } = await new runs.Tuner({
        ...{ ...COMMON, ...STUDY, numTrials, seed, out, parallel: runs.parallel },
      }).fit();
      none.finals.push(final?.mean ?? Number.NaN);
      none.steps.push(trials.reduce((sum, { numSteps }) => sum + numSteps, 0));
      const values = trials.map((trial) => trial.values);
      const finals = new Map([[best?.number, none.finals.at(-1) as number]]);
      for (const { gracePeriod, result } of variants) {
        const settings = { ...ASHA, ...UNREAD, numTrials, gracePeriod, seed };
        const replayed = await replayStudy(out, values, settings);
        const number = replayed.best?.number;
        if (!finals.has(number))
          finals.set(number, await judge(replayed.best, runs, `${out}-asha-${gracePeriod}`));
        result.finals.push(finals.get(number) as number);
        result.steps.push(replayed.numSteps);
      }
      const told = [none, ...variants.map(({ result }) => result)];
      const text = told.map(({ finals: all, steps }) => `${all.at(-1)} in ${steps.at(-1)} steps`).join(', ');
      process.stderr.write(`ASHA, seed ${seed}: ${text}\n`);
      rmSync(out, { recursive: true, force: true });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const title = `ASHA on PPO, CartPole-v1: ${none.finals.length} studies of ${numTrials} trials of 8,192 steps`;
  const results = variants.map(({ result }) => result);
  const note = results.map((result) => `${result.name}: ${verdict(none, result)}`).join('\n');
  return { ...sectionOf(title, [none, ...results]), note };
}

/** On the seeds that a study tries its best on: a study of these values alone. */
async function judge(trial: Trial | null, { Tuner, parallel }: StudyRuns, out: string): Promise<number> {
  if (trial === null) return Number.NaN;
  const { clipRange, ...training } = trial.values;
  const config = { ...COMMON.config, training };
  const space = { clipRange: choice([clipRange]) };
  const alone = { ...STUDY, space, config, numTrials: 1 };
  const { final } = await new Tuner({ ...COMMON, ...alone, out, parallel }).fit();
  return final?.mean ?? Number.NaN;
}

function verdict({ finals: none, steps: allSteps }: VariantResult, { finals, steps }: VariantResult): string {
  const [low, high] = pairedMedianInterval(finals, none);
  const bound = -MARGIN * median(none);
  const numAhead = finals.filter((value, k) => value > none[k]).length;
  const numLevel = finals.filter((value, k) => value === none[k]).length;
  const share = median(steps.map((count, k) => count / allSteps[k]));
  return (
    `difference of medians ${(median(finals) - median(none)).toFixed(1)}, 90 % bootstrap interval over pairs of studies ${low.toFixed(1)} to ${high.toFixed(1)}; ` +
    `no worse is a lower end above ${bound.toFixed(1)}: ${low > bound ? 'no worse' : 'not shown'}, with ${(100 * share).toFixed(0)} % of the steps. ` +
    `Ahead in ${numAhead} of ${none.length}, behind in ${none.length - numAhead - numLevel}, level (mostly the same best trial) in ${numLevel}.`
  );
}
