import { expect, it } from 'vitest';
import { describeLargest, describeLargestOfBatch } from '../../src/learner/non-finite-causes.ts';

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

it('names the largest of each column of a batch, of the parameters, and what logarithms stand for', () => {
  const columns = {
    observations: Float32Array.of(0, -1e30),
    rewards: Float32Array.of(1, 1e19),
    nextMasks: Uint8Array.of(1, 1),
  };
  const model = { size: 2, entries: [{ name: 'logTemperature', shape: [1], offset: 1, size: 1 }] };
  const text = describeLargestOfBatch({ columns }, model, Float32Array.of(-7, Math.log(2)));
  expect(text).toContain('observations -1e+30, rewards 1e+19, parameters -7, temperature 2.');
});
