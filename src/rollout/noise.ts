/** Action noise: one stream per environment and episode, so that an episode's actions depend on its seed alone. */
import { noiseSize, type PolicySpec } from '../policy/policy-spec.ts';
import { openEpisodeStream } from '../random/episode-stream.ts';

/**
 * Fills the noise of consecutive rows.
 *
 * Discrete distributions draw uniforms, `gaussian` normals, every step. `gsde` draws its whole matrix at the first step
 * of an episode and every `sampleFrequency` steps of it. Thread: lives in one thread; `noise` is that thread's own.
 */
export interface ActionNoise {
  /** Draws row r's noise for the coming action. */
  fill(r: number): void;
  /** Starts row r's stream for the episode with this seed; `numSteps` > 0 skips what its first steps drew. */
  begin(r: number, seedOfEpisode: number, numSteps?: number): void;
}

/** @param noise f32 [numRows, noiseSize]; overwritten. */
export function createActionNoise(spec: PolicySpec, numRows: number, noise: Float32Array): ActionNoise {
  const size = noiseSize(spec);
  const { distribution } = spec;
  const isNormal = distribution.kind === 'gaussian' || distribution.kind === 'gsde';
  const period =
    distribution.kind !== 'gsde'
      ? 1
      : distribution.sampleFrequency > 0
        ? distribution.sampleFrequency
        : Infinity;
  const streams = Array.from({ length: numRows }, () => openEpisodeStream(0, 'action'));
  const steps = new Float64Array(numRows); // [numRows] steps drawn in the running episode

  const fill = (r: number): void => {
    const step = steps[r]++;
    if (step > 0 && (period === Infinity || step % period !== 0)) return;
    const stream = streams[r];
    const end = (r + 1) * size;
    if (isNormal) for (let k = r * size; k < end; k++) noise[k] = stream.normal();
    else for (let k = r * size; k < end; k++) noise[k] = stream.uniform();
  };

  return {
    fill,
    begin(r, seedOfEpisode, numSteps = 0) {
      streams[r].restart(seedOfEpisode);
      steps[r] = 0;
      for (let step = 0; step < numSteps; step++) fill(r);
    },
  };
}
