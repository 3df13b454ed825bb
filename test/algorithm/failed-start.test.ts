import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { PPOConfig } from '../../src/index.ts';

const TROUBLED = fileURLToPath(new URL('../rollout/fixtures/troubled-env.ts', import.meta.url));

const numPorts = () => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;

it.each([
  [
    'an environment that throws in its first reset',
    { trouble: 'throw', where: 'reset' },
    { engine: 'simd' },
    'ENV_RESET_THREW',
  ],
  [
    'an environment that throws when it is made',
    { trouble: 'throw', where: 'constructor' },
    { engine: 'simd' },
    'CONFIG_ENV_FACTORY',
  ],
] as const)('%s leaves no thread behind', async (_, envOptions, learners, code) => {
  for (const numEnvRunners of [0, 2]) {
    const before = numPorts();
    const config = new PPOConfig()
      .environment(TROUBLED, envOptions)
      .envRunners({ numEnvRunners, numEnvs: 2 })
      .learners(learners);
    await expect(config.build()).rejects.toMatchObject({
      code,
      message: expect.stringContaining('out of luck'),
    });
    await vi.waitFor(() => expect(numPorts()).toBeLessThanOrEqual(before), 5000);
  }
});

it('a learner that cannot start leaves no thread behind', async () => {
  const before = numPorts();
  const config = new PPOConfig()
    .environment(TROUBLED)
    .envRunners({ numEnvRunners: 2, numEnvs: 2, inference: 'central' })
    .learners({ engine: 'simd' });
  await expect(config.build()).rejects.toMatchObject({ name: 'ConfigError' });
  await vi.waitFor(() => expect(numPorts()).toBeLessThanOrEqual(before), 5000);
});
