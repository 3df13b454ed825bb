import { expect, it } from 'vitest';
import { describeLargest } from '../../src/learner/non-finite-causes.ts';

const layout = { size: 3, entries: [{ name: 'logStd', shape: [2], offset: 1, size: 2 }] };

it('names the largest of each, by size, and NaN where there is one', () => {
  const rollout = {
    observations: Float32Array.of(1, -1e30, 3),
    rewards: Float32Array.of(-2, 1.234567),
    advantages: Float32Array.of(Number.NaN, 1e9),
    returns: Float32Array.of(-Infinity, 3),
  };
  const text = describeLargest(rollout, layout, Float32Array.of(99, 0, Math.log(4)));
  expect(text).toContain(
    'observation -1e+30, reward -2, advantage NaN, return -Infinity, standard deviation of an action 4.',
  );
  const discrete = { size: 1, entries: [{ name: 'actor/0/kernel', shape: [1], offset: 0, size: 1 }] };
  expect(describeLargest(rollout, discrete, Float32Array.of(99))).not.toContain('deviation');
});
