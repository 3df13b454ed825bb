import { describe, expect, it } from 'vitest';
import { createActionNoise } from '../../src/acting/noise.ts';
import { type BehaviourSpec, type DistributionSpec, noiseSize } from '../../src/policy/policy-spec.ts';
import { openEpisodeStream } from '../../src/random/episode-stream.ts';
import { bernoulli, categorical, gaussian, makeActingSpec, makeSpec } from '../reference/policy-specs.ts';

const gsde = (sampleFrequency: number): DistributionSpec => ({
  kind: 'gsde',
  size: 2,
  squash: false,
  sampleFrequency,
  low: [-1, -1],
  high: [1, 1],
});

/** The noise of each of `numSteps` steps of an episode, row 1 of 2. */
function draw(
  distribution: DistributionSpec | BehaviourSpec,
  seed: number,
  numSteps: number,
  skipped = 0,
): number[][] {
  const spec = makeActingSpec(distribution, { hiddenSizes: [3] });
  const size = noiseSize(spec);
  const noise = new Float32Array(2 * size).fill(Number.NaN);
  const actionNoise = createActionNoise(spec, 2, noise);
  actionNoise.begin(1, seed, skipped);
  return Array.from({ length: numSteps }, () => {
    actionNoise.fill(1);
    expect(noise.subarray(0, size).every(Number.isNaN)).toBe(true); // row 0 is somebody else's
    return [...noise.subarray(size)];
  });
}

describe('createActionNoise', () => {
  it.each([
    ['categorical', categorical(3, 2)],
    ['bernoulli', bernoulli(2)],
  ])('draws uniforms of the stream `action` of the episode for %s', (_, distribution) => {
    const stream = openEpisodeStream(123, 'action');
    const expected = Array.from({ length: 5 }, () => [stream.uniform(), stream.uniform()].map(Math.fround));
    expect(draw(distribution, 123, 5)).toEqual(expected);
  });

  it('draws normals for a gaussian', () => {
    const stream = openEpisodeStream(9, 'action');
    const expected = Array.from({ length: 4 }, () => [stream.normal(), stream.normal()].map(Math.fround));
    expect(draw(gaussian(2), 9, 4)).toEqual(expected);
  });

  it.each([
    [1, [0, 1, 2, 3, 4, 5, 6]],
    [3, [0, 0, 0, 1, 1, 1, 2]],
    [-1, [0, 0, 0, 0, 0, 0, 0]],
  ])('renews the gSDE matrix with sample frequency %i', (sampleFrequency, expected) => {
    const stream = openEpisodeStream(5, 'action');
    const matrices = Array.from({ length: 7 }, () =>
      Array.from({ length: 6 }, () => Math.fround(stream.normal())),
    );
    expect(draw(gsde(sampleFrequency), 5, 7)).toEqual(expected.map((k) => matrices[k]));
  });

  it.each([
    ['categorical', categorical(4)],
    ['gaussian', gaussian(3)],
    ['gsde, renewed', gsde(4)],
    ['gsde, once', gsde(-1)],
  ])('goes on in mid-episode as if it had been there from the start: %s', (_, distribution) => {
    for (const skipped of [1, 3, 4, 5, 8]) {
      expect(draw(distribution, 77, 6, skipped)).toEqual(draw(distribution, 77, 6 + skipped).slice(skipped));
    }
  });

  it('begins every episode afresh', () => {
    const spec = makeSpec(gsde(-1), { hiddenSizes: [3] });
    const noise = new Float32Array(noiseSize(spec));
    const actionNoise = createActionNoise(spec, 1, noise);
    const fill = () => {
      actionNoise.fill(0);
      return [...noise];
    };
    actionNoise.begin(0, 1);
    const first = fill();
    actionNoise.begin(0, 2);
    const second = fill();
    actionNoise.begin(0, 1);
    expect(second).not.toEqual(first);
    expect(fill()).toEqual(first);
  });

  it('draws uniforms after the normals for continuous behaviours', () => {
    const stream = openEpisodeStream(4, 'action');
    const row = () => [stream.normal(), stream.normal(), stream.uniform(), stream.uniform()].map(Math.fround);
    const expected = Array.from({ length: 3 }, row);
    const spec: BehaviourSpec = { kind: 'squashed-gaussian', size: 2, low: [-1, -1], high: [1, 1] };
    expect(draw(spec, 4, 3)).toEqual(expected);
  });

  it('lets an Ornstein-Uhlenbeck process begin with every episode, and finds it again in the middle of one', () => {
    const stream = openEpisodeStream(6, 'action');
    const expected: number[] = [];
    let e = 0;
    for (let step = 0; step < 5; step++) {
      e = Math.fround(e - 0.15 * e * 0.25 + 0.5 * stream.normal()); // dt = 0.25
      stream.uniform();
      expected.push(e);
    }
    const spec: BehaviourSpec = {
      kind: 'deterministic-tanh',
      size: 1,
      low: [-1],
      high: [1],
      ornsteinUhlenbeck: { theta: 0.15, dt: 0.25 },
    };
    const drawn = draw(spec, 6, 5).map(([normal]) => normal);
    for (const [k, value] of drawn.entries()) expect(value).toBeCloseTo(expected[k], 6);
    expect(draw(spec, 6, 2, 3).map(([normal]) => normal)).toEqual(drawn.slice(3));
  });
});
