/** Policies to serve: nobody asks how well they act. */
import { join } from 'node:path';
import { PPOConfig } from '../../src/index.ts';

/** Of 4 numbers, two hidden layers of 64, two actions. @returns the checkpoint's path. */
export async function makePlainPolicy(folder: string): Promise<string> {
  const algorithm = await new PPOConfig()
    .environment('CartPole-v1')
    .envRunners({ numEnvRunners: 0 })
    .training({ hiddenSizes: [64, 64] })
    .build();
  const path = await algorithm.save(join(folder, 'plain'));
  await algorithm.stop();
  return path;
}

/** A GRU, of 2 numbers. @returns the checkpoint's path. */
export async function makeRecurrentPolicy(folder: string): Promise<string> {
  const algorithm = await new PPOConfig()
    .environment('CartPoleNoVelocity-v0')
    .envRunners({ numEnvRunners: 0 })
    .training({ recurrent: 'gru', recurrentSize: 32 })
    .build();
  const path = await algorithm.save(join(folder, 'recurrent'));
  await algorithm.stop();
  return path;
}
