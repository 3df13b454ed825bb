/** LunarLander and BipedalWalker against golden data from Gymnasium, whose Box2D computes in single precision. */
import { describe, expect, it } from 'vitest';
import { bipedalWalkerKernel } from '../../envs/bipedal-walker.ts';
import { drawCourse } from '../../envs/box2d/course.ts';
import { createLander } from '../../envs/box2d/lander.ts';
import { lunarLanderKernel } from '../../envs/lunar-lander.ts';
import type { EnvKernel } from '../../src/env/env-kernel.ts';
import { flatActionSize } from '../../src/env/flatten-action.ts';
import { flatSize } from '../../src/env/flatten-space.ts';
import { openNumpyRandom } from '../../src/env/numpy-random.ts';
import type { JsonObject } from '../../src/json.ts';
import { createWalkerPilot, pilotLander } from './box2d-pilots.ts';
import { doubles, readFixture } from './fixtures.ts';

interface Steps {
  readonly seed: number;
  readonly actions: string;
  readonly observations: string;
  readonly rewards: string;
}

interface PilotEpisode {
  readonly seed: number;
  readonly return: number;
  readonly steps: number;
  readonly outcome: string;
}

interface LanderFixture {
  readonly runs: readonly {
    readonly envId: string;
    readonly options: JsonObject;
    readonly flights: readonly (Steps & { readonly ground: string })[];
  }[];
  readonly pilots: readonly { readonly envId: string; readonly episodes: readonly PilotEpisode[] }[];
}

interface WalkerFixture {
  readonly runs: readonly {
    readonly envId: string;
    readonly options: JsonObject;
    readonly courses: readonly (Steps & { readonly heights: string; readonly boxes: string })[];
  }[];
  readonly pilot: readonly PilotEpisode[];
}

/** A thing of single precision is that of double precision, rounded. */
const rounded = (values: Iterable<number>) => [...Float32Array.from(values)];

describe('LunarLander', () => {
  const fixture = readFixture<LanderFixture>('box2d/lunar-lander');

  describe.each(fixture.runs)('$envId $options', ({ options, flights }) => {
    it('has the same ground, to the last bit', () => {
      for (const { seed, ground } of flights) {
        const { heights } = createLander(openNumpyRandom(seed), -10, false);
        expect(rounded(heights)).toEqual([...doubles(ground)]);
      }
    });

    it('begins alike within 1e-6 and flies alike within 2e-5 until it touches something', () => {
      const kernel = lunarLanderKernel(1, { ...options, resetRng: 'numpy' });
      for (const flight of flights) {
        const errors = differences(kernel, flight);
        expect(errors.numSteps).toBeGreaterThan(50);
        expect(errors.first).toBeLessThan(1e-6);
        expect(errors.observation).toBeLessThan(2e-5);
        expect(errors.reward).toBeLessThan(1e-3); // 100 times the observations'
      }
    });
  });

  it.each(fixture.pilots)('$envId ends alike under the pilot for 95% of seeds', ({ envId, episodes }) => {
    const continuous = envId.includes('Continuous');
    const kernel = lunarLanderKernel(1, { continuous, resetRng: 'numpy' });
    const ours = episodes.map(({ seed }) =>
      playPilot(kernel, seed, 1000, (o) => pilotLander(o, continuous), ['landed', 'lost']),
    );
    const numAlike = ours.filter(({ outcome }, k) => outcome === episodes[k].outcome).length;
    expect(episodes).toHaveLength(200);
    expect(new Set(episodes.map(({ outcome }) => outcome)).size).toBeGreaterThan(1);
    expect(numAlike).toBeGreaterThanOrEqual(190);
    // Of those that ended alike nearly all took the same way.
    const close = ours.filter((episode, k) => Math.abs(episode.return - episodes[k].return) < 5).length;
    expect(close).toBeGreaterThanOrEqual(170);
  });

  it('lies still after a landing, and sleeps', () => {
    const kernel = lunarLanderKernel(1, { resetRng: 'numpy' });
    const { rewards } = playPilot(kernel, 3, 1000, (o) => pilotLander(o, false), ['landed', 'lost']);
    expect(rewards.at(-1)).toBe(100);
    const row = observe(kernel);
    expect([row[6], row[7]]).toEqual([1, 1]);
    expect(Math.hypot(row[2], row[3], row[5])).toBe(0);
  });

  it('draws what each option says', () => {
    for (const options of [{ gravity: 0 }, { gravity: -12 }, { windPower: 21 }, { turbulencePower: -1 }])
      expect(() => lunarLanderKernel(1, options)).toThrow(/Expected option/);
    const [calm, windy] = [{}, { enableWind: true }].map((options) => lunarLanderKernel(1, options));
    for (const kernel of [calm, windy]) {
      kernel.reset(0, 4);
      kernel.step(0, Int32Array.of(0), 0);
    }
    expect(observe(calm)).not.toEqual(observe(windy));
  });
});

