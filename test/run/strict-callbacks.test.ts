import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import { PPOConfig } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

test("strictCallbacks reaches the run from the builder: a hook's error ends it, with a checkpoint", async () => {
  const out = join(temporaryFolder(), 'run');
  const config = new PPOConfig()
    .environment('CartPole-v1')
    .envRunners({ numEnvRunners: 0, numEnvs: 2, rolloutLength: 16 })
    .training({ numEpochs: 1, minibatchSize: 32 })
    .checkpointing({ out })
    .stopping({ stopIterations: 5 })
    .callbacks({
      onIterationEnd: ({ result }) => {
        if (result.iteration === 2) throw new Error('seen enough');
      },
    });
  await expect(config.run({ strictCallbacks: true })).rejects.toThrow('seen enough');
  expect((await loadCheckpoint(out)).manifest.description.iteration).toBe(2);
});
