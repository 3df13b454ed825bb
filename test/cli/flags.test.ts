import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FlagSpec, parseFlags, peekFlag } from '../../src/cli/flags.ts';
import { ConfigError } from '../../src/errors.ts';

const SPECS: readonly FlagSpec[] = [
  { name: 'seed', form: '<integer>', doc: 'Seed.' },
  { name: 'stop-return', form: '<number>', doc: 'Return.' },
  { name: 'learning-rate', form: '<number>', doc: 'Rate.', alsoCalled: ['lr', 'learning_rate'] },
  { name: 'json', form: '', doc: 'JSON.' },
  { name: 'tensorboard', form: '', doc: 'Events.' },
  { name: 'help', form: '', short: 'h', doc: 'Help.' },
];

const parse = (...argv: string[]) => Object.fromEntries(parseFlags(argv, SPECS));

describe('parseFlags', () => {
  it('reads values, inline values and switches', () => {
    expect(parse('--seed', '3', '--stop-return=475', '--json')).toEqual({
      seed: '3',
      'stop-return': '475',
      json: 'true',
    });
    expect(parse()).toEqual({});
    expect(parse('-h')).toEqual({ help: 'true' });
  });

  it('takes a negative number as a value', () => {
    expect(parse('--stop-return', '-200')).toEqual({ 'stop-return': '-200' });
    expect(parse('--stop-return=-200')).toEqual({ 'stop-return': '-200' });
  });

  it('turns switches off', () => {
    expect(parse('--no-tensorboard')).toEqual({ tensorboard: 'false' });
    expect(parse('--tensorboard=false')).toEqual({ tensorboard: 'false' });
    expect(parse('--tensorboard=true')).toEqual({ tensorboard: 'true' });
  });

  it('lets the last of a repeated flag count', () => {
    expect(parse('--seed', '1', '--seed', '2')).toEqual({ seed: '2' });
    expect(parse('--tensorboard', '--no-tensorboard')).toEqual({ tensorboard: 'false' });
  });

  it('takes an empty value when it is inline', () => {
    expect(parse('--seed=')).toEqual({ seed: '' });
  });

  it.each([
    [['--sed', '3'], 'Unknown flag --sed. Did you mean --seed?'],
    [['--lr', '0.1'], 'Unknown flag --lr. Did you mean --learning-rate?'],
    [['--learning_rate=1'], 'Unknown flag --learning_rate. Did you mean --learning-rate?'],
    [['--learningRate', '1'], 'Unknown flag --learningRate. Did you mean --learning-rate?'],
    [['--no-tensorbord'], 'Unknown flag --no-tensorbord. Did you mean --no-tensorboard?'],
    [['--no-seed'], 'Unknown flag --no-seed. --help lists the flags.'],
    [['--quux'], 'Unknown flag --quux. --help lists the flags.'],
    [['-x'], 'Unknown flag -x. --help lists the flags.'],
    [['--seed'], '--seed needs a value: --seed <integer>.'],
    [['--seed', '--json'], '--seed needs a value: --seed <integer>.'],
    [['--json=1'], '--json is a switch and takes no value, got `1`: write --json or --no-json.'],
    [['--no-json=true'], '--no-json is a switch and takes no value'],
    [['CartPole'], 'Unexpected argument `CartPole`. Values belong to flags, such as --env CartPole.'],
    [['--json', 'true'], 'Unexpected argument `true`.'],
  ])('refuses %j', (argv, message) => {
    expect(() => parse(...argv)).toThrow(ConfigError);
    expect(() => parse(...argv)).toThrow(message);
  });

  it('lists every mistake, one line each', () => {
    let message = '';
    try {
      parse('--sed', '3', '--json=5', 'foo');
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message.split('\n').map((line) => line.split(/[ .]/, 3).join(' '))).toEqual([
      'Unknown flag --sed',
      '--json is a',
      'Unexpected argument `foo`',
    ]);
  });

  it('gives values or a ConfigError for any arguments', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('--seed', '--seed=', '--', '---', '-', '--no-', '--no-no-json', '--=', '-h', '-hs'),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
        try {
          for (const value of parseFlags(argv, SPECS).values()) expect(typeof value).toBe('string');
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('peekFlag', () => {
  it.each([
    [['--algo', 'ppo'], 'ppo'],
    [['--algo=ppo'], 'ppo'],
    [['--seed', '1', '--algo', 'a', '--algo=b'], 'b'],
    [['--algo=b', '--algo', 'a'], 'a'],
    [['--algo'], undefined],
    [['--algo', '--json'], undefined],
    [['--algorithm', 'x'], undefined],
    [[], undefined],
  ])('in %j is %j', (argv, value) => {
    expect(peekFlag(argv, 'algo')).toBe(value);
  });
});
