/** Steps of a vector environment with random actions, for timing. */
import { flatActionSize, flattenAction } from '../src/env/flatten-action.ts';
import { flattenObservationSpace } from '../src/env/flatten-space.ts';
import { sampleSpace } from '../src/env/space-values.ts';
import type { ActionArray, StepRows, VectorEnv } from '../src/env/vector-env.ts';
import { openStream } from '../src/random/streams.ts';

/** @returns what takes so many vector steps. Actions are drawn beforehand, so masks are written but not obeyed: that is the policy's part. */
export function openRandomSteps(env: VectorEnv): (numSteps: number) => void {
  const { numEnvs } = env;
  const size = flatActionSize(env.actionSpace);
  const stream = openStream(1, 'bench', 'native');
  const isBox = env.actionSpace.kind === 'box';
  const batches = Array.from({ length: 31 }, (): ActionArray => {
    const actions = isBox ? new Float32Array(numEnvs * size) : new Int32Array(numEnvs * size);
    for (let n = 0; n < numEnvs; n++)
      flattenAction(env.actionSpace, sampleSpace(env.actionSpace, stream), actions, n * size);
    return actions;
  });
  const out = denseRows(env);
  const seeds = Uint32Array.from({ length: numEnvs }, (_, n) => n);
  env.reset(seeds, out);
  return (numSteps) => {
    for (let t = 0; t < numSteps; t++) {
      for (let n = 0; n < numEnvs; n++) seeds[n] += numEnvs;
      env.step(batches[t % batches.length], seeds, out);
    }
  };
}

function denseRows(env: VectorEnv): StepRows {
  const { numEnvs } = env;
  const { size, dtype } = flattenObservationSpace(env.observationSpace);
  const make = () => (dtype === 'uint8' ? new Uint8Array(numEnvs * size) : new Float32Array(numEnvs * size));
  return {
    observations: make(), // [numEnvs, obsSize]
    observationOffset: 0,
    observationStride: size,
    rewards: new Float32Array(numEnvs),
    terminated: new Uint8Array(numEnvs),
    truncated: new Uint8Array(numEnvs),
    scalarOffset: 0,
    scalarStride: 1,
    actionMasks: env.actionMaskSize > 0 ? new Uint8Array(numEnvs * env.actionMaskSize) : null,
    maskOffset: 0,
    maskStride: env.actionMaskSize,
    finalObservations: make(), // [numEnvs, obsSize]
    onMetric: null,
  };
}
