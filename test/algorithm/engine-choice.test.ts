/** Attention without the engine for it: refused by the name that was asked for. */
import { expect, test } from 'vitest';
import { chooseEngine } from '../../src/algorithm/engine-choice.ts';
import type { AttentionSpec } from '../../src/policy/policy-spec.ts';

const network: AttentionSpec = {
  ...{ kind: 'attention', size: 8, numHeads: 2, window: 4, numBlocks: 1 },
  ...{ hiddenSizes: [], activation: 'tanh', shared: false },
};

test('a backend that is not there is named with the option that wants it, and with what does without', async () => {
  const choice = chooseEngine({ network }, 0, { engine: 'auto', backend: 'webgpu' });
  await expect(choice).rejects.toMatchObject({
    code: 'ENGINE_BACKEND_MISSING',
    message: expect.stringMatching(
      /^recurrent: 'attention' learns on the TensorFlow engine\. The webgpu backend is missing.*set recurrent to 'lstm' or 'gru'/s,
    ),
  });
});

test('the kernels are refused, and auto takes TensorFlow', async () => {
  const onKernels = chooseEngine({ network }, 0, { engine: 'simd', backend: 'auto' });
  await expect(onKernels).rejects.toMatchObject({ code: 'CONFIG_ENGINE' });
  expect(await chooseEngine({ network }, 0, { engine: 'auto', backend: 'cpu' })).toMatchObject({
    engine: 'tensorflow',
  });
});
