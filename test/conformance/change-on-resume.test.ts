/** Whatever a resume changes takes effect, or is refused with a typed error; every option is tried. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { listOptions } from '../../src/config/option.ts';
import { isOperantError } from '../../src/errors.ts';
import { Algorithm } from '../../src/index.ts';
import { optionPaths, pick, sharedNeutral, sharedTrials } from './shared-options.ts';
import { names, subjectOf, type Trial, type Values } from './subject.ts';

/** Options that surely are no matter of shapes: to refuse them would be too easy. */
const TAKEN = ['environment.envOptions', 'training.learningRate', 'training.gamma', 'training.maxGradNorm'];

/** One round's lag seldom changes which of four values is the greatest; that the option takes effect, the other algorithms show. */
const TOO_SMALL_TO_SEE = ['dqn training.lag'];

/** `section.option` of all that a change sets. */
const changes = (change: Values): string[] =>
  Object.entries(change).flatMap(([section, values]) =>
    Object.keys(values).map((name) => `${section}.${name}`),
  );

describe.each(names)('%s', async (name) => {
  const subject = await subjectOf(name);
  const { definition, settings } = subject;
  const has = (path: string) => optionPaths(definition).includes(path);
  const trials = { ...pick(sharedTrials(settings.actions), has), ...settings.trials };
  const neutral = { ...pick(sharedNeutral, has), ...settings.neutral };
  const declaredAs = (mark: 'onlyAtStart' | 'shapesCheckpoint') =>
    listOptions(definition.options).flatMap(({ section, name: option, option: declared }) =>
      declared[mark] === true ? [`${section}.${option}`] : [],
    );
  const atStart = declaredAs('onlyAtStart');
  const fixed = [...atStart, ...declaredAs('shapesCheckpoint')];
  const folder = mkdtempSync(join(tmpdir(), 'operant-test-'));
  const saved = new Map<string, Promise<string>>();

  /** A checkpoint after two iterations, made once for each base. */
  const checkpoint = (base: Values): Promise<string> => {
    const key = JSON.stringify(base);
    const make = async () => {
      const algorithm = await subject.build(settings.plain, base);
      try {
        for (let k = 0; k < 2; k++) await algorithm.train();
        return await algorithm.save(join(folder, String(saved.size)));
      } finally {
        await algorithm.stop();
      }
    };
    const path = saved.get(key) ?? make();
    saved.set(key, path);
    return path;
  };

  /** What four more iterations learn, as text. */
  const goOn = async (path: string, change: Values): Promise<string> => {
    const algorithm = await Algorithm.fromCheckpoint(path, change, { trust: true });
    try {
      for (let k = 0; k < 4; k++) await algorithm.train();
      const { tensors } = await algorithm.getState();
      const weights = Object.entries(tensors['policies/default/weights.safetensors']);
      return weights.flatMap(([key, { data }]) => (key.startsWith('observation/') ? [] : [...data])).join();
    } finally {
      await algorithm.stop();
    }
  };
  const unchanged = new Map<string, Promise<string>>();
  const goOnUnchanged = (path: string) => {
    const learnt = unchanged.get(path) ?? goOn(path, {});
    unchanged.set(path, learnt);
    return learnt;
  };
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(Object.entries(trials).filter(([path]) => !TOO_SMALL_TO_SEE.includes(`${name} ${path}`)))(
    '%s takes effect, or is refused',
    async (path, { base = {}, change }: Trial) => {
      const from = await checkpoint(base);
      const outcome: unknown = await goOn(from, change).catch((error: unknown) => error);
      if (typeof outcome === 'string') {
        expect(outcome).not.toBe(await goOnUnchanged(from));
      } else {
        expect(isOperantError(outcome), String(outcome)).toBe(true);
        expect(String(outcome)).toMatch(/in the checkpoint, .* here|Resume with the same `numEnvs`/);
        const [option] = path.split(', '); // behind it stands in what case
        expect(TAKEN).not.toContain(option);
        expect(fixed).toContain(option); // else population based training would search it
      }
    },
  );

  test.each(Object.entries(neutral))(
    '%s is taken and changes nothing, or is refused',
    async (_, { base = {}, change }: Trial) => {
      const from = await checkpoint(base);
      const isFixed = changes(change).some((path) => atStart.includes(path));
      if (isFixed) await expect(goOn(from, change)).rejects.toThrow(/in the checkpoint, .* here/);
      else expect(await goOn(from, change)).toBe(await goOnUnchanged(from));
    },
  );
});
