/** Spaces made from option declarations. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { algorithms } from '../../algorithms/registry.ts';
import { runOptions } from '../../src/config/blocks/run.ts';
import type { ConfigLayer } from '../../src/config/resolve.ts';
import { type AlgorithmDefinition, defineAlgorithm } from '../../src/define/define-algorithm.ts';
import { builtInSpace, spaceToJson } from '../../src/tune/built-in-space.ts';
import { checkSpace, readSpace, valuesBySection } from '../../src/tune/read-space.ts';
import { trialLayers } from '../../src/tune/settings.ts';
import { operant } from '../cli/run-in-process.ts';
import { temporaryFolder } from '../temporary-folder.ts';

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
