/** MuJoCo's tasks against golden data from Gymnasium with the native engine of the same version. */
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { registerShippedEnvs } from '../../envs/index.ts';
import { MUJOCO } from '../../envs/mujoco/peer.ts';
import type { EnvKernel, EnvKernelFactory } from '../../src/env/env-kernel.ts';
import { openNumpyRandom } from '../../src/env/numpy-random.ts';
import { findEnv } from '../../src/env/registry.ts';
import type { ObservationArray } from '../../src/env/vector-env.ts';
import { doubles, readFixture } from './fixtures.ts';
import { isInstalled } from './installed-envs.ts';

interface Fixture {
  readonly header: { readonly mujoco: string };
  readonly runs: readonly {
    readonly envId: string;
    readonly stride: number;
    readonly episodes: readonly {
      readonly seed: number;
      readonly first: string;
      readonly second: string;
      readonly observations: string;
      readonly actions: string;
      readonly rewards: string;
      readonly terminated: boolean;
      /** By how much Gymnasium differs from itself when the beginning is changed by 1e-15. */
      readonly chaos: number;
    }[];
  }[];
}

registerShippedEnvs();

describe.skipIf(!isInstalled(MUJOCO))('MuJoCo', async () => {
  const kernels = (await import('../../envs/mujoco-v5.ts')) as unknown as Record<string, EnvKernelFactory>;
  const fixture = readFixture<Fixture>('mujoco/mujoco');
  const kernelOf = (envId: string) => kernels[`${findEnv(envId).export}Kernel`];

  it('was recorded with the engine that is pinned', () => {
    expect(fixture.header.mujoco).toBe(MUJOCO.version);
    expect(fixture.runs).toHaveLength(11);
  });

  it.each(fixture.runs)(
    '$envId resets and takes one step within 1e-9, and 50 steps within 1e-6, rewards within 1e-7, or as chaotic as Gymnasium itself',
    ({ envId, stride, episodes }) => {
      const kernel = kernelOf(envId)(1, { resetRng: 'numpy' });
      const actionSize = (kernel.actionSpace as { readonly size: number }).size;
      for (const episode of episodes) {
        const [actions, rewards] = [Float32Array.from(doubles(episode.actions)), doubles(episode.rewards)];
        const observations = doubles(episode.observations); // [T, ceil(obsSize / stride)]
        const first = doubles(episode.first);
        const size = Math.ceil(first.length / stride);
        kernel.reset(0, episode.seed);
        expect(difference(observe(kernel, first.length), first), 'reset').toBeLessThan(1e-9);
        let worst = 0;
        let worstReward = 0;
        for (let t = 0; t < rewards.length; t++) {
          kernel.step(0, actions, t * actionSize);
          const ours = observe(kernel, first.length);
          if (t === 0) expect(difference(ours, doubles(episode.second)), 'one step').toBeLessThan(1e-9);
          const theirs = observations.subarray(t * size, (t + 1) * size);
          worst = Math.max(
            worst,
            difference(
              ours.filter((_, k) => k % stride === 0),
              theirs,
            ),
          );
          worstReward = Math.max(worstReward, Math.abs(kernel.rewards[0] - rewards[t]));
          const isLast = t === rewards.length - 1;
          expect(kernel.terminated[0] === 1).toBe(isLast && episode.terminated);
        }
        // A beginning of which no number but the last bit differs leads no farther from it in Gymnasium itself.
        expect(worst).toBeLessThan(Math.max(1e-6, 5 * episode.chaos));
        expect(worstReward).toBeLessThan(Math.max(1e-7, 5 * episode.chaos));
      }
      kernel.close?.();
    },
  );

  it('keeps its views when the memory grows, and gives the memory back', () => {
    const create = kernelOf('Hopper-v5');
    const kernel = create(1);
    kernel.reset(0, 1);
    const before = observe(kernel, 11);
    const others = create(100); // more than the heap begins with
    expect(observe(kernel, 11)).toEqual(before);
    kernel.step(0, Float32Array.of(0.1, 0.2, 0.3), 0);
    expect(observe(kernel, 11)).not.toEqual(before);
    others.close?.();
    for (let k = 0; k < 30; k++) create(100).close?.(); // 3 GB, where at most 2 can be had at a time
    kernel.close?.();
  });

  it('resets a hundred thousand times in the same memory', () => {
    const kernel = kernelOf('InvertedPendulum-v5')(1);
    const heap = () => process.memoryUsage().arrayBuffers + process.memoryUsage().external;
    kernel.reset(0, 0);
    const before = heap();
    for (let seed = 0; seed < 100_000; seed++) kernel.reset(0, seed);
    expect(heap() - before).toBeLessThan(8e6);
    kernel.close?.();
  });

  it('draws normal numbers as NumPy does', () => {
    const { values } = readFixture<{ readonly values: string }>('mujoco/normals');
    const random = openNumpyRandom(0);
    const theirs = doubles(values);
    expect(theirs.length).toBe(2000);
    expect(theirs.some((x) => Math.abs(x) > 3.6541528853610088)).toBe(true); // the tail
    const ours = Float64Array.from(theirs, () => random.normal());
    expect(difference(ours, theirs)).toBeLessThan(1e-14);
  });
});

function observe(kernel: EnvKernel, size: number): Float64Array {
  const row = new Float64Array(size);
  kernel.writeObservation(0, row as unknown as ObservationArray, 0);
  return row;
}

/** Relative to the number's size where that is above 1: forces on a humanoid are in the hundreds. */
function difference(ours: Float64Array, theirs: Float64Array): number {
  expect(ours.length).toBe(theirs.length);
  return ours.reduce(
    (worst, x, k) => Math.max(worst, Math.abs(x - theirs[k]) / Math.max(1, Math.abs(theirs[k]))),
    0,
  );
}
