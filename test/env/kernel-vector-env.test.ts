/** What a vector environment of a kernel offers follows from what its kernel can do. */
import { expect, it } from 'vitest';
import { kernelVectorEnv } from '../../src/env/kernel-vector-env.ts';
import { Box, Discrete } from '../../src/env/spaces.ts';
import { userEnvKernel } from '../../src/env/vectorize.ts';

const kernel = userEnvKernel(
  () => ({
    observationSpace: new Box(0, 1, [1]),
    actionSpace: new Discrete(2),
    reset: () => ({ observation: [0] }),
    step: () => ({ observation: [1], reward: 0, terminated: false, truncated: false }),
  }),
  1,
  {},
);

it.each([
  ['is repeatable', {}, true],
  ['is not repeatable', { isRepeatable: false }, false],
  ['is not, but repeats what it is asked to', { isRepeatable: false, repeat: () => 1 }, true],
])('a kernel that %s: replay is there accordingly', (_, parts, isThere) => {
  expect('replay' in kernelVectorEnv({ ...kernel, ...parts })).toBe(isThere);
});
