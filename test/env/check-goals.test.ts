import { expect, test } from 'vitest';
import { checkEnv } from '../../src/env/check-env.ts';
import type { Env } from '../../src/env/env.ts';
import lineEnv from '../replay/goal-env.ts';

const findingsOf = (change: (env: Env) => Partial<Env>) => {
  const { findings } = checkEnv(() => {
    const env = lineEnv({ ends: true });
    return { ...env, ...change(env) };
  });
  return findings.filter(({ code }) => code === 'ENV_GOAL_REWARD').map(({ message }) => message);
};

test('a goal environment whose computeReward is that of its steps passes', () => {
  expect(findingsOf(() => ({}))).toEqual([]);
});

test('one whose step pays something else is found', () => {
  const steps = findingsOf((env) => ({
    step: (action) => {
      const result = env.step(action);
      return { ...result, reward: 2 * result.reward };
    },
  }));
  expect(steps).toEqual([expect.stringMatching(/gave reward -2, and computeReward gives -1/)]);
});

test('one whose computeTerminated ends more than its steps is found', () => {
  expect(findingsOf(() => ({ computeTerminated: () => true }))).toEqual([
    expect.stringMatching(/computeTerminated says that step 0 ends/),
  ]);
});
