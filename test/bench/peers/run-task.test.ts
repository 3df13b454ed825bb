/** What is kept of a contestant that fails. */
import { describe, expect, test } from 'vitest';
import { runTask } from '../../../bench/peers/run-task.ts';

const task = { kind: 'update', network: 'mlp', rows: 64, seconds: 1, seed: 0, compiled: false } as const;
const errorAfter = async (script: string) => {
  const command = { program: process.execPath, args: ['-e', script], environment: {} };
  return (await runTask(command, task, 30_000)).answer.error;
};

describe('the error of a contestant', () => {
  test('is the first line of what it answers, without folders and without what ends a cell', async () => {
    const error = 'CompileError: /home/me/.cache/x+y/main.so: too short | broken\n\nSet VERBOSE=1 for more';
    const answer = JSON.stringify({ error });
    expect(await errorAfter(`console.log(${JSON.stringify(answer)})`)).toBe(
      'CompileError: main.so: too short / broken',
    );
  });

  test('keeps addresses and fractions whole', async () => {
    const answer = JSON.stringify({ error: 'took 3/4 of https://example.org/a/b' });
    expect(await errorAfter(`console.log(${JSON.stringify(answer)})`)).toBe(
      'took 3/4 of https://example.org/a/b',
    );
  });

  test('is the last line that it complained of when it answers nothing', async () => {
    expect(await errorAfter("console.error('first'); console.error('last'); process.exit(1)")).toBe('last');
    expect(await errorAfter('')).toBe('no answer');
  });
});
