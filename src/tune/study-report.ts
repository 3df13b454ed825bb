/** A study told in Markdown. */
import { type SeedStatistics, seedsText } from './many-seeds.ts';
import { rank } from './searchers/tpe.ts';
import type { StudySettings } from './settings.ts';
import { PICTURES, type PictureName } from './study-pictures.ts';
import { type Trial, valuesText } from './trial.ts';

export interface StudyOutcome {
  readonly settings: StudySettings;
  readonly trials: readonly Trial[];
  readonly best: Trial | null;
  readonly final: SeedStatistics | null;
  /** Combinations of a grid that the algorithm refuses. */
  readonly numRefused: number;
  /** What lies beside the report. */
  readonly pictures: readonly PictureName[];
}

export function studyReport({ settings, trials, best, final, numRefused, pictures }: StudyOutcome): string {
  const count = (state: Trial['state']) => trials.filter((trial) => trial.state === state).length;
  const numSteps = trials.reduce((sum, trial) => sum + trial.numSteps * settings.seedsPerTrial, 0);
  const metricOf = (trial: Trial) => metricText(trial.score, settings.mode);
  const lines = [
    `# Study of ${settings.algorithm}`,
    '',
    `${trials.length} trials of ${settings.trialSteps} environment steps (${settings.searcher}, ${settings.scheduler}, seed ${settings.seed}): ` +
      `${count('complete')} complete, ${count('stopped')} stopped, ${count('failed')} failed, ${count('running')} not finished; ${numSteps} steps in all.`,
    '',
    best === null
      ? 'No trial is complete.'
      : `Best: trial ${best.number}, ${settings.metric} ${metricOf(best)}, with ${valuesText(best.values)}.`,
  ];
  if (final !== null) {
    const numFailed = settings.finalSeeds - final.numSeeds;
    lines.push(
      '',
      `Again on ${final.numSeeds} seeds that no trial had${numFailed === 0 ? '' : ` (${numFailed} more failed)`}: ${seedsText(final, number)}. ` +
        'That is the number to quote: the score of a winner is optimistic.',
    );
  }
  if (numRefused > 0)
    lines.push(
      '',
      `${numRefused} combinations more are in the grid, which ${settings.algorithm} refuses: they were left out.`,
    );
  lines.push('', '| trial | state | steps | score | values |', '|---:|---|---:|---:|---|');
  for (const trial of rank(trials)) {
    const state = trial.reason === null ? trial.state : `${trial.state}: ${trial.reason.split('\n')[0]}`;
    lines.push(
      `| ${trial.number} | ${state.replaceAll('|', '\\|')} | ${trial.numSteps} | ${metricOf(trial)} | ${valuesText(trial.values)} |`,
    );
  }
  for (const name of pictures) lines.push('', `![${PICTURES[name]}](${name})`, '', `${PICTURES[name]}.`);
  return `${lines.join('\n')}\n`;
}

function metricText(score: number | null, mode: 'max' | 'min'): string {
  return score === null ? '-' : number(mode === 'max' ? score : -score);
}

function number(value: number): string {
  return String(Number(value.toPrecision(5)));
}
