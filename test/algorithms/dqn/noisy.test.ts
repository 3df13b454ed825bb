/** Noisy layers in a run: it acts with a draw of them, evaluates without. That it is the same run anywhere: test/conformance. */
import { describe, expect, it } from 'vitest';
import { dqnModel, dqnObjective } from '../../../algorithms/dqn/objective.ts';
import { DQNConfig } from '../../../src/index.ts';
import type { PassOptions } from '../../../src/learner/objective.ts';
import { subjectOf } from '../../conformance/subject.ts';
import { openFixture } from '../../reference/objective-fixture.ts';
import { batch, CASES, SCALARS } from './dqn-fixture.ts';

const build = (training: object) =>
  new DQNConfig()
    .environment('CartPole-v1')
    .envRunners({ numEnvRunners: 0 })
    .learners({ engine: 'simd', numLearnerThreads: 1 })
    .training({ hiddenSizes: [16], learningStarts: 64, batchSize: 32, stepsPerIteration: 128, ...training })
    .debugging({ seed: 3 })
    .build();

describe('DQN with noisy layers', () => {
  it('acts by draws of them once it learns, and evaluates by their means', async () => {
    // learning rate 0: the means and deviations stay, so that only draws can make a difference
    const still = { learningRate: 0, epsilon: 0 };
    const [noisy, plain] = [await build({ noisy: true, ...still }), await build(still)];
    const lengths = async (algorithm: typeof noisy) => {
      const { episodes } = await algorithm.train();
      return episodes.map(({ episodeLength }) => episodeLength);
    };
    try {
      await noisy.train();
      await plain.train();
      const before = await noisy.evaluate({ numEpisodes: 5 });
      const [drawn, greedy] = [await lengths(noisy), await lengths(plain)];
      expect(drawn).not.toEqual(greedy); // the same environments, the same means
      expect(await noisy.evaluate({ numEpisodes: 5 })).toEqual(before);
      expect((await plain.evaluate({ numEpisodes: 5 })).returns).toEqual(before.returns);
    } finally {
      await noisy.stop();
      await plain.stop();
    }
  });

  it('learns its deviations', async () => {
    const algorithm = await build({ noisy: true });
    try {
      const deviations = async () => {
        const { tensors } = await algorithm.getState();
        return [...tensors['learner/model.safetensors']['noise/q/head/kernel'].data];
      };
      const before = await deviations();
      expect(before).toEqual(before.map(() => Math.fround(0.5 / 4)));
      await algorithm.train();
      expect((await deviations()).filter((value, k) => value === before[k])).toEqual([]);
    } finally {
      await algorithm.stop();
    }
  });
});

it('Rainbow finds what the probe environment asks for', async () => {
  const { build: open, settings } = await subjectOf('dqn');
  const { values, numIterations, returnAtLeast } = settings.learns;
  const { epsilon: _, ...training } = values.training;
  const rainbow = { training: { ...training, rainbow: true, numAtoms: 11, minReturn: -1, maxReturn: 1 } };
  const algorithm = await open({ ...values, ...rainbow });
  try {
    for (let k = 0; k < numIterations; k++) await algorithm.train();
    expect((await algorithm.evaluate({ numEpisodes: 50 })).returnMean).toBeGreaterThanOrEqual(returnAtLeast);
  } finally {
    await algorithm.stop();
  }
});

describe('passes through a noisy network', () => {
  const [, shape] = CASES.find(([name]) => name === 'noisy layers') as (typeof CASES)[number];
  const passes = (...options: readonly PassOptions[]) =>
    openFixture(
      dqnModel(shape),
      dqnObjective(shape),
      (rows) => {
        for (const each of options) rows.pass(each);
        return [() => {}];
      },
      8,
    );
  const own = { network: 'q', inputs: ['observations'], gradient: 'parameters' } as const;

  it("are refused where two of them have a gradient, or the noise is another network's", async () => {
    await expect(passes({ ...own, noise: 'noise' }, own)).rejects.toThrow(
      /one pass with a gradient through q/,
    );
    await expect(passes({ ...own, noise: 'targetNoise' })).rejects.toThrow(
      /noise of q among the objective's/,
    );
  });

  it('without a noise run on the means', async () => {
    const fixture = await openFixture(
      dqnModel(shape),
      dqnObjective(shape),
      (rows) => {
        const pass = rows.pass(own);
        return [
          (numRows) => {
            pass.forward(numRows);
            pass.gradOutputs.fill(1 / numRows);
            pass.backward(numRows);
          },
        ];
      },
      8,
    );
    const columns = batch(shape, 8);
    const gradient = fixture.gradient(0, columns, SCALARS);
    expect(gradient.some((value) => value !== 0)).toBe(true);
    expect(fixture.gradient(0, { ...columns, noise: columns.noise.map(() => 5) }, SCALARS)).toEqual(gradient);
  });
});
