/** A time limit around a vector environment. */
import { flattenObservationSpace } from '../flatten-space.ts';
import type { StepRows, VectorEnv } from '../vector-env.ts';
import { checkCount } from './time.ts';
import { hasEnded, requireSameStep, rowAt, splitState } from './transform-vector-env.ts';
import { wrapVectorEnv } from './wrap-vector-env.ts';

/** As `timeLimit`; of two limits the smaller counts. Cost: a count a row, and a reset of those that it cuts. */
export function limitVectorTime(env: VectorEnv, maxEpisodeSteps: number): VectorEnv {
  requireSameStep(env);
  checkCount('timeLimit', 'maxEpisodeSteps', maxEpisodeSteps);
  const { size } = flattenObservationSpace(env.observationSpace);
  const elapsed = new Float64Array(env.numRows); // [numRows] f64
  const isCut = new Uint8Array(env.numRows); // [numRows] u8
  const cut = (n: number, out: StepRows) => {
    out.truncated[out.scalarOffset + n * out.scalarStride] = 1;
    const row = rowAt(out, n);
    for (let k = 0; k < size; k++) out.finalObservations[n * size + k] = out.observations[row + k];
    isCut[n] = 1;
  };
  return wrapVectorEnv<VectorEnv>(env, {
    maxEpisodeSteps: Math.min(maxEpisodeSteps, env.maxEpisodeSteps ?? Infinity),
    ...(env.frameStack && { frameStack: env.frameStack }),
    ...(env.lastReward && { lastReward: (n: number) => env.lastReward?.(n) ?? 0 }),
    reset(seeds, out) {
      env.reset(seeds, out);
      elapsed.fill(0);
    },
    resetRows(mask, seeds, out) {
      env.resetRows(mask, seeds, out);
      for (let n = 0; n < env.numRows; n++) if (mask[n] === 1) elapsed[n] = 0;
    },
    step(actions, nextSeeds, out) {
      env.step(actions, nextSeeds, out);
      isCut.fill(0);
      for (let n = 0; n < env.numRows; n++) {
        elapsed[n] += 1;
        const isOver = hasEnded(out, n);
        if (elapsed[n] >= maxEpisodeSteps) {
          if (isOver) out.truncated[out.scalarOffset + n * out.scalarStride] = 1;
          else cut(n, out);
        }
        if (isOver || isCut[n] === 1) elapsed[n] = 0;
      }
      if (isCut.includes(1)) env.resetRows(isCut, nextSeeds, out);
    },
    ...(env.getState && {
      getState(n) {
        const inner = env.getState?.(n) ?? null;
        return inner === null ? null : { inner, own: elapsed[n] };
      },
    }),
    ...(env.setState && {
      setState(n, state, out) {
        const { inner, own } = splitState(state);
        env.setState?.(n, inner, out);
        elapsed[n] = own as number;
      },
    }),
    ...(env.replay && {
      replay(n, seed, actions, numSteps, out) {
        if (seed !== null) elapsed[n] = 0;
        elapsed[n] += numSteps;
        const isSame = env.replay?.(n, seed, actions, numSteps, out) ?? false;
        return isSame && (numSteps === 0 || elapsed[n] < maxEpisodeSteps);
      },
    }),
  });
}
