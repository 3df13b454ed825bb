/** What an environment does wrong while a run goes on is told to somebody: to a hook, or as a warning. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Box, Discrete, type Env, PPOConfig } from '../../src/index.ts';
import type { RunWarning } from '../../src/run/run-callbacks.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const outOfBounds = (): Env => ({
  observationSpace: new Box(-1, 1, [2]),
  actionSpace: new Discrete(2),
  reset: () => ({ observation: [0, 0] }),
  step: () => ({ observation: [7, 0], reward: 1, terminated: true, truncated: false }),
});

async function warningsOf(hear?: (message: string) => void): Promise<readonly RunWarning[]> {
  const warnings: RunWarning[] = [];
  const config = new PPOConfig()
    .environment(outOfBounds)
    .envRunners({ numEnvRunners: 0, numEnvs: 2, rolloutLength: 16 })
    .training({ minibatchSize: 32, numEpochs: 1, hiddenSizes: [4] })
    .checkpointing({ out: join(temporaryFolder(), 'run') })
    .stopping({ stopIterations: 2 });
  if (hear !== undefined) config.callbacks({ onEnvFault: ({ fault }) => hear(fault.error.message) });
  await config.run({ onWarning: (warning) => void warnings.push(warning) });
  return warnings;
}

test('an observation out of its bounds is a warning, once for each environment, with its value', async () => {
  const warnings = (await warningsOf()).filter(({ kind }) => kind === 'environment');
  expect(warnings[0].message).toMatch(/outOfBounds.* 7.*: it was taken as it is$/);
  expect(warnings.length).toBeLessThanOrEqual(2);
});

test('a hook that hears of it is told instead', async () => {
  const heard: string[] = [];
  const warnings = await warningsOf((message) => void heard.push(message));
  expect(warnings.filter(({ kind }) => kind === 'environment')).toEqual([]);
  expect(heard[0]).toMatch(/outOfBounds/);
});
