/** Sections are optional, and a block's checks ask for nothing that an algorithm does not have. */
import { expect, test } from 'vitest';
import { adamOptions } from '../../src/config/blocks/adam.ts';
import { runOptions } from '../../src/config/blocks/run.ts';
import { scheduleOptions } from '../../src/config/blocks/schedules.ts';
import { commonOptions } from '../../src/config/common-options.ts';
import { withDefaults } from '../../src/config/option.ts';
import { defineAlgorithm } from '../../src/define/define-algorithm.ts';

const training = { ...adamOptions, ...scheduleOptions };
const create = () => Promise.reject(new Error('never built'));

test('an algorithm without environments is not asked for one', () => {
  const offline = defineAlgorithm({ name: 'offline', options: { ...runOptions, training }, create });
  expect(offline.resolve([{ values: { training: { learningRate: 1e-4 } } }]).training.learningRate).toBe(
    1e-4,
  );
  expect(() => offline.resolve([{ values: { environment: { env: 'CartPole' } } }])).toThrow(
    /Unknown section `environment`/,
  );
});

test('one with environments is', () => {
  const online = defineAlgorithm({ name: 'online', options: { ...commonOptions, training }, create });
  expect(() => online.resolve([{ values: {} }])).toThrow(/No environment: set `env`/);
});

test('a linear schedule without an end is found in any section that has schedules', () => {
  const options = {
    ...runOptions,
    actor: adamOptions,
    critic: { ...scheduleOptions, epsilon: training.learningRate },
  };
  const two = defineAlgorithm({ name: 'two', options, create });
  const linear = { schedule: 'linear', from: 1, to: 0 };
  expect(() => two.resolve([{ values: { critic: { epsilon: linear } } }])).toThrow(
    /epsilon is a linear schedule \(1 to 0\), but scheduleSteps is null/,
  );
  const values = { critic: { scheduleSteps: 10 }, actor: { learningRate: linear } };
  expect(two.resolve([{ values }])).toMatchObject(values);
});

test('a block with other defaults is a copy', () => {
  const changed = withDefaults(adamOptions, { adamEpsilon: 1e-3, maxGradNorm: 1 });
  expect(changed.adamEpsilon).toEqual({ ...adamOptions.adamEpsilon, default: 1e-3 });
  expect([changed.maxGradNorm.default, adamOptions.maxGradNorm.default]).toEqual([1, null]);
  expect(changed.learningRate).toBe(adamOptions.learningRate);
});
