/** Steps of a vector environment with random actions, for timing. */
import { flatActionSize, flattenAction } from '../src/env/flatten-action.ts';
import { sampleSpace } from '../src/env/space-values.ts';
import type { ActionArray, VectorEnv } from '../src/env/vector-env.ts';
import { openStream } from '../src/random/streams.ts';
import { makeRows } from '../test/env/step-rows.ts';

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
  const out = makeRows(env);
  const seeds = Uint32Array.from({ length: numEnvs }, (_, n) => n);
  env.reset(seeds, out);
  return (numSteps) => {
    for (let t = 0; t < numSteps; t++) {
      for (let n = 0; n < numEnvs; n++) seeds[n] += numEnvs;
      env.step(batches[t % batches.length], seeds, out);
    }
  };
}
