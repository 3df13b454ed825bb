/** Recurrent policies, end to end: what one remembers follows from the run alone, whoever collects and however often it stops. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Algorithm } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { optionPaths } from './shared-options.ts';
import { keepingNothing, names, probe, runOut, type Subject, subjectOf, type Values } from './subject.ts';

type Cell = 'lstm' | 'gru';

const workers = (numEnvRunners: number) => ({ envRunners: { numEnvRunners }, debugging: { poison: true } });

/** PQN's sequences are learnt four side by side; the last minibatch of an epoch is a smaller one. */
const ofValues = { envRunners: { numEnvs: 8 }, training: { minibatchSize: 120 } };

const stacked = { training: { sharedLayers: true, recurrentLayers: 2, recurrentPosition: 'last' } };

/** Sequences out of a replay buffer, which goes round; fragments end in the middle of episodes and begin in the middle of sequences. */
const replayed = (cell: Cell): Values => ({
  envRunners: { numEnvs: 6, normalizeObservations: true },
  training: {
    ...{ recurrent: cell, recurrentSize: 10, sequenceLength: 6, burnIn: cell === 'lstm' ? 4 : 0 },
    ...{ trainEvery: 4, batchSize: 24, learningStarts: 60, updatesPerStep: 0.1, lag: 1, nStep: 2 },
    ...{ stepsPerIteration: 72, replayCapacity: 150 },
  },
  evaluation: { evaluationInterval: 3, evaluationEpisodes: 2 },
});

/** Of values alone; with the one cell by priority, with the other uniformly. */
const ofActionValues = (cell: Cell): Values => ({
  training: { double: true, dueling: true, epsilon: 0.3, prioritised: cell === 'lstm' },
});

/** Critics with cells of their own. */
const ofCritics: Values = { training: { policyDelay: 2, criticHiddenSizes: [8], criticLayerNorm: true } };

const subjects = (await Promise.all(names.map(subjectOf)))
  .filter(({ definition }) => optionPaths(definition).includes('training.recurrent'))
  .map((subject) => {
    const build = builderOf(subject);
    const run = (cell: Cell, numEnvRunners: number) =>
      build(cell, workers(numEnvRunners)).then((algorithm) => runOut(algorithm, 4));
    const undisturbed = { lstm: run('lstm', 0), gru: run('gru', 0) };
    return [subject.name, { subject, build, run, undisturbed }] as const;
  });

/** Episodes of the probe end in the middle of sequences, and rollouts in the middle of episodes. IMPALA's and APPO's lag is 2. */
function builderOf(subject: Subject) {
  const has = (name: string) => optionPaths(subject.definition).includes(`training.${name}`);
  const build = (...values: Values[]) => subject.build(...values, keepingNothing);
  const offPolicy = (cell: Cell): Values[] => [
    subject.settings.plain,
    replayed(cell),
    has('dueling') ? ofActionValues(cell) : ofCritics,
  ];
  const onPolicy = (cell: Cell): Values[] => [
    subject.settings.values,
    { envRunners: { rolloutLength: 18 } },
    { training: { recurrent: cell, recurrentSize: 10, sequenceLength: 6 } },
    ...(cell === 'lstm' && has('burnIn') ? [{ training: { burnIn: 4 } }] : []),
    ...(cell === 'gru' && has('recurrentLayers') ? [stacked] : []),
    ...(has('minibatchSize') ? [{ training: { minibatchSize: 60 } }] : []),
    ...(has('lambda') && has('layerNorm') ? [ofValues] : []),
    ...(has('fragmentsPerIteration') ? [{ training: { fragmentsPerIteration: 5 } }] : []),
  ];
  return (cell: Cell, ...values: Values[]) =>
    build(...(has('replayCapacity') ? offPolicy(cell) : onPolicy(cell)), ...values);
}

test('ten algorithms train recurrent policies, or nothing below would fail', () => {
  const expected = ['a2c', 'appo', 'dqn', 'impala', 'ppo', 'pqn', 'sac', 'sac-discrete', 'td3', 'tqc'];
  expect(subjects.map(([name]) => name).sort()).toEqual(expected);
});

// as many workers again, and threads serve again
describe.each([
  ['lstm', 6],
  ['gru', 3],
] as const)('%s: %i workers give the same run', (cell, numEnvRunners) => {
  test.each(subjects)('%s', async (_, { run, undisturbed }) => {
    expect(await run(cell, numEnvRunners)).toEqual(await undisturbed[cell]);
  });
});

describe('a worker that dies in the middle of its rollout changes nothing', () => {
  test.each(subjects)('%s', async (_, { subject, build, undisturbed }) => {
    const exitFile = join(temporaryFolder(), 'exit');
    const algorithm = await build('lstm', workers(2), probe(subject, { exitFile }));
    const failures: unknown[] = [];
    const { train } = algorithm;
    algorithm.train = async () => {
      const result = await train();
      failures.push(...(result.workerFailures ?? []));
      return result;
    };
    expect(await runOut(algorithm, 4)).toEqual(await undisturbed.lstm);
    expect(failures).toMatchObject([{ isRecovered: true }]);
  });
});

describe.each([
  ['lstm', 2],
  ['gru', 0],
] as const)(
  '%s: resumed in the middle of episodes, with %i workers, it is the unbroken one',
  (cell, numEnvRunners) => {
    test.each(subjects)('%s', async (_, { build }) => {
      const first = await build(cell, workers(0));
      for (let k = 0; k < 3; k++) await first.train();
      const states = (await first.getState()).tensors['environments.safetensors'];
      expect(states.episodeSteps.data.some((steps) => steps > 0)).toBe(true);
      expect(states.recurrentStates.data.some((value) => value !== 0)).toBe(true);
      const path = await first.save(join(temporaryFolder(), 'saved'));
      const expected = await runOut(first, 2);
      const resumed = await Algorithm.fromCheckpoint(
        path,
        { envRunners: { numEnvRunners } },
        { trust: true },
      );
      expect(await runOut(resumed, 2)).toEqual(expected);
    });
  },
);
