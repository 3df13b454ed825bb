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

const STUDY = {
  space: SPACE,
  numTrials: 16,
  trialSteps: 8_192,
  searcher: 'random',
  suggestionLag: 4,
} as const;
const ASHA = { ...STUDY, gracePeriod: 512, reductionFactor: 4, scheduler: 'asha' } as const;
/** Of other schedulers. */
const UNREAD = { perturbationInterval: 1, quantile: 0.25, resampleProbability: 0.25 };
/** Of the median without a scheduler: how much less would be worse. */
const MARGIN = 0.1;

export async function compareAsha(runs: StudyRuns): Promise<Section> {
  const none: VariantResult = { name: 'random', finals: [], steps: [] };
  const asha: VariantResult = { name: 'random, asha', finals: [], steps: [] };
  const folder = mkdtempSync(join(tmpdir(), 'operant-bench-asha-'));
  try {
    for (let seed = runs.firstStudy; seed < runs.firstStudy + runs.numStudies; seed++) {
      const out = join(folder, String(seed));
      const { best, final, trials } = await new runs.Tuner({
        ...{ ...COMMON, ...STUDY, seed, out, parallel: runs.parallel },
      }).fit();
      none.finals.push(final?.mean ?? Number.NaN);
      none.steps.push(trials.reduce((sum, { numSteps }) => sum + numSteps, 0));
      const values = trials.map((trial) => trial.values);
      const replayed = await replayStudy(out, values, { ...ASHA, ...UNREAD, seed });
      const isSame = replayed.best?.number === best?.number;
      asha.finals.push(
        isSame ? none.finals[none.finals.length - 1] : await judge(replayed.best, runs, `${out}-asha`),
      );
      asha.steps.push(replayed.numSteps);
      process.stderr.write(
        `ASHA, seed ${seed}: ${none.finals.at(-1)}, ${asha.finals.at(-1)}; ${asha.steps.at(-1)} steps\n`,
      );
      rmSync(out, { recursive: true, force: true });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const title = `ASHA on PPO, CartPole-v1: ${none.finals.length} studies of ${STUDY.numTrials} trials of 8,192 steps, from 512 steps on`;
  return { ...sectionOf(title, [none, asha]), note: verdict(none.finals, asha.finals) };
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

function verdict(none: readonly number[], asha: readonly number[]): string {
  const [low, high] = pairedMedianInterval(asha, none);
  const bound = -MARGIN * median(none);
  const numAhead = asha.filter((value, k) => value > none[k]).length;
  const numLevel = asha.filter((value, k) => value === none[k]).length;
  return (
    `Difference of medians ${(median(asha) - median(none)).toFixed(1)}, 90 % bootstrap interval over pairs of studies ${low.toFixed(1)} to ${high.toFixed(1)}; ` +
    `no worse is a lower end above ${bound.toFixed(1)}: ${low > bound ? 'no worse' : 'not shown'}. ` +
    `ASHA is ahead in ${numAhead} of ${none.length}, behind in ${none.length - numAhead - numLevel}, and has the same best trial in ${numLevel}.`
  );
}