describe('BipedalWalker', () => {
  const fixture = readFixture<WalkerFixture>('box2d/bipedal-walker');

  describe.each(fixture.runs)('$envId', ({ options, courses }) => {
    it('has the same course, to the last bit', () => {
      let numBlocks = 0;
      for (const { seed, heights, boxes } of courses) {
        const course = drawCourse(openNumpyRandom(seed), options.hardcore === true);
        expect(rounded(course.heights)).toEqual([...doubles(heights)]);
        const ours = course.blocks
          .map((corners) => {
            const [xs, ys] = [0, 1].map((axis) => corners.map((corner) => corner[axis]));
            return rounded([Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]);
          })
          .sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
        expect(ours.flat()).toEqual([...doubles(boxes)]);
        numBlocks += ours.length;
      }
      expect(numBlocks > 20).toBe(options.hardcore === true);
    });

    it('begins alike within 1e-5 and moves alike within 1e-3, contacts and limits included', () => {
      const kernel = bipedalWalkerKernel(1, { ...options, resetRng: 'numpy' });
      for (const course of courses) {
        const errors = differences(kernel, course);
        expect(errors.numSteps).toBe(40);
        expect(errors.first).toBeLessThan(1e-5);
        expect(errors.observation).toBeLessThan(1e-3);
        expect(errors.reward).toBeLessThan(1e-3);
      }
    });
  });

  it('is walked by the pilot as far as in Gymnasium, and falls as often', () => {
    const kernel = bipedalWalkerKernel(1, { resetRng: 'numpy' });
    const pairs = fixture.pilot.slice(0, 24).map((theirs) => {
      const ours = playPilot(kernel, theirs.seed, 1600, createWalkerPilot(), ['arrived', 'fell']);
      return { ours, theirs };
    });
    // The walk is chaotic: after some hundred steps the last bit of single precision decides.
    const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x) / values.length;
    const meanOf = (episodes: readonly { return: number }[]) => mean(episodes.map((one) => one.return));
    const spread = Math.sqrt(
      mean(pairs.map(({ theirs }) => (theirs.return - meanOf(fixture.pilot)) ** 2)) * (2 / pairs.length),
    );
    const difference = meanOf(pairs.map(({ ours }) => ours)) - meanOf(pairs.map(({ theirs }) => theirs));
    expect(Math.abs(difference)).toBeLessThan(3 * spread);
    // Those that soon fall do so in the same step.
    const early = pairs.filter(({ theirs }) => theirs.steps < 200);
    const numAlike = early.filter(({ ours, theirs }) => ours.rewards.length === theirs.steps).length;
    expect(early.length).toBeGreaterThan(4);
    expect(numAlike).toBeGreaterThanOrEqual(early.length - 1);
  });
});

function observe(kernel: EnvKernel): Float32Array {
  const row = new Float32Array(flatSize(kernel.observationSpace));
  kernel.writeObservation(0, row, 0);
  return row;
}

/** Largest differences over recorded steps, from the seed on. */
function differences(kernel: EnvKernel, steps: Steps) {
  const size = flatSize(kernel.observationSpace);
  const actionSize = flatActionSize(kernel.actionSpace);
  const actions = Float32Array.from(doubles(steps.actions)); // [T, actionSize]
  const observations = doubles(steps.observations); // [T + 1, size]
  const rewards = doubles(steps.rewards); // [T]
  const errorAt = (t: number) =>
    observe(kernel).reduce((worst, x, k) => Math.max(worst, Math.abs(x - observations[t * size + k])), 0);
  kernel.reset(0, steps.seed);
  const first = errorAt(0);
  let observation = first;
  let reward = 0;
  for (let t = 0; t < rewards.length; t++) {
    kernel.step(0, actions, t * actionSize);
    observation = Math.max(observation, errorAt(t + 1));
    reward = Math.max(reward, Math.abs(kernel.rewards[0] - rewards[t]));
  }
  return { numSteps: rewards.length, first, observation, reward };
}

function playPilot(
  kernel: EnvKernel,
  seed: number,
  limit: number,
  pilot: (o: Float32Array) => number[],
  [good, bad]: readonly [string, string],
) {
  kernel.reset(0, seed);
  const rewards: number[] = [];
  do {
    kernel.step(0, Float32Array.from(pilot(observe(kernel))), 0);
    rewards.push(kernel.rewards[0]);
  } while (kernel.terminated[0] === 0 && rewards.length < limit);
  const outcome = kernel.terminated[0] === 0 ? 'limit' : kernel.rewards[0] > -50 ? good : bad;
  return { outcome, return: rewards.reduce((sum, x) => sum + x), rewards };
}
