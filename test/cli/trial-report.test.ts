/** What a terminal shows of a running study. */
import { expect, it } from 'vitest';
import { createOutput } from '../../src/cli/output.ts';
import { createTrialReport } from '../../src/cli/trial-report.ts';
import type { Trial } from '../../src/tune/trial.ts';

const trial = (number: number, state: Trial['state'], score: number | null): Trial => ({
  ...{ number, state, score, values: { gamma: 0.9 }, firstValues: { gamma: 0.9 }, clones: [], reason: null },
  ...{ scores: [], steps: [], numSteps: 512 },
});

/** The lines that a terminal would show: a cursor that goes up, and what is below it is cleared. */
function terminal(columns: number) {
  let text = '';
  const write = (chunk: string) => {
    text += chunk;
    return true;
  };
  const screen = () => {
    const lines: string[] = [];
    for (const [, up, rest] of text.replaceAll('\u001b', '^').matchAll(/\r(?:\^\[(\d+)A)?\^\[J([^\r]*)/g)) {
      lines.splice(lines.length - Number(up ?? 0));
      lines.push(...rest.split('\n').slice(0, -1));
    }
    return lines;
  };
  return { stream: { write, isTTY: true, columns } as never, screen, raw: () => text };
}

it('draws the table in place, running trials first, under a line for each that ended', () => {
  const { stream, screen } = terminal(60);
  const report = createTrialReport(createOutput({ isJson: false, isQuiet: false }, stream, stream));
  report.onChange([trial(0, 'running', null), trial(1, 'waiting', 3)]);
  expect(screen()[0]).toBe('2 trials: 1 running, 1 waiting');
  report.onChange([trial(0, 'complete', 5), trial(1, 'waiting', 3), trial(2, 'running', null)]);
  const lines = screen();
  expect(lines[0]).toBe('trial 0 complete  score 5  gamma 0.9');
  expect(lines[1]).toBe('3 trials: 1 running, 1 waiting, 1 complete');
  expect(lines.slice(3).map((line) => line.trim().split(/ +/).slice(0, 2))).toEqual([
    ['2', 'running'],
    ['0', 'complete'],
    ['1', 'waiting'],
  ]);
  report.end();
  expect(screen()).toEqual(['trial 0 complete  score 5  gamma 0.9']);
});

it('cuts rows at the width of the terminal, and draws nothing where there is none', () => {
  const narrow = terminal(20);
  createTrialReport(createOutput({ isJson: false, isQuiet: false }, narrow.stream, narrow.stream)).onChange([
    trial(0, 'running', null),
  ]);
  expect(narrow.screen().every((line) => line.length < 20)).toBe(true);
  let text = '';
  const pipe = { write: (chunk: string) => (text += chunk) } as never;
  createTrialReport(createOutput({ isJson: false, isQuiet: false }, pipe, pipe)).onChange([
    trial(0, 'running', null),
    trial(1, 'complete', 5),
  ]);
  expect(text).toBe('trial 1 complete  score 5  gamma 0.9\n');
});
