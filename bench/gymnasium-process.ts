/** Python's Gymnasium in a process of its own, which steps an environment when it is told to. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { defaultCache, pythonOf } from './peers/prepare.ts';

const SCRIPT = `
import sys
import gymnasium as gym
env = gym.make(sys.argv[1])
env.reset(seed=1)
env.action_space.seed(1)
actions = [env.action_space.sample() for _ in range(997)]
step = 0
print("ready", flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        _, _, terminated, truncated, _ = env.step(actions[step % 997])
        step += 1
        if terminated or truncated:
            env.reset()
    print("done", flush=True)
`;

export interface GymnasiumProcess {
  /** Takes random steps, drawn beforehand, and resets where an episode ends. */
  step(count: number): Promise<void>;
  close(): void;
}

/** OPERANT_GYM_PYTHON, the Python of `npm run bench:peers`, or python3: the first that has gymnasium. */
export function findGymnasium(): { readonly python: string; readonly version: string } | null {
  const candidates = [
    process.env.OPERANT_GYM_PYTHON ?? '',
    pythonOf(join(defaultCache(), 'base')),
    'python3',
  ];
  for (const python of candidates.filter((path) => path === 'python3' || existsSync(path))) {
    try {
      const version = execFileSync(python, ['-c', 'import gymnasium; print(gymnasium.__version__)'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      return { python, version: version.trim() };
    } catch {
      // The next one may have it.
    }
  }
  return null;
}

/** @returns null when Gymnasium has no environment of that name. */
export async function startGymnasium(python: string, envId: string): Promise<GymnasiumProcess | null> {
  const child: ChildProcessWithoutNullStreams = spawn(python, ['-c', SCRIPT, envId]);
  child.stderr.resume();
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<string | null> => {
    const { value, done } = await lines.next();
    return done ? null : value;
  };
  if ((await answer()) !== 'ready') return null;
  return {
    async step(count) {
      child.stdin.write(`${count}\n`);
      if ((await answer()) === null) throw new Error(`Gymnasium's ${envId} ended.`);
    },
    close: () => child.stdin.end(),
  };
}
