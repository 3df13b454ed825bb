/** Action noise: one stream per environment and episode, so that an episode's actions depend on its seed alone. */
import {
  type ActingDistribution,
  type ActingSpec,
  actionSize,
  isBehaviour,
  noiseSize,
} from '../policy/policy-spec.ts';
import { type EpisodeStream, openEpisodeStream } from '../random/episode-stream.ts';

/**
 * Fills the noise of consecutive rows.
 *
 * Discrete distributions draw uniforms, `gaussian` normals, `product` what each element wants, every step. `gsde` and `squashed-gsde` draw their whole matrix at the first
 * step of an episode and every `sampleFrequency` steps of it. Continuous behaviours draw A uniforms more, every step, whether they are
 * used or not: what a row draws must not depend on what was explored. Thread: lives in one thread; `noise` is that thread's own.
 */
export interface ActionNoise {
  /** Draws row r's noise for the coming action. */
  fill(r: number): void;
  /** Starts row r's stream for the episode with this seed; `numSteps` > 0 skips what its first steps drew. */
  begin(r: number, seedOfEpisode: number, numSteps?: number): void;
}

/** @param noise f32 [numRows, noiseSize]; overwritten. */
export function createActionNoise(spec: ActingSpec, numRows: number, noise: Float32Array): ActionNoise {
  const size = noiseSize(spec);
  const { distribution } = spec;
  const draw = createDraw(distribution, size, noise);
  const streams = Array.from({ length: numRows }, () => openEpisodeStream(0, 'action'));
  const steps = new Float64Array(numRows); // [numRows] steps drawn in the running episode

  const fill = (r: number): void => draw(streams[r], r * size, steps[r]++);

  return {
    fill,
    begin(r, seedOfEpisode, numSteps = 0) {
      streams[r].restart(seedOfEpisode);
      steps[r] = 0;
      for (let step = 0; step < numSteps; step++) fill(r);
    },
  };
}

/** Draws one row's noise, from `begin`, for step `step` of its episode. */
type Draw = (stream: EpisodeStream, begin: number, step: number) => void;

function createDraw(distribution: ActingDistribution, size: number, noise: Float32Array): Draw {
  const normals = (stream: EpisodeStream, begin: number, end: number): void => {
    for (let k = begin; k < end; k++) noise[k] = stream.normal();
  };
  const uniforms = (stream: EpisodeStream, begin: number, end: number): void => {
    for (let k = begin; k < end; k++) noise[k] = stream.uniform();
  };
  if ('sizes' in distribution || distribution.kind === 'bernoulli') {
    return (stream, begin) => uniforms(stream, begin, begin + size);
  }
  if (distribution.kind === 'product') {
    const isNumber = distribution.heads.flatMap((head) =>
      new Array<boolean>(actionSize(head)).fill(head.kind === 'gaussian'),
    );
    return (stream, begin) => {
      for (let k = 0; k < size; k++) noise[begin + k] = isNumber[k] ? stream.normal() : stream.uniform();
    };
  }
  const numUniforms = isBehaviour(distribution) ? distribution.size : 0;
  const numNormals = size - numUniforms;
  const isDue = createPeriod('sampleFrequency' in distribution ? distribution.sampleFrequency : 1);
  const process = distribution.kind === 'deterministic-tanh' ? distribution.ornsteinUhlenbeck : null;
  const keep = process === null ? 0 : 1 - process.theta * process.dt;
  const add = process === null ? 1 : Math.sqrt(process.dt);
  return (stream, begin, step) => {
    const middle = begin + numNormals;
    if (process !== null) {
      for (let k = begin; k < middle; k++)
        noise[k] = (step === 0 ? 0 : keep * noise[k]) + add * stream.normal();
    } else if (isDue(step)) normals(stream, begin, middle);
    uniforms(stream, middle, middle + numUniforms);
  };
}

/** Whether noise is drawn anew at a step of an episode; a period below 1 means once an episode. */
function createPeriod(period: number): (step: number) => boolean {
  if (period === 1) return () => true;
  return period > 1 ? (step) => step % period === 0 : (step) => step === 0;
}
