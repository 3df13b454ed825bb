import { describe, expect, it } from 'vitest';
import { ON_POLICY_COLUMNS } from '../../src/experience/layout.ts';
import type { EpsilonGreedySpec } from '../../src/policy/distributions/epsilon-greedy.ts';
import type { BehaviourSpec } from '../../src/policy/policy-spec.ts';
import { openEpisodeStream } from '../../src/random/episode-stream.ts';
import { episodeSeed } from '../../src/random/streams.ts';
import { forwardReference } from '../reference/mlp-reference.ts';
import { EPISODE_LENGTH } from './fixtures/continuous-env.ts';
import { isTerminated, isTruncated, lengthOf, maskOf, observationOf } from './fixtures/counting-env.ts';
import { fixture, goOn, openGroup, play } from './open-group.ts';

const SEED = 7;
const GREEDY: EpsilonGreedySpec = {
  kind: 'epsilon-greedy',
  sizes: [3],
  numAtoms: 1,
  support: null,
  dueling: false,
};
const BOUNDS = { low: [-2, 0], high: [1, 0.5] };
const GAUSSIAN: BehaviourSpec = { kind: 'squashed-gaussian', size: 2, ...BOUNDS };
const TD3: BehaviourSpec = {
  kind: 'deterministic-tanh',
  size: 2,
  ornsteinUhlenbeck: { theta: 0.15, dt: 1 },
  ...BOUNDS,
};
const GSDE: BehaviourSpec = { kind: 'squashed-gsde', size: 2, sampleFrequency: 3, ...BOUNDS };
const counting = (behaviour: BehaviourSpec, options: object = {}) => ({
  source: fixture('counting-env', { masks: true }),
  numEnvs: 5,
  rolloutLength: 9,
  seed: SEED,
  behaviour,
  exploration: { epsilon: 0.4, noiseStd: 0.2, isRandom: false },
  ...options,
});

