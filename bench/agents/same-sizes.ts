/** Single agents that see and do what the agents of a game do, in a world that costs next to nothing: what several agents take beside as many single rows. */
import { type EnvKernelFactory, stepResults } from '../../src/env/env-kernel.ts';
import { singleFactory, vectorFactory } from '../../src/env/kernel-env.ts';
import { registerEnv } from '../../src/env/registry.ts';
import { Box, Discrete } from '../../src/env/spaces.ts';

const EPISODE_LENGTH = 10;

/** Observations are bits that move on with the step; every action is allowed. Options: `size`, `numActions`, `masksActions`. */
const sameSizesKernel: EnvKernelFactory = (numEnvs, options = {}) => {
  const { size, numActions, masksActions } = options as {
    readonly size: number;
    readonly numActions: number;
    readonly masksActions: boolean;
  };
  const steps = new Int32Array(numEnvs);
  const { rewards, terminated, truncated } = stepResults(numEnvs);
  return {
    envId: 'SameSizes-v0',
    numEnvs,
    observationSpace: new Box(0, 1, [size]),
    actionSpace: new Discrete(numActions),
    maxEpisodeSteps: null,
    masksActions,
    ...{ rewards, terminated, truncated },
    reset(n) {
      steps[n] = 0;
    },
    step(n, actions, offset) {
      steps[n] += 1;
      rewards[n] = actions[offset] === steps[n] % numActions ? 1 : 0;
      terminated[n] = steps[n] === EPISODE_LENGTH ? 1 : 0;
    },
    writeObservation(n, out, offset) {
      for (let k = 0; k < size; k++) out[offset + k] = k % EPISODE_LENGTH === steps[n] ? 1 : 0;
    },
    writeMask(_n, out, offset) {
      out.fill(1, offset, offset + numActions);
    },
  };
};

export const sameSizes = singleFactory(sameSizesKernel);
export const sameSizesVector = vectorFactory(sameSizesKernel);

export function registerSameSizes(): void {
  registerEnv('SameSizes-v0', {
    module: import.meta.url,
    export: 'sameSizes',
    vectorExport: 'sameSizesVector',
  });
}
