/** Whole episodes against Gymnasium's, draw for draw: every observation, reward, flag and mask is equal. */
import { describe, expect, it } from 'vitest';
import { blackjackKernel } from '../../envs/blackjack.ts';
import { cliffWalkingKernel, cliffWalkingTask } from '../../envs/cliff-walking.ts';
import { frozenLakeKernel, frozenLakeTask } from '../../envs/frozen-lake.ts';
import { registerShippedEnvs } from '../../envs/index.ts';
import { optimalReturn } from '../../envs/tabular.ts';
import { taxiKernel, taxiTask, writeMask } from '../../envs/taxi.ts';
import type { EnvKernelFactory } from '../../src/env/env-kernel.ts';
import { resolveEnv } from '../../src/env/env-source.ts';
import { flatSize, unflattenObservation } from '../../src/env/flatten-space.ts';
import { readFixture, type ToyFixture } from './fixtures.ts';

const CASES: [string, EnvKernelFactory][] = [
  ['frozen-lake', frozenLakeKernel],
  ['cliff-walking', cliffWalkingKernel],
  ['taxi', taxiKernel],
  ['blackjack', blackjackKernel],
];

registerShippedEnvs();

describe.each(CASES)('%s', (name, create) => {
  const fixture = readFixture<ToyFixture>(name);
  it.each(fixture.runs.map((run) => [`${run.envId} ${JSON.stringify(run.options)}`, run] as const))(
    '%s',
    (_, run) => {
      const { options } = resolveEnv(run.envId);
      const kernel = create(1, { ...options, ...run.options, resetRng: 'numpy' });
      const row = new Float32Array(flatSize(kernel.observationSpace));
      const observe = () => {
        kernel.writeObservation(0, row, 0);
        return [unflattenObservation(kernel.observationSpace, row)].flat();
      };
      let numSteps = 0;
      for (const episode of run.episodes) {
        if (BigInt(episode.seed) > Number.MAX_SAFE_INTEGER) continue;
        kernel.reset(0, Number(episode.seed));
        expect(observe()).toEqual(episode.observations[0]);
        const seen = {
          observations: [observe()],
          rewards: [] as number[],
          masks: [maskOf()],
          terminated: [] as number[],
        };
        for (const action of episode.actions) {
          kernel.step(0, Int32Array.of(action), 0);
          seen.observations.push(observe());
          seen.rewards.push(kernel.rewards[0]);
          seen.terminated.push(kernel.terminated[0]);
          seen.masks.push(maskOf());
        }
        expect(seen.observations).toEqual(episode.observations);
        expect(seen.rewards).toEqual(episode.rewards);
        expect(seen.terminated).toEqual(
          episode.actions.map((_, t) => (t === episode.actions.length - 1 && episode.terminated ? 1 : 0)),
        );
        if (episode.masks.length > 0) expect(seen.masks).toEqual(episode.masks);
        if (episode.truncated) expect(kernel.maxEpisodeSteps).toBe(episode.actions.length);
        numSteps += episode.actions.length;
      }
      expect(numSteps).toBeGreaterThan(20);

      function maskOf(): string {
        const mask = new Uint8Array(6);
        if (name === 'taxi') writeMask((kernel.getState!(0) as { state: number }).state, mask, 0);
        return mask.join('');
      }
    },
  );
});

describe('optimal returns, by value iteration', () => {
  it('are those that Gymnasium states', () => {
    expect(optimalReturn(frozenLakeTask(), 100)).toBeCloseTo(0.74, 2);
    expect(optimalReturn(frozenLakeTask({ map: '8x8' }), 200)).toBeCloseTo(0.91, 2);
    expect(optimalReturn(cliffWalkingTask(), 200)).toBe(-13);
    expect(optimalReturn(taxiTask(), 200)).toBeCloseTo(7.93, 2);
  });
});
