/** Tells of a study while it runs: a line for each trial that ends; on a terminal, a table of the trials besides. */
import type { JsonObject } from '../json.ts';
import { formatCount, formatValue } from '../run/format-number.ts';
import { table } from '../run/text-table.ts';
import { rank } from '../tune/searchers/tpe.ts';
import { type Trial, valuesText } from '../tune/trial.ts';
import { createLiveTable } from './live-table.ts';
import type { Output } from './output.ts';

export interface TrialReport {
  readonly onChange: (trials: readonly Trial[]) => void;
  /** Before anything else is written. */
  readonly end: () => void;
}

/** Rows of the table: those that run, then the best. */
const MAX_ROWS = 12;

export function createTrialReport(output: Output): TrialReport {
  const live = output.human.isTTY === true && !output.isQuiet ? createLiveTable(output.human) : null;
  const told = new Set<number>();
  return {
    onChange: (trials) => {
      for (const trial of trials) {
        if (trial.state === 'running' || trial.state === 'waiting' || told.has(trial.number)) continue;
        told.add(trial.number);
        if (live === null) output.say(endLine(trial));
        else live.say(endLine(trial));
        output.emit({ type: 'trial', ...(trial as unknown as JsonObject) });
      }
      live?.show(tableLines(trials));
    },
    end: () => live?.end(),
  };
}

function endLine({ number, state, score, values, reason }: Trial): string {
  const shown = score === null ? '-' : formatValue(score);
  return `trial ${number} ${state}  score ${shown}  ${valuesText(values)}${reason === null ? '' : `  (${reason})`}`;
}

/** A summary, and the trials that are looked at most. */
export function tableLines(trials: readonly Trial[]): string[] {
  const count = (state: Trial['state']) => trials.filter((trial) => trial.state === state).length;
  const states = (['running', 'waiting', 'complete', 'stopped', 'failed'] as const).filter(
    (state) => count(state) > 0,
  );
  const head = `${trials.length} trials: ${states.map((state) => `${count(state)} ${state}`).join(', ')}`;
  const running = trials.filter(({ state }) => state === 'running');
  const best = rank(trials).filter(({ state, score }) => state !== 'running' && score !== null);
  const rows = [...running, ...best]
    .slice(0, MAX_ROWS)
    .map(({ number, state, numSteps, score, values }) => [
      ...[String(number), state, formatCount(numSteps), score === null ? '-' : formatValue(score)],
      valuesText(values),
    ]);
  if (rows.length === 0) return [head];
  return [head, ...table([['trial', 'state', 'steps', 'score', 'values'], ...rows]).split('\n')];
}
