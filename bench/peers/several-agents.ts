/** Workloads 16 to 18. */
import { type Entry, entry } from './entries.ts';
import type { AgentsTask } from './task.ts';

/** Of agents; each has an iteration of 1024 steps of games at least. Ours has time for V8 to compile outside of the clock, RLlib its first iteration. */
const AGENTS_STEPS = { operant: 400_000, 'sb3-agents': 4096, 'rllib-agents': 2048 } as const;
const AGENTS_SECONDS = 600;

/** PPO with the same settings (2 x 64, minibatches of 256, four epochs) in eight games of 128 steps; one thread each. */
export function severalAgents(
  game: AgentsTask['game'],
  env: string,
  numActing: number,
  seed: number,
): readonly Entry[] {
  return (['operant', 'sb3-agents', 'rllib-agents'] as const).map((contestant): Entry => {
    const task: AgentsTask = {
      ...{ kind: 'agents', game, env, numActing, numEnvs: 8, rolloutLength: 128, seed },
      ...{ steps: numActing * AGENTS_STEPS[contestant], limitSeconds: AGENTS_SECONDS },
    };
    return { ...entry(contestant, task, AGENTS_SECONDS, 'one core'), isOneCore: true, isSpeedOnly: true };
  });
}
