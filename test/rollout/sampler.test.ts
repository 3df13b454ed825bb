import { describe, expect, it } from 'vitest';
import type { RolloutViews } from '../../src/experience/layout.ts';
import { openEpisodeStream } from '../../src/random/episode-stream.ts';
import { episodeSeed } from '../../src/random/streams.ts';
import { rowStatistics } from '../reference/distribution-reference.ts';
import { forwardReference, tensorsOf } from '../reference/mlp-reference.ts';
import { EPISODE_LENGTH } from './fixtures/continuous-env.ts';
import {
  isTerminated,
  isTruncated,
  lengthOf,
  maskOf,
  observationOf,
  rewardOf,
} from './fixtures/counting-env.ts';
import { fixture, type OpenedGroup, openGroup } from './open-group.ts';

const SEED = 7;

/** Where environment n stands: kept beside the rollout by the reference below. */
interface Cursor {
  episode: number;
  step: number;
  last: number;
  sum: number;
  uniforms: () => number;
}

function newEpisode(n: number, episode: number): Cursor {
  const stream = openEpisodeStream(episodeSeed(SEED, n, episode), 'action');
  return { episode, step: 0, last: 1, sum: 0, uniforms: () => stream.uniform() };
}

/** Plays the counting environment by its rules, with a float64 policy, and compares every number of the rollout. */
function checkRollout(
  { spec, parameters }: OpenedGroup,
  rollout: RolloutViews,
  cursors: Cursor[],
  hasMasks: boolean,
) {
  const T = rollout.rolloutLength;
  const policy = (observation: number[]) => {
    const { outputs, values, latent } = forwardReference(spec, parameters, [observation]);
    return { outputs: outputs[0], value: values[0], latent: latent[0] };
  };
  for (const [n, cursor] of cursors.entries()) {
    for (let t = 0; t < T; t++) {
      const i = n * T + t;
      const seed = episodeSeed(SEED, n, cursor.episode);
      const observation = observationOf(seed, cursor.step, cursor.last);
      const mask = hasMasks ? maskOf(cursor.step) : null;
      expect([...rollout.observations.subarray(3 * i, 3 * i + 3)]).toEqual(observation);
      if (mask !== null) expect([...rollout.actionMasks.subarray(3 * i, 3 * i + 3)]).toEqual(mask);

      const { outputs, value, latent } = policy(observation);
      const action = rollout.actions[i];
      expect(action).toBe(chooseAction(outputs, mask, Math.fround(cursor.uniforms())));
      const { logProb } = rowStatistics(spec, { outputs, latent, logStd: [], action: [action], mask });
      expect(rollout.logProbs[i]).toBeCloseTo(logProb, 4);
      expect(rollout.values[i]).toBeCloseTo(value, 4);

      cursor.step += 1;
      cursor.last = action;
      const reward = rewardOf(seed, cursor.step, action);
      cursor.sum += reward;
      const isOver = cursor.step === lengthOf(seed);
      expect(rollout.rewards[i]).toBe(reward);
      expect(rollout.terminated[i]).toBe(isOver && isTerminated(seed) ? 1 : 0);
      expect(rollout.truncated[i]).toBe(isOver && isTruncated(seed) ? 1 : 0);
      if (!isOver) continue;
      expect(rollout.episodeReturns[i]).toBe(cursor.sum);
      expect(rollout.episodeLengths[i]).toBe(cursor.step);
      if (!isTerminated(seed)) {
        const last = policy(observationOf(seed, cursor.step, cursor.last));
        expect(rollout.finalValues[i]).toBeCloseTo(last.value, 4);
      }
      Object.assign(cursor, newEpisode(n, cursor.episode + 1));
    }
    const after = observationOf(episodeSeed(SEED, n, cursor.episode), cursor.step, cursor.last);
    expect([...rollout.bootstrapObservations.subarray(3 * n, 3 * n + 3)]).toEqual(after);
    expect(rollout.bootstrapValues[n]).toBeCloseTo(policy(after).value, 4);
    if (hasMasks) expect([...rollout.bootstrapMasks.subarray(3 * n, 3 * n + 3)]).toEqual(maskOf(cursor.step));
  }
}

/** Inverse of the cumulative distribution; the float64 boundaries are never so near that float32 could decide otherwise. */
function chooseAction(outputs: readonly number[], mask: readonly number[] | null, uniform: number): number {
  const weights = outputs.map((logit, k) => (mask?.[k] === 0 ? 0 : Math.exp(logit)));
  const total = weights.reduce((a, b) => a + b);
  let below = 0;
  for (const [k, weight] of weights.entries()) {
    below += weight / total;
    expect(Math.abs(uniform - below)).toBeGreaterThan(1e-6);
    if (uniform < below) return k;
  }
  throw new Error('the weights do not add up');
}

