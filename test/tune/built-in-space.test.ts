/** Spaces made from option declarations. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { algorithms } from '../../algorithms/registry.ts';
import { runOptions } from '../../src/config/blocks/run.ts';
import type { ConfigLayer } from '../../src/config/resolve.ts';
import type { TrialValues } from '../../src/config/search-space.ts';
import { type AlgorithmDefinition, defineAlgorithm } from '../../src/define/define-algorithm.ts';
import { builtInSpace, spaceToJson } from '../../src/tune/built-in-space.ts';
import { checkSpace, readSpace, valuesBySection } from '../../src/tune/read-space.ts';
import { gridSearcher, gridSize } from '../../src/tune/searchers/grid.ts';
import { randomSearcher } from '../../src/tune/searchers/random.ts';
import { sobolSearcher } from '../../src/tune/searchers/sobol.ts';
import { tpeSearcher } from '../../src/tune/searchers/tpe.ts';
import { trialLayers } from '../../src/tune/settings.ts';
import { operant } from '../cli/run-in-process.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { clones, draws, ownSpace } from './draws.ts';

const layersOf = (values: object): ConfigLayer[] => [{ values, source: 'a test' }];
const CARTPOLE = { environment: { env: 'CartPole-v1' } };

describe.each(Object.keys(algorithms))('the space of %s', (name) => {
  const given = layersOf(CARTPOLE);
  const made = async (isChangedLater: boolean) => {
    const definition = await algorithms[name]();
    const layers = trialLayers(definition, given, true);
    return { definition, layers, space: builtInSpace(definition, layers, { given, isChangedLater }) };
  };

  it.each([false, true])(
    'has a discount and a step size, and only values that go with the rest (changed later: %s)',
    async (isChangedLater) => {
      const { definition, layers, space } = await made(isChangedLater);
      checkSpace(space, definition.options, { isChangedLater });
      expect(Object.keys(space)).toEqual(
        expect.arrayContaining(['gamma', expect.stringMatching(/earningRate$/)]),
      );
      for (const [option, domain] of Object.entries(space)) {
        for (const value of domain.kind === 'choice' ? domain.choices : [domain.low, domain.high]) {
          const values = valuesBySection({ [option]: value }, definition.options);
          expect(() => definition.resolve([...layers, { values }])).not.toThrow();
        }
      }
    },
  );

  it('is what --space reads', async () => {
    const { space } = await made(false);
    expect(readSpace(spaceToJson(space))).toEqual(space);
  });
});

it('leaves out what is set, and values that do not go with it', async () => {
  const ppo = await algorithms.ppo();
  // 2 environments: rollouts of 16 steps are smaller than the minibatch of 64
  const given = layersOf({
    ...CARTPOLE,
    envRunners: { numEnvs: 2 },
    training: { gamma: 0.9, minibatchSize: 64 },
  });
  const space = builtInSpace(ppo, trialLayers(ppo, given, false), { given, isChangedLater: false });
  expect(space).not.toHaveProperty('gamma');
  expect(space).not.toHaveProperty('minibatchSize');
  expect(spaceToJson(space).rolloutLength).toEqual({ choice: [32, 64, 128, 256, 512, 1024] });
});

const SEARCHERS = { random: randomSearcher, tpe: tpeSearcher, sobol: sobolSearcher };

it.each(Object.entries(SEARCHERS))(
  '%s never draws a minibatch larger than the rollout',
  async (_, searcher) => {
    const own = ownSpace(await algorithms.ppo(), CARTPOLE, true);
    const counts = { count: 60, numPast: 30 };
    const isTooLarge = (values: TrialValues) => {
      try {
        own.check(values);
        return false;
      } catch {
        return true;
      }
    };
    expect(draws(searcher, { ...own, accepts: () => true }, counts).filter(isTooLarge)).not.toEqual([]);
    expect(draws(searcher, own, counts).filter(isTooLarge)).toEqual([]);
  },
);

it('a grid has each combination that goes together once, a clone stays among them', async () => {
  const own = ownSpace(await algorithms.ppo(), CARTPOLE, true, ['rolloutLength', 'minibatchSize']);
  // 8 environments: 64, 128, ... samples
  const all = [8, 16, 32, 64, 128, 256, 512, 1024].flatMap((rolloutLength) =>
    [32, 64, 128, 256].map((minibatchSize) => ({ rolloutLength, minibatchSize })),
  );
  const fitting = all.filter(({ rolloutLength, minibatchSize }) => minibatchSize <= 8 * rolloutLength);
  const drawn = draws(gridSearcher, own, { count: 100, numPast: 0 });
  const sorted = (values: readonly TrialValues[]) => values.map((each) => JSON.stringify(each)).sort();
  expect(sorted(drawn)).toEqual(sorted(fitting));
  expect(gridSize(own.space, own.accepts)).toBe(fitting.length);
  const source = { rolloutLength: 16, minibatchSize: 128 };
  const isTooLarge = ({ rolloutLength, minibatchSize }: TrialValues) =>
    Number(minibatchSize) > 8 * Number(rolloutLength);
  expect(clones({ ...own, accepts: () => true }, source, 50).filter(isTooLarge)).not.toEqual([]);
  expect(clones(own, source, 50).filter(isTooLarge)).toEqual([]);
});

it('an algorithm whose options declare nothing needs a space of the user', () => {
  const create = () => Promise.reject(new Error('never built'));
  const bare = defineAlgorithm({
    name: 'bare',
    options: runOptions,
    create,
  }) as unknown as AlgorithmDefinition;
  expect(() => builtInSpace(bare, [], { given: [], isChangedLater: false })).toThrow(
    expect.objectContaining({ code: 'CONFIG_SPACE', message: expect.stringMatching(/bare.*--space/) }),
  );
});

it('the command line shows the space, and searches it where none is given', async () => {
  const set = ['--env', 'CartPole', '--no-tuned', '--rollout-length', '32', '--num-envs', '8'];
  const shown = await operant('tune', ...set, '--show-space');
  expect([shown.exitCode, shown.stderr]).toEqual([0, '']);
  const space = readSpace(JSON.parse(shown.stdout));
  expect(space).not.toHaveProperty('rolloutLength');
  const out = join(temporaryFolder(), 'study');
  const study = ['--num-trials', '1', '--trial-steps', '256', '--final-seeds', '0', '--parallel', '1'];
  const run = await operant('tune', ...set, ...study, '--out', out);
  expect([run.exitCode, run.stderr]).toEqual([0, '']);
  expect(JSON.parse(readFileSync(join(out, 'study.json'), 'utf8')).space).toEqual(space);
}, 120_000);
