/** The shell around a loop that is no more than counting. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { ownState } from '../../src/algorithm/own-state.ts';
import { createAlgorithm, type Iteration, type ShellParts } from '../../src/algorithm/shell.ts';

/** Iteration k takes k + 1 steps and ends one episode of return k; `failAt` throws before or after it has counted. */
function counting(parts: Partial<ShellParts> & { failAt?: number; isHalfDone?: () => boolean } = {}) {
  let count = 0;
  const { failAt, ...others } = parts;
  return createAlgorithm({
    name: 'counting',
    config: { reporting: { metricsWindow: 2 }, debugging: { seed: 7 } },
    configJson: { algorithm: 'counting' },
    banner: [],
    iterate: async (): Promise<Iteration> => {
      if (count === failAt) throw new Error('failed');
      count += 1;
      return {
        numEnvSteps: count,
        episodes: [{ envIndex: 0, episodeReturn: count, episodeLength: 1 }],
        envMetrics: { fuel: 2 },
        metrics: { 'train/loss': count },
      };
    },
    isHalfDone: () => false,
    state: [
      ownState('count', z.number(), {
        getState: () => count,
        setState: (given) => {
          count = given;
        },
      }),
    ],
    runners: null,
    evaluation: null,
    stop: async () => undefined,
    ...others,
  });
}

describe('counters and metrics', () => {
  it('follow the steps that each iteration took', async () => {
    const algorithm = counting();
    await algorithm.train();
    await algorithm.train();
    const { metrics, ...result } = await algorithm.train();
    expect(result).toMatchObject({
      iteration: 3,
      numEnvSteps: 1 + 2 + 3,
      numEpisodes: 3,
      episodeReturnMean: 2.5,
    });
    expect(metrics).toMatchObject({ 'env/fuel': 2, 'train/loss': 3, 'rollout/numEpisodes': 1 });
    const { 'time/iterationMs': ms, 'time/envStepsPerSecond': pace } = metrics;
    expect(pace).toBeCloseTo(3000 / ms, 6);
  });

  it('go on from a checkpoint with everything that belongs to them', async () => {
    const first = counting();
    for (let k = 0; k < 3; k++) await first.train();
    const second = counting();
    await second.setState(await first.getState());
    expect([second.iteration, second.numEnvSteps]).toEqual([3, 6]);
    const [a, b] = [await first.train(), await second.train()];
    expect(b).toMatchObject({ numEnvSteps: 10, numEpisodes: 4, episodeReturnMean: 3.5 });
    expect(b.metrics['train/loss']).toBe(a.metrics['train/loss']);
  });
});

describe('a failed iteration', () => {
  it('that had changed nothing can be saved', async () => {
    const algorithm = counting({ failAt: 1 });
    await algorithm.train();
    await expect(algorithm.train()).rejects.toThrow('failed');
    expect((await algorithm.getState()).json['state.json']).toMatchObject({ iteration: 1 });
  });

  it('that stopped half way is never saved, until a whole state is restored', async () => {
    const algorithm = counting({ failAt: 1, isHalfDone: () => true });
    await algorithm.train();
    const content = await algorithm.getState();
    await expect(algorithm.train()).rejects.toThrow('failed');
    await expect(algorithm.getState()).rejects.toMatchObject({ code: 'CHECKPOINT_SPOILT' });
    await algorithm.setState(content);
    expect(await algorithm.getState()).toEqual(content);
  });

  it('to restore a state leaves one that is never saved, where it had begun', async () => {
    const content = await counting().getState();
    const failing = ownState('other', z.any(), {
      getState: () => 0,
      setState: () => {
        throw new Error('disk');
      },
    });
    const algorithm = counting({ state: [failing] });
    await expect(algorithm.setState(content)).rejects.toThrow('disk');
    await expect(algorithm.getState()).rejects.toMatchObject({ code: 'CHECKPOINT_SPOILT' });
    await expect(algorithm.setState({ ...content, json: {} })).rejects.toMatchObject({
      code: 'CHECKPOINT_INCOMPLETE',
    });
  });
});

it('an algorithm without environments says so when it is asked to evaluate', async () => {
  await expect(counting().evaluate()).rejects.toThrow(/counting has no environment to evaluate in/);
});
