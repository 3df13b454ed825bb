import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CheckpointError } from '../../src/errors.ts';
import { createEpisodeWindow } from '../../src/metrics/episode-window.ts';

describe('createEpisodeWindow', () => {
  test('is empty at first', () => {
    const window = createEpisodeWindow(3);
    expect([window.returnMean(), window.numEpisodes, window.isFull, window.metrics()]).toEqual([
      null,
      0,
      false,
      {},
    ]);
  });

  test('a hand-worked window of the last three', () => {
    const window = createEpisodeWindow(3);
    for (const [episodeReturn, length] of [
      [100, 9],
      [2, 10],
      [4, 20],
      [9, 60],
    ])
      window.add(episodeReturn, length);
    expect(window.isFull).toBe(true);
    expect(window.numEpisodes).toBe(3);
    // Mean of 2, 4, 9 = 5; squared deviations 9 + 1 + 16 = 26, over 3.
    expect(window.metrics()).toEqual({
      'rollout/episodeReturnMean': 5,
      'rollout/episodeReturnStd': Math.sqrt(26 / 3),
      'rollout/episodeReturnMin': 2,
      'rollout/episodeReturnMax': 9,
      'rollout/episodeLengthMean': 30,
    });
  });

  test('agrees with a slice of the whole history, and a restored window reports the same bits', () => {
    const history = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), history, fc.nat(60), (size, returns, cut) => {
        let window = createEpisodeWindow(size);
        for (const [k, value] of returns.entries()) {
          if (k === cut) {
            const state = JSON.parse(JSON.stringify(window.getState()));
            window = createEpisodeWindow(size);
            window.setState(state);
          }
          window.add(value, k);
        }
        const last = returns.slice(-size);
        expect(window.returnMean()).toBe(last.reduce((sum, value) => sum + value, 0) / last.length);
        expect(window.isFull).toBe(returns.length >= size);
        expect(window.metrics()['rollout/episodeReturnMax']).toBe(Math.max(...last));
      }),
    );
  });

  test('a state is a copy, and a smaller window keeps the newest of it', () => {
    const window = createEpisodeWindow(3);
    for (const value of [1, 2, 3]) window.add(value, value);
    const state = window.getState();
    window.add(4, 4);
    expect(state).toEqual({ returns: [1, 2, 3], lengths: [1, 2, 3] });
    const smaller = createEpisodeWindow(2);
    smaller.setState(state);
    expect(smaller.returnMean()).toBe(2.5);
  });

  test.each([
    {},
    { returns: [1], lengths: [] },
    { returns: ['a'], lengths: [1] },
    { returns: 3, lengths: [] },
  ])('refuses the state %j', (state) => {
    expect(() => createEpisodeWindow(2).setState(state)).toThrow(CheckpointError);
  });
});
