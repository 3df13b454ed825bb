/** One episode of several agents, shown step by step. */
import { makeMultiAgentEnv } from '../../env/agents/load-agents-env.ts';
import type { AgentsReset, AgentsStep, MultiAgentEnv } from '../../env/agents/multi-agent-env.ts';
import type { EnvSource } from '../../env/env-source.ts';
import { requireRender } from '../show-episode.ts';
import type { Cast } from './open-cast.ts';

export interface ShowAgentsOptions {
  readonly env: MultiAgentEnv;
  readonly cast: Cast;
  /** Of the environment's episode and of everybody's chance. */
  readonly seed: number;
  readonly deterministic: boolean;
  /** Steps after which it is left. */
  readonly maxSteps: number;
  /** After the reset (step 0) and every step, with returns by agent so far. */
  readonly onStep: (step: number, returns: Readonly<Record<string, number>>) => void | Promise<void>;
}

/** Plays one episode, or its first `maxSteps` steps. */
export async function showAgentsEpisode(
  options: ShowAgentsOptions,
): Promise<{ readonly returns: Readonly<Record<string, number>>; readonly length: number }> {
  const { env, cast, seed, deterministic, maxSteps, onStep } = options;
  const limit = Math.min(env.maxEpisodeSteps ?? Number.POSITIVE_INFINITY, maxSteps);
  const returns: Record<string, number> = Object.fromEntries(
    Object.keys(env.agents).map((name) => [name, 0]),
  );
  for (const [k, player] of [...cast.values()].entries()) player.reset(seed + k);
  let now: AgentsReset = env.reset({ seed });
  let acting = now.acting ?? Object.keys(now.observations);
  let length = 0;
  await onStep(0, returns);
  while (acting.length > 0 && length < limit) {
    const actions: Record<string, unknown> = {};
    for (const name of acting)
      actions[name] = await cast
        .get(name)
        ?.act(now.observations[name], now.actionMasks?.[name], deterministic);
    const step = env.step(actions);
    for (const [name, reward] of Object.entries(step.rewards ?? {})) returns[name] += reward;
    length += 1;
    acting = actingAfter(step);
    now = step;
    await onStep(length, returns);
  }
  return { returns, length };
}

/** Nobody, when the episode is over. */
function actingAfter({ terminated, truncated, acting, observations }: AgentsStep): readonly string[] {
  if (terminated === true || truncated === true) return [];
  const hasEnded = (name: string) =>
    [terminated, truncated].some((flags) => typeof flags === 'object' && flags[name] === true);
  return acting ?? Object.keys(observations).filter((name) => !hasEnded(name));
}

/** @throws ConfigError `CONFIG_RENDER` for an environment without `render`. */
export async function makeRenderableAgents(source: EnvSource): Promise<MultiAgentEnv> {
  return requireRender(await makeMultiAgentEnv(source), source);
}
