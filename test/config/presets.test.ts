/** A preset brings values, which whoever sets it may still choose otherwise. */
import { describe, expect, test } from 'vitest';
import { dqn } from '../../algorithms/dqn/index.ts';

const CARTPOLE = { environment: { env: 'CartPole-v1' } };
const training = (...layers: readonly object[]) =>
  dqn.resolve([
    { values: CARTPOLE },
    ...layers.map((values, k) => ({ values: { training: values }, isDefault: k < layers.length - 1 })),
  ]).training;
const RANGE = { minReturn: 0, maxReturn: 100 };
const PARTS = { double: true, dueling: true, noisy: true, distribution: 'c51', prioritised: true, nStep: 3 };

describe('rainbow', () => {
  test('is all its parts', () => {
    expect(training({ rainbow: true, ...RANGE })).toMatchObject({
      ...{ ...PARTS, epsilon: 0, priorityExponent: 0.5, adamEpsilon: 1.5e-4, numAtoms: 51 },
    });
  });

  test('leaves numbers to whoever sets it, but not to the layers below', () => {
    const below = { epsilon: 0.3, nStep: 1, importanceExponent: 1, prioritised: true };
    expect(training(below, { rainbow: true, ...RANGE, nStep: 5 })).toMatchObject({
      ...{ ...PARTS, epsilon: 0, nStep: 5, importanceExponent: 0.4 },
    });
  });

  test('that a later layer takes back has brought nothing', () => {
    expect(training({ rainbow: true, ...RANGE }, { rainbow: false })).toEqual(training({}));
  });

  test('resolved again is the same', () => {
    const once = dqn.resolve([
      { values: { ...CARTPOLE, training: { rainbow: true, ...RANGE, epsilon: 0.1 } } },
    ]);
    expect(dqn.resolve([{ values: once }])).toEqual(once);
    expect(once.training.epsilon).toBe(0.1);
  });
});

test('noisy explores by its layers alone, unless epsilon is given', () => {
  expect(training({ noisy: true }).epsilon).toBe(0);
  expect(training({ noisy: true, epsilon: 0.2 }).epsilon).toBe(0.2);
  expect(training({}, { noisy: true }).epsilon).toBe(0);
});
