import { describe, expect, it } from 'vitest';
import { flagsHelp, wrap } from '../../src/cli/help-text.ts';
import { describeError } from '../../src/cli/report-error.ts';
import { CheckpointError, ConfigError, EnvError } from '../../src/errors.ts';

describe('layout', () => {
  it('wraps at spaces', () => {
    expect(wrap('aa bb cc', 5)).toEqual(['aa bb', 'cc']);
    expect(wrap('aaaaaaa b', 5)).toEqual(['aaaaaaa', 'b']);
    expect(wrap('', 5)).toEqual(['']);
  });

  it('groups flags under their headings', () => {
    const help = flagsHelp([
      { name: 'seed', form: '<integer>', doc: 'Seed.', group: 'one' },
      { name: 'help', form: '', short: 'h', doc: 'Help.', group: 'two' },
      { name: 'a-flag-with-a-very-long-name', form: '<integer>', doc: 'Long.', group: 'one' },
    ]);
    expect(help.split('\n')).toEqual([
      'one:',
      '  --seed <integer>                Seed.',
      '  --a-flag-with-a-very-long-name <integer>',
      '                                  Long.',
      '',
      'two:',
      '  -h, --help                      Help.',
    ]);
  });
});

describe('describeError', () => {
  it.each<[string, unknown, number, string | null]>([
    ['a config error', new ConfigError('CONFIG_RANGE', 'Bad.'), 2, 'CONFIG_RANGE'],
    [
      'a checkpoint that is not there',
      new CheckpointError('CHECKPOINT_NOT_FOUND', 'No.'),
      2,
      'CHECKPOINT_NOT_FOUND',
    ],
    ['a damaged checkpoint', new CheckpointError('CHECKPOINT_CHECKSUM', 'Bits.'), 1, 'CHECKPOINT_CHECKSUM'],
    ['a failing environment', new EnvError('ENV_STEP', 'Threw.'), 1, 'ENV_STEP'],
    ['any other error', new TypeError('x is undefined'), 1, null],
    ['a thrown text', 'oops', 1, null],
  ])('%s', (_, error, exitCode, code) => {
    const report = describeError(error, false);
    expect([report.exitCode, report.code]).toEqual([exitCode, code]);
    expect(report.text).not.toMatch(/\n\s+at /);
  });

  it('shows the stacks of an error and its causes with --verbose only', () => {
    const error = new ConfigError('CONFIG_FILE', 'Outer.', { cause: new Error('Inner.') });
    expect(describeError(error, false).text).toBe('Outer.');
    expect(describeError(error, true).text).toMatch(
      /Outer\.\n\s+at .*[\s\S]*Caused by: Error: Inner\.\n\s+at /,
    );
  });
});
