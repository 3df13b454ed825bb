import { expect, test } from 'vitest';
import { CheckpointError } from '../../src/errors.ts';
import { limitRepeats } from '../../src/run/repeated-warnings.ts';
import type { RunWarning } from '../../src/run/run-callbacks.ts';

const warning = (
  message: string,
  kind: RunWarning['kind'] = 'callback',
  error: unknown = null,
): RunWarning => ({
  kind,
  message,
  error,
});

test('484 iterations on a full disk make four lines', () => {
  const told: string[] = [];
  const { warn, finish } = limitRepeats(({ message }) => void told.push(message));
  for (let k = 1; k <= 484; k++) {
    const error = new CheckpointError('CHECKPOINT_DISK_FULL', `No space left to write \`000${k}\``);
    warn(warning(`Checkpoint ${k} was not written`, 'checkpoint', error));
  }
  finish();
  expect(told).toEqual([
    'Checkpoint 1 was not written',
    'Checkpoint 10 was not written (10 such warnings so far)',
    'Checkpoint 100 was not written (100 such warnings so far)',
    'Checkpoint 484 was not written (484 such warnings in all)',
  ]);
});

test('what differs in more than numbers, or in its kind or code, is told each time', () => {
  const told: string[] = [];
  const { warn, finish } = limitRepeats(({ message }) => void told.push(message));
  warn(warning('the callback failed: 7 apples'));
  warn(warning('the callback failed: 8 apples'));
  warn(warning('the callback failed: 8 pears'));
  warn(warning('the callback failed: 8 pears', 'metrics'));
  warn(warning('not written', 'checkpoint', new CheckpointError('CHECKPOINT_DISK_FULL', 'full')));
  warn(warning('not written', 'checkpoint', new CheckpointError('CHECKPOINT_LOCKED', 'locked')));
  finish();
  expect(told).toEqual([
    'the callback failed: 7 apples',
    'the callback failed: 8 pears',
    'the callback failed: 8 pears',
    'not written',
    'not written',
    'the callback failed: 8 apples (2 such warnings in all)',
  ]);
});
