import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ppoOptions } from '../../algorithms/ppo/config.ts';
import { ppo } from '../../algorithms/ppo/index.ts';
import { configFromFlags, optionFlags } from '../../src/cli/option-flags.ts';
import { configToJson, listOptions } from '../../src/config/option.ts';
import { ConfigError } from '../../src/errors.ts';

const OPTIONS = listOptions(ppoOptions);
const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withSparseArray: true,
  withNullPrototype: true,
  withTypedArray: true,
});
const circular = fc.constant(null).map(() => {
  const object: Record<string, unknown> = {};
  object.self = object;
  return object;
});
const wild = fc.oneof(
  anything,
  circular,
  fc.double(),
  fc.integer(),
  fc.string(),
  fc.constant(Symbol('s')),
  fc.func(anything),
);

/** True when it resolved; false for a ConfigError whose message says something; anything else fails the test. */
function resolves(values: unknown): boolean {
  try {
    ppo.resolve([{ values }]);
    return true;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.code).toMatch(/^CONFIG_/);
    for (const line of error.message.split('\n')) expect(line.length).toBeGreaterThan(20);
    return false;
  }
}

describe('any config at all', () => {
  it('resolves or gives a ConfigError: wild values for real options', () => {
    const setting = fc.tuple(fc.constantFrom(...OPTIONS), wild);
    fc.assert(
      fc.property(fc.array(setting, { minLength: 1, maxLength: 4 }), (settings) => {
        const values: Record<string, Record<string, unknown>> = { environment: { env: 'CartPole' } };
        for (const [{ section, name }, value] of settings) {
          values[section] = { ...values[section], [name]: value };
        }
        resolves(values);
      }),
      { numRuns: 3000 },
    );
  });

  it('resolves or gives a ConfigError: wild sections and wild configs', () => {
    const keys = fc.oneof(
      fc.constantFrom(...Object.keys(ppoOptions), '__proto__', 'constructor', 'toString'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.oneof(wild, fc.dictionary(keys, wild)), (values) => void resolves(values)),
      {
        numRuns: 3000,
      },
    );
  });

  it('refuses an unknown key whatever its value', () => {
    const key = fc.oneof(
      fc.string(),
      fc.constantFrom('__proto__x', 'constructor', 'hasOwnProperty', 'valueOf'),
    );
    const section = fc.constantFrom(...Object.keys(ppoOptions));
    fc.assert(
      fc.property(section, key, fc.jsonValue(), (name, unknownKey, value) => {
        fc.pre(!Object.hasOwn(ppoOptions[name as 'training'], unknownKey) && unknownKey !== '__proto__');
        expect(resolves({ environment: { env: 'a' }, [name]: { env: 'a', [unknownKey]: value } })).toBe(
          false,
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('refuses a value outside of its bounds, naming the option, the bound and the value', () => {
    const cases: readonly (readonly [string, string, unknown, string])[] = [
      ['training', 'gamma', 1.5, 'Expected `gamma` to be a number in [0, 1], got `1.5` (number).'],
      ['training', 'gamma', '0.9', 'got `0.9` (string).'],
      ['training', 'gamma', Number.NaN, 'got `NaN` (number).'],
      ['training', 'adamBeta1', 1, 'a number in [0, 1), got `1` (number).'],
      ['training', 'adamEpsilon', 0, 'a number > 0, got `0` (number).'],
      ['training', 'numEpochs', 2.5, 'an integer in [1, 1000], got `2.5` (number).'],
      ['training', 'hiddenSizes', [64, 0], 'a list of integers in [1, 65536], got `[64,0]` (array).'],
      ['training', 'valueLoss', 'l2', "one of 'mse', 'huber', got `l2` (string)."],
      ['training', 'targetKl', -1, 'a number > 0, or null, got `-1` (number).'],
      ['training', 'learningRate', -1, 'a number >= 0, or a schedule'],
      ['training', 'clipRange', { schedule: 'linear', from: 2, to: 0 }, 'a number in [0, 1], or a schedule'],
      [
        'training',
        'learningRate',
        {
          schedule: 'piecewise',
          points: [
            [5, 1],
            [5, 2],
          ],
        },
        'ascending steps',
      ],
      ['training', 'learningRate', { schedule: 'piecewise', points: [] }, 'ascending steps'],
      ['training', 'learningRate', { schedule: 'linear', from: 1, to: 0, steps: 5 }, 'a schedule'],
      ['envRunners', 'numEnvRunners', 'all', "'auto' or an integer in [0, 256], got `all` (string)."],
      ['environment', 'envOptions', [1], 'an object of JSON values, got `[1]` (array).'],
      ['environment', 'env', ' ', 'an environment id'],
      ['debugging', 'seed', 2 ** 32, 'an integer in [0, 4294967295], got `4294967296` (number).'],
      ['reporting', 'csv', 1, 'true or false, got `1` (number).'],
    ];
    for (const [section, name, value, expected] of cases) {
      const call = () =>
        ppo.resolve([{ values: { environment: { env: 'a' }, [section]: { [name]: value } } }]);
      expect(call, `${name} ${String(value)}`).toThrow(ConfigError);
      expect(call).toThrow(expected);
      expect(call).toThrow(`Expected \`${name}\` to be `);
    }
  });

  it('is named with its source in a message', () => {
    const call = () => ppo.resolve([{ values: { training: { gamma: 2 } }, source: 'my.json' }]);
    expect(call).toThrow('got `2` (number) (from my.json).');
  });
});

describe('any flags at all', () => {
  it('resolve or give a ConfigError', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('none', 'auto', '1', '0.5', '-1', 'true', 'linear:1:0', '64,64', '{}', '1e400'),
    );
    const flag = fc.tuple(fc.constantFrom(...optionFlags(ppoOptions).map(({ name }) => name)), word);
    fc.assert(
      fc.property(fc.array(flag, { maxLength: 4 }), (flags) => {
        resolves({ environment: { env: 'a' }, ...configFromFlags(ppoOptions, new Map(flags)) });
      }),
      { numRuns: 2000 },
    );
  });

  it('written from a resolved config give it back', () => {
    const config = ppo.resolve([
      {
        values: {
          environment: { env: './a.ts#b', envOptions: { size: 3 }, maxEpisodeSteps: 100 },
          envRunners: { numEnvRunners: 2, numEnvs: 6 },
          training: {
            learningRate: {
              schedule: 'piecewise',
              points: [
                [0, 1e-3],
                [50_000, 1e-4],
              ],
            },
            clipRange: { schedule: 'linear', from: 0.2, to: 0.05 },
            scheduleSteps: 100_000,
            network: 'conv',
            convLayers: [
              [32, 8, 4],
              [64, 4, 2],
            ],
            hiddenSizes: [],
            maxGradNorm: null,
            normalizeAdvantages: false,
          },
          stopping: { stopReturn: -200 },
        },
      },
    ]);
    const texts = listOptions(ppoOptions).map(
      ({ section, name }) => [name, textOf((config as never)[section][name])] as const,
    );
    const names = new Map(
      listOptions(ppoOptions).map(({ name }, k) => [name, optionFlags(ppoOptions)[k].name]),
    );
    const values = new Map(texts.map(([name, text]) => [names.get(name) as string, text]));
    expect(configToJson(ppo.resolve([{ values: configFromFlags(ppoOptions, values) }]))).toEqual(
      configToJson(config),
    );
  });
});

/** What a person would type; written here once more on purpose. */
function textOf(value: unknown): string {
  if (value === null) return 'none';
  if (Array.isArray(value)) {
    if (value.length === 0) return 'none';
    return value.map((element) => (Array.isArray(element) ? element.join('x') : String(element))).join(',');
  }
  if (typeof value === 'object') {
    const schedule = value as { schedule?: string; from?: number; to?: number; points?: number[][] };
    if (schedule.schedule === 'linear') return `linear:${schedule.from}:${schedule.to}`;
    if (schedule.schedule === 'piecewise')
      return `piecewise:${schedule.points?.map((p) => p.join('=')).join(',')}`;
    return JSON.stringify(value);
  }
  return String(value);
}