describe('the sampler', () => {
  it.each([
    [0, false],
    [0, true],
    [2, true],
  ])('writes every column as the rules say: %i runners, masks %s', async (numEnvRunners, masks) => {
    const opened = await openGroup({
      source: fixture('counting-env', { masks }),
      numEnvs: 5,
      rolloutLength: 9,
      numEnvRunners,
      seed: SEED,
    });
    const { group, parameters, publish } = opened;
    expect(await group.start(null)).toEqual([]);
    const cursors = Array.from({ length: 5 }, (_, n) => newEpisode(n, 0));
    const sets = new Set<number>();
    for (let k = 0; k < 5; k++) {
      for (let i = 0; i < parameters.length; i++) parameters[i] *= 0.9; // every version has weights of its own
      const version = publish();
      const { rollout } = await group.collect(version);
      sets.add(rollout.byteOffset);
      expect([...rollout.policyVersions]).toEqual(new Array(5).fill(version));
      checkRollout(opened, rollout, cursors, masks);
    }
    expect(sets.size).toBe(2); // both block sets have been through this
  });

  it('reports episodes in the order (t, environment), and means of info.metrics', async () => {
    const { group, publish } = await openGroup({
      source: fixture('counting-env'),
      numEnvs: 4,
      rolloutLength: 10,
      numEnvRunners: 2,
      seed: SEED,
    });
    await group.start(null);
    const { rollout, episodes, metrics } = await group.collect(publish());
    const expected = [];
    let twice = 0;
    const rare: number[] = [];
    const at = [0, 0, 0, 0].map(() => ({ episode: 0, step: 0 }));
    for (let t = 0; t < 10; t++) {
      for (let n = 0; n < 4; n++) {
        const i = n * 10 + t;
        const seed = episodeSeed(SEED, n, at[n].episode);
        at[n].step += 1;
        twice += 2 * at[n].step;
        if (rollout.actions[i] === 2) rare.push(seed % 10);
        if (at[n].step < lengthOf(seed)) continue;
        expected.push({
          envIndex: n,
          episodeReturn: rollout.episodeReturns[i],
          episodeLength: lengthOf(seed),
        });
        at[n] = { episode: at[n].episode + 1, step: 0 };
      }
    }
    expect(expected.length).toBeGreaterThan(4);
    expect(episodes).toEqual(expected);
    expect(metrics.twice).toBeCloseTo(twice / 40, 12);
    expect(rare.length).toBeGreaterThan(0);
    expect(metrics.rare).toBeCloseTo(rare.reduce((a, b) => a + b) / rare.length, 12);
  });

  it('stores continuous actions as they were drawn and gives them clipped', async () => {
    const opened = await openGroup({
      source: fixture('continuous-env'),
      numEnvs: 2,
      rolloutLength: EPISODE_LENGTH + 5,
      seed: SEED,
    });
    const { group, spec, parameters, publish } = opened;
    const logStd = tensorsOf(spec, parameters)('logStd');
    parameters.fill(0.8, logStd.offset, logStd.offset + 2); // wide enough to leave the bounds
    await group.start(null);
    const { rollout } = await group.collect(publish());
    const T = rollout.rolloutLength;
    let numOutside = 0;
    for (let n = 0; n < 2; n++) {
      let normals = openEpisodeStream(episodeSeed(SEED, n, 0), 'action');
      for (let t = 0; t < T; t++) {
        if (t === EPISODE_LENGTH) normals = openEpisodeStream(episodeSeed(SEED, n, 1), 'action');
        const i = n * T + t;
        const observation = [...rollout.observations.subarray(4 * i, 4 * i + 4)];
        const { outputs, latent } = forwardReference(spec, parameters, [observation]);
        const std = Math.exp(Math.fround(0.8));
        const stored = [rollout.actions[2 * i], rollout.actions[2 * i + 1]];
        for (const [a, action] of stored.entries()) {
          expect(action).toBeCloseTo(outputs[0][a] + std * normals.normal(), 4);
        }
        const row = {
          outputs: outputs[0],
          latent: latent[0],
          logStd: [0.8, 0.8],
          action: stored,
          mask: null,
        };
        expect(rollout.logProbs[i]).toBeCloseTo(rowStatistics(spec, row).logProb, 3);
        const clipped = [Math.min(1, Math.max(-2, stored[0])), Math.min(0.5, Math.max(0, stored[1]))].map(
          Math.fround,
        );
        if (clipped[0] !== stored[0] || clipped[1] !== stored[1]) numOutside += 1;
        const isCut = rollout.truncated[i] === 1;
        if (!isCut && t + 1 < T) {
          expect([...rollout.observations.subarray(4 * i + 6, 4 * i + 8)]).toEqual(clipped);
        }
        expect(isCut).toBe(t === EPISODE_LENGTH - 1);
      }
    }
    expect(numOutside).toBeGreaterThan(5);
  });

  it('gives an environment rows that depend on its index alone, not on how many there are', async () => {
    const collect = async (numEnvs: number) => {
      const { group, publish } = await openGroup({
        source: fixture('counting-env'),
        numEnvs,
        rolloutLength: 20,
      });
      await group.start(null);
      const { rollout } = await group.collect(publish());
      return {
        observations: [...rollout.observations],
        values: [...rollout.values],
        logProbs: [...rollout.logProbs],
      };
    };
    const [three, eight] = [await collect(3), await collect(8)];
    expect(eight.observations.slice(0, 180)).toEqual(three.observations);
    expect(eight.values.slice(0, 60)).toEqual(three.values);
    expect(eight.logProbs.slice(0, 60)).toEqual(three.logProbs);
  });
});
