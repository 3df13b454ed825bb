/** Who takes part, and how each is started. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { type Prepared, pythonOf, type RltoolsProgram } from './prepare.ts';
import type { Command } from './run-task.ts';
import type { Task } from './task.ts';

export type ContestantName =
  | 'operant'
  | 'sb3'
  | 'sbx'
  | 'cleanrl'
  | 'jax-dqn'
  | 'rllib'
  | 'sb3-physics'
  | 'sb3-agents'
  | 'rllib-agents'
  | 'ray-tune'
  | 'sample-factory'
  | 'pufferlib'
  | 'rltools-1'
  | 'rltools-all'
  | 'reinforce-js'
  | 'rl-ts'
  | 'ppo-tfjs'
  | 'torch';

export interface Contestant {
  readonly name: ContestantName;
  readonly title: string;
  /** Key of {@link Prepared}; null = ours. */
  readonly needs: string | null;
}

export const CONTESTANTS: readonly Contestant[] = [
  { name: 'operant', title: 'Operant', needs: null },
  { name: 'sb3', title: 'Stable-Baselines3', needs: 'base' },
  { name: 'sbx', title: 'SBX', needs: 'base' },
  { name: 'cleanrl', title: "CleanRL's settings in PyTorch", needs: 'base' },
  { name: 'jax-dqn', title: "CleanRL's DQN in JAX", needs: 'base' },
  { name: 'torch', title: 'PyTorch', needs: 'base' },
  { name: 'rllib', title: 'RLlib', needs: 'rllib' },
  { name: 'sb3-physics', title: 'Stable-Baselines3 (Box2D, MuJoCo)', needs: 'physics' },
  { name: 'sb3-agents', title: 'PettingZoo with Stable-Baselines3', needs: 'agents' },
  { name: 'rllib-agents', title: 'RLlib, several agents', needs: 'agents-rllib' },
  { name: 'ray-tune', title: 'Ray Tune', needs: 'agents-rllib' },
  { name: 'sample-factory', title: 'Sample Factory', needs: 'sample-factory' },
  { name: 'pufferlib', title: 'PufferLib', needs: 'pufferlib' },
  { name: 'rltools-1', title: 'RLtools, one core', needs: 'rltools' },
  { name: 'rltools-all', title: 'RLtools, all cores', needs: 'rltools' },
  { name: 'reinforce-js', title: 'reinforce-js (DQN)', needs: 'reinforce-js' },
  { name: 'rl-ts', title: 'rl-ts', needs: 'rl-ts' },
  { name: 'ppo-tfjs', title: 'ppo-tfjs', needs: 'ppo-tfjs' },
];

export const titleOf = (name: string): string =>
  CONTESTANTS.find((contestant) => contestant.name === name)?.title ?? name;

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
export const REPOSITORY = here('../..');

const OURS = ['ours', 'ours-off-policy', 'ours-appo'] as const;

function ourProgram(task: Task | null): (typeof OURS)[number] {
  if (task?.kind === 'appo') return 'ours-appo';
  return task?.kind === 'off-policy' ? 'ours-off-policy' : 'ours';
}

/** Builds the package, and our contestants as plain modules in build/peers. */
export async function buildOurs(): Promise<void> {
  const built = spawnSync(process.execPath, ['.ci/build.mjs'], { cwd: REPOSITORY, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`The build failed:\n${built.stdout}${built.stderr}`);
  const folder = join(REPOSITORY, 'build/peers');
  mkdirSync(folder, { recursive: true });
  for (const name of OURS) {
    const source = readFileSync(here(`./${name}.ts`), 'utf8');
    const { code } = await transform(source, { loader: 'ts', format: 'esm' });
    writeFileSync(join(folder, `${name}.mjs`), code);
  }
  writeFileSync(join(folder, 'pixels.mjs'), readFileSync(here('./pixels.mjs'), 'utf8'));
}

const rltoolsProgram = (task: Task | null): RltoolsProgram => {
  const algorithm = task?.kind === 'off-policy' ? task.settings.algorithm : 'ppo';
  if (algorithm === 'dqn') throw new Error('RLtools has no DQN.');
  return algorithm;
};

/** Threads of a contestant's libraries; tuned by `tune-threads.ts`. */
export const threadEnvironment = (count: number): Readonly<Record<string, string>> => ({
  OMP_NUM_THREADS: String(count),
  MKL_NUM_THREADS: String(count),
  OPENBLAS_NUM_THREADS: String(count),
});

export function commandOf(
  name: ContestantName,
  prepared: ReadonlyMap<string, Prepared>,
  numThreads: number,
  seed: number,
  blasCore = '',
  task: Task | null = null,
): Command {
  const path = (key: string) => prepared.get(key)?.path ?? '';
  const python = (key: string, script: string, ...more: string[]): Command => ({
    program: pythonOf(path(key)),
    args: [here(`./python/${script}.py`), '{}', ...more],
    // An empty one has Python keep what it compiles, as users' do: where nothing may be written, a start compiles every library anew
    environment: { ...threadEnvironment(numThreads), PYTHONDONTWRITEBYTECODE: '' },
  });
  const node = (...args: string[]): Command => ({ program: process.execPath, args, environment: {} });
  const rltools = (count: number): Command => ({
    program: join(path('rltools'), rltoolsProgram(task)),
    args: [String(seed), ...(task?.kind === 'train' ? [String(task.steps)] : [])],
    environment: {
      ...threadEnvironment(count),
      ...(blasCore === '' ? {} : { OPENBLAS_CORETYPE: blasCore }),
    },
  });
  const tuneTrials = (...more: string[]) =>
    node('--import', join(REPOSITORY, '.ci/typescript.mjs'), here('./tune-trials.ts'), '{}', ...more);
  const ours = join(REPOSITORY, 'build/peers', `${ourProgram(task)}.mjs`);
  const stableBaselines = task?.kind === 'off-policy' ? 'off_policy_peer' : 'sb3_peer';
  switch (name) {
    case 'operant':
      if (task?.kind === 'tune') return tuneTrials();
      return node(ours, '{}', join(REPOSITORY, 'dist/src/index.js'));
    case 'sb3':
      return python('base', stableBaselines);
    case 'sbx':
      return python('base', stableBaselines, '--sbx');
    case 'cleanrl':
      return python('base', 'cleanrl_peer');
    case 'jax-dqn':
      return python('base', 'jax_dqn_peer');
    case 'torch':
      return python('base', 'torch_peer');
    case 'rllib':
      return python('rllib', task?.kind === 'appo' ? 'rllib_appo_peer' : 'rllib_peer');
    case 'sb3-physics':
      return python('physics', 'sb3_peer');
    case 'sb3-agents':
      return python('agents', 'sb3_agents_peer');
    case 'rllib-agents':
      return python('agents-rllib', 'rllib_agents_peer');
    case 'ray-tune':
      return tuneTrials(pythonOf(path('agents-rllib')));
    case 'sample-factory':
      return python('sample-factory', 'sample_factory_peer');
    case 'rltools-1':
      return rltools(1);
    case 'rltools-all':
      return rltools(numThreads);
    case 'reinforce-js':
      return node(
        here('./javascript/reinforce-dqn.mjs'),
        '{}',
        join(path('reinforce-js'), 'node_modules/reinforce-js/dist/index.js'),
      );
    default:
      throw new Error(`${name} is reported only: nobody could install it.`);
  }
}
