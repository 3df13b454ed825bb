/** What is put under fire: the sources as they are, or, much quicker to start and what users run, the compiled package. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';
import { DQNConfig, PPOConfig } from '../../src/index.ts';

export interface Subject {
  readonly PPOConfig: typeof PPOConfig;
  readonly DQNConfig: typeof DQNConfig;
  /** Module of the environment that fails when it is told to. */
  readonly env: string;
  /** Arguments of node that train from the command line. */
  readonly train: readonly string[];
}

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const ENV = fileURLToPath(new URL('./faulty-env.ts', import.meta.url));

export const SOURCES: Subject = {
  PPOConfig,
  DQNConfig,
  env: ENV,
  train: ['--import', 'tsx', path('../../src/cli/train.ts')],
};

/** Builds the package; the environment becomes JavaScript in `folder`, so that threads need no loader. */
export async function compiledSubject(folder: string): Promise<Subject> {
  execFileSync(process.execPath, [path('../../.ci/build.mjs')], { stdio: 'inherit' });
  const env = join(folder, 'faulty-env.mjs');
  buildSync({ entryPoints: [ENV], outfile: env, bundle: true, format: 'esm', platform: 'node' });
  const operant = await import(pathToFileURL(path('../../dist/src/index.js')).href);
  return {
    PPOConfig: operant.PPOConfig,
    DQNConfig: operant.DQNConfig,
    env,
    train: [path('../../dist/src/cli/train.js')],
  };
}
