/** Schedules by a function in a module: asked as any schedule is, loaded with consent alone. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { evaluateSchedule, parseSchedule } from '../../src/config/schedule.ts';
import { Algorithm, PPOConfig, SACConfig } from '../../src/index.ts';
import { comparable } from '../invariants/run-content.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** A module with that source; its export is named behind it. */
function moduleOf(source: string): string {
  const path = join(temporaryFolder(), 'schedule.mjs');
  writeFileSync(path, source);
  return path;
}

function cartPole(learningRate: unknown, clipRange: unknown = 0.2) {
  return new PPOConfig()
    .environment('CartPole-v1')
    .envRunners({ numEnvRunners: 0, numEnvs: 2, rolloutLength: 16 })
    .training({ learningRate: learningRate as never, clipRange: clipRange as never, scheduleSteps: 100 })
    .training({ minibatchSize: 32, numEpochs: 1, hiddenSizes: [4] });
}

async function trained(algorithm: Algorithm, numIterations = 4) {
  const rates: (number | undefined)[] = [];
  while (algorithm.iteration < numIterations)
    rates.push((await algorithm.train()).metrics['train/learningRate']);
  const state = comparable(await algorithm.getState()) as { tensors: object };
  await algorithm.stop();
  return { rates, tensors: state.tensors };
}

const by = (module: string) => ({ schedule: 'function', module });

test('a flag names one as an environment is named; what it begins like is told from it', () => {
  expect(parseSchedule('./schedule.ts#lr')).toEqual(by('./schedule.ts#lr'));
  expect(parseSchedule('schedule.mjs')).toEqual(by('schedule.mjs'));
  expect(parseSchedule('linear:1:0')).toEqual({ schedule: 'linear', from: 1, to: 0 });
  expect(parseSchedule('1e-3')).toBe(1e-3);
  expect(parseSchedule('cosine:1')).toBeUndefined();
  expect(parseSchedule('fast')).toBeUndefined();
});

test('a function that computes what a linear schedule is trains the same weights, also after a resume', async () => {
  const module = moduleOf(
    'export const lr = (step, steps) => 3e-3 + (1e-3 - 3e-3) * Math.min(1, step / steps);',
  );
  const linear = await trained(await cartPole({ schedule: 'linear', from: 3e-3, to: 1e-3 }).build());
  const reference = by(`${module}#lr`);
  expect(await trained(await cartPole(reference).build())).toEqual(linear);
  expect(new Set(linear.rates).size).toBe(4);
  const cut = await cartPole(reference).build();
  const path = join(temporaryFolder(), 'cut');
  await cut.train();
  await cut.train();
  await cut.save(path);
  await cut.stop();
  const resumed = await Algorithm.fromCheckpoint(path, {}, { trust: true });
  expect((await trained(resumed)).tensors).toEqual(linear.tensors);
});

describe('consent', () => {
  test('a checkpoint that names one is not resumed without it, and its code has not run', async () => {
    const marked = join(temporaryFolder(), 'ran');
    const module = moduleOf(
      `import { appendFileSync } from 'node:fs'; appendFileSync(${JSON.stringify(marked)}, 'x'); export default () => 1e-3;`,
    );
    const path = join(temporaryFolder(), 'saved');
    const algorithm = await cartPole(by(module)).build();
    await algorithm.save(path);
    await algorithm.stop();
    await expect(Algorithm.fromCheckpoint(path)).rejects.toMatchObject({
      code: 'CHECKPOINT_TRUST',
      message: expect.stringMatching(/training\.learningRate: .*schedule\.mjs/),
    });
    // given anew, it is the user's
    await (await Algorithm.fromCheckpoint(path, { training: { learningRate: 1e-3 } })).stop();
  });

  test('where an option may be null, too', async () => {
    const module = moduleOf('export default () => 1e-3;');
    const path = join(temporaryFolder(), 'saved');
    const algorithm = await new SACConfig()
      .environment('Pendulum-v1')
      .envRunners({ numEnvs: 1 })
      .training({ temperatureLearningRate: by(module) as never, replayCapacity: 1000, hiddenSizes: [4] })
      .build();
    await algorithm.save(path);
    await algorithm.stop();
    await expect(Algorithm.fromCheckpoint(path)).rejects.toThrow(/training\.temperatureLearningRate/);
  });

  test('one that is not in the configuration is never loaded: not by setSchedule, not out of options that are none', async () => {
    const module = moduleOf('export default () => { throw new Error("ran"); };');
    const algorithm = await cartPole(1e-3).build();
    expect(() => algorithm.setSchedule?.('learningRate', by(module))).toThrow(/cannot become .* in mid-run/);
    await algorithm.stop();
    expect(() => evaluateSchedule(by(module) as never, 0, null)).toThrow(
      /was not loaded when the run was built/,
    );
  });
});

describe('refused', () => {
  test.each([
    ['a module that is not there', './nowhere.mjs', 'CONFIG_SCHEDULE_MODULE', /nowhere\.mjs/],
    ['no function', 'export default 3', 'CONFIG_SCHEDULE_MODULE', /to be a function .* got number/],
    [
      'one that does not load',
      'throw new Error("broken")',
      'CONFIG_SCHEDULE_MODULE',
      /could not be loaded: broken/,
    ],
    [
      'one that throws',
      'export default () => { throw new Error("no idea"); }',
      'CONFIG_SCHEDULE_FUNCTION',
      /threw at step 0: no idea/,
    ],
    [
      'no number',
      'export default () => "fast"',
      'CONFIG_SCHEDULE_FUNCTION',
      /finite number at step 0, got fast/,
    ],
    ['no finite number', 'export default () => NaN', 'CONFIG_SCHEDULE_FUNCTION', /got NaN/],
    [
      'a number out of bounds',
      'export default () => -1',
      'CONFIG_SCHEDULE_FUNCTION',
      /to give `learningRate` as a number >= 0, got -1 at step 0/,
    ],
  ])('%s', async (_, source, code, message) => {
    const module = source.startsWith('./') ? source : moduleOf(source);
    const run = cartPole(by(module))
      .build()
      .then((algorithm) => algorithm.train().finally(() => algorithm.stop()));
    await expect(run).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('what names no module', () => {
    expect(() => cartPole(by('fast'))).toThrow(/Expected `learningRate` to be/);
  });
});
