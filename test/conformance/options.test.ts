/** No option is inert: each one that may change learning does, those that may not do not, and bad values are refused by name. */
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { configToJson, listOptions } from '../../src/config/option.ts';
import { isOperantError } from '../../src/errors.ts';
import { optionPaths, pick, sharedElsewhere, sharedNeutral, sharedTrials } from './shared-options.ts';
import { names, PROBE, type Subject, subjectOf, type Values } from './subject.ts';

/** What is learnt in two iterations, as text. Runs are remembered: many trials begin from the same one. */
function learner({ build, settings }: Subject) {
  const known = new Map<string, Promise<string>>();
  const run = async (values: readonly Values[]): Promise<string> => {
    const algorithm = await build(settings.plain, ...values);
    try {
      for (let k = 0; k < 2; k++) await algorithm.train();
      const { tensors } = await algorithm.getState();
      const weights = Object.entries(tensors['policies/default/weights.safetensors']);
      return weights.flatMap(([name, { data }]) => (name.startsWith('observation/') ? [] : [...data])).join();
    } finally {
      await algorithm.stop();
    }
  };
  return (...values: readonly Values[]): Promise<string> => {
    const key = JSON.stringify(values);
    const learnt = known.get(key) ?? run(values);
    known.set(key, learnt);
    return learnt;
  };
}

describe.each(names)('%s', async (name) => {
  const subject = await subjectOf(name);
  const { definition, settings } = subject;
  const options = listOptions(definition.options);
  const has = (path: string) => optionPaths(definition).includes(path);
  const learnt = learner(subject);
  const trials = { ...pick(sharedTrials(settings.actions), has), ...settings.trials };

  test.each(Object.entries(trials))('%s changes what is learnt', async (_, { base = {}, change }) => {
    expect(await learnt(base, change)).not.toBe(await learnt(base));
  });

  test.each(Object.entries({ ...pick(sharedNeutral, has), ...settings.neutral }))(
    '%s changes nothing',
    async (_, { base = {}, change }) => {
      expect(await learnt(base, change)).toBe(await learnt(base));
    },
  );

  const written: readonly (readonly [string, readonly Values[]])[] = [
    ...Object.entries(trials).map(([path, { base = {}, change }]) => [path, [base, change]] as const),
    ...Object.entries(definition.tunedDefaults).map(([env, tuned]) => [env, [tuned as Values]] as const),
  ];
  test.each(written)('what a run writes down of its config is taken back: %s', (_, values) => {
    const layers = [{ environment: { env: PROBE } }, settings.plain, ...values];
    const config = definition.resolve(layers.map((layer) => ({ values: layer })));
    expect(definition.resolve([{ values: configToJson(config) }])).toEqual(config);
  });

  test('options that affect learning are all tried', () => {
    const elsewhere = { ...sharedElsewhere, ...settings.testedElsewhere };
    expect(Object.values(elsewhere).filter((path) => !existsSync(path))).toEqual([]);
    const known = { ...trials, ...elsewhere };
    const declared = options.filter(({ option }) => option.affectsLearning !== false);
    const missing = declared.map(({ section, name: option }) => `${section}.${option}`);
    expect(missing.filter((path) => !(path in known))).toEqual([]);
  });

  test.each(settings.refused)('refuses %s', async (_, values, message) => {
    const error: unknown = await subject.build(settings.plain, values).then(
      (algorithm) => algorithm.stop(),
      (reason) => reason,
    );
    expect(isOperantError(error)).toBe(true);
    expect(error).toMatchObject({ message: expect.stringMatching(message) });
  });

  test('a value of the wrong type is refused, by the name of its option', async () => {
    for (const { section, name: option } of options) {
      const values = { [section]: { [option]: [[Number.NaN]] as never } };
      const resolve = () => definition.resolve([{ values: settings.plain }, { values }]);
      expect(resolve).toThrow(expect.objectContaining({ name: 'ConfigError' }));
      expect(resolve).toThrow(`\`${option}\``);
    }
  });
});