describe('a policy without a value head', () => {
  it.each([0, 2])('acts, and keeps every true last observation: %i runners', async (numEnvRunners) => {
    const { group, spec, parameters, publish } = await openGroup(counting(GREEDY, { numEnvRunners }));
    await group.start(null);
    const at = Array.from({ length: 5 }, (_, n) => ({
      episode: 0,
      step: 0,
      last: 1,
      stream: openEpisodeStream(episodeSeed(SEED, n, 0), 'action'),
    }));
    let numRandom = 0;
    for (let k = 0; k < 4; k++) {
      const { rollout } = await group.collect(publish());
      expect(rollout.values).toHaveLength(0);
      for (const [n, cursor] of at.entries()) {
        let numEnds = 0;
        for (let t = 0; t < 9; t++) {
          const i = n * 9 + t;
          const seed = episodeSeed(SEED, n, cursor.episode);
          const mask = maskOf(cursor.step);
          const { outputs } = forwardReference(spec, parameters, [
            observationOf(seed, cursor.step, cursor.last),
          ]);
          const [coin, choice] = [Math.fround(cursor.stream.uniform()), Math.fround(cursor.stream.uniform())];
          const allowed = [0, 1, 2].filter((a) => mask[a] === 1);
          const best = allowed.reduce((a, b) => (outputs[0][b] > outputs[0][a] ? b : a));
          numRandom += coin < 0.4 ? 1 : 0;
          expect(rollout.actions[i]).toBe(coin < 0.4 ? allowed[Math.floor(choice * allowed.length)] : best);
          cursor.step += 1;
          cursor.last = rollout.actions[i];
          const isOver = cursor.step === lengthOf(seed);
          expect(rollout.terminated[i]).toBe(isOver && isTerminated(seed) ? 1 : 0);
          expect(rollout.truncated[i]).toBe(isOver && isTruncated(seed) ? 1 : 0);
          expect(rollout.finalSlots[i]).toBe(isOver ? n * 9 + numEnds : -1);
          if (!isOver) continue;
          const slot = rollout.finalSlots[i];
          expect([...rollout.finalObservations.subarray(3 * slot, 3 * slot + 3)]).toEqual(
            observationOf(seed, cursor.step, cursor.last),
          );
          numEnds += 1;
          const episode = cursor.episode + 1;
          const stream = openEpisodeStream(episodeSeed(SEED, n, episode), 'action');
          Object.assign(cursor, { episode, step: 0, last: 1, stream });
        }
      }
    }
    expect(numRandom).toBeGreaterThan(40);
  });

  it.each([
    ['epsilon-greedy', GREEDY, 'counting-env', [2, 3]],
    ['squashed-gaussian', GAUSSIAN, 'continuous-env', []],
    ['deterministic-tanh', TD3, 'continuous-env', [2]],
    ['squashed-gsde', GSDE, 'continuous-env', []],
  ])(
    '%s: the same rollouts for any number of runners, and from saved states',
    async (_, behaviour, env, runners) => {
      const options = { source: fixture(env), rolloutLength: EPISODE_LENGTH - 2 };
      const open = (numEnvRunners: number) => openGroup(counting(behaviour, { ...options, numEnvRunners }));
      const alone = await open(0);
      const expected = await play(alone, 2);
      for (const numEnvRunners of runners) expect(await play(await open(numEnvRunners), 2)).toEqual(expected);
      const states = await alone.group.getStates();
      const rest = await goOn(alone, 2, 2);
      const resumed = await open(0);
      await resumed.group.start(states);
      expect(await goOn(resumed, 2, 2)).toEqual(rest);
    },
  );

  it('acts at random, and within bounds, where the version says so', async () => {
    const exploration = { epsilon: 0, noiseStd: 0, isRandom: true };
    const options = { source: fixture('continuous-env'), rolloutLength: EPISODE_LENGTH, exploration };
    const { group, publish } = await openGroup(counting(GAUSSIAN, options));
    await group.start(null);
    const { rollout } = await group.collect(publish());
    const stream = openEpisodeStream(episodeSeed(SEED, 0, 0), 'action');
    for (let t = 0; t < EPISODE_LENGTH; t++) {
      for (let k = 0; k < 2; k++) stream.normal();
      for (let a = 0; a < 2; a++) {
        const expected = Math.fround(2 * Math.fround(stream.uniform()) - 1);
        expect(rollout.actions[2 * t + a]).toBe(expected);
      }
    }
  });

  it('evaluates by its mode', async () => {
    const opened = await openGroup(
      counting(GREEDY, { exploration: { epsilon: 1, noiseStd: 0, isRandom: true } }),
    );
    const { group, publish } = opened;
    await group.start(null);
    publish();
    const request = {
      episodes: [0, 1, 2, 3],
      deterministic: true,
      seed: 5,
      numEnvs: 2,
      maxEpisodeSteps: 1000,
    };
    const greedy = await group.play(request);
    const calm = await openGroup(
      counting(GREEDY, { exploration: { epsilon: 0, noiseStd: 0, isRandom: false } }),
    );
    await calm.group.start(null);
    calm.publish();
    expect(await calm.group.play({ ...request, deterministic: false })).toEqual(greedy);
  });

  it.each([0, 2])(
    'values each row by its best allowed action where a rollout asks for it: %i runners',
    async (numEnvRunners) => {
      const options = { numEnvRunners, columns: ON_POLICY_COLUMNS };
      const { group, spec, parameters, publish } = await openGroup(counting(GREEDY, options));
      await group.start(null);
      const { rollout } = await group.collect(publish());
      const best = (observation: Float32Array | Uint8Array, mask: ArrayLike<number>) => {
        const { outputs } = forwardReference(spec, parameters, [[...observation]]);
        return Math.max(...outputs[0].filter((_, a) => mask[a] === 1));
      };
      const row = <T extends Float32Array | Uint8Array>(column: T, i: number) =>
        column.subarray(3 * i, 3 * i + 3);
      let numTruncated = 0;
      for (let i = 0; i < 45; i++) {
        expect(rollout.values[i]).toBeCloseTo(
          best(row(rollout.observations, i), row(rollout.actionMasks, i)),
          5,
        );
        if (rollout.truncated[i] === 0 || rollout.terminated[i] === 1) continue;
        numTruncated += 1;
        const n = Math.floor(i / 9);
        const ends = [...Array(i % 9).keys()].filter(
          (t) => rollout.terminated[n * 9 + t] + rollout.truncated[n * 9 + t] > 0,
        );
        const seed = episodeSeed(SEED, n, ends.length);
        const last = observationOf(seed, lengthOf(seed), rollout.actions[i]);
        expect(rollout.finalValues[i]).toBeCloseTo(best(Float32Array.from(last), [1, 1, 1]), 5);
      }
      expect(numTruncated).toBeGreaterThan(0);
      for (let n = 0; n < 5; n++) {
        const expected = best(row(rollout.bootstrapObservations, n), row(rollout.bootstrapMasks, n));
        expect(rollout.bootstrapValues[n]).toBeCloseTo(expected, 5);
      }
    },
  );
});
