/** One episode of an environment with a policy, shown step by step; and filmed. */
import type { AsyncEnv } from '../env/async-env.ts';
import type { Env, Info, RgbFrame } from '../env/env.ts';
import type { EnvSource } from '../env/env-source.ts';
import { makeAnyEnv } from '../env/load-env.ts';
import { checkFrame } from '../env/render/check-frame.ts';
import { ConfigError } from '../errors.ts';
import type { Actor } from './policy-calls.ts';

export interface ShowOptions {
  readonly env: Env | AsyncEnv;
  readonly actor: Actor;
  /** Of the environment's episode; the action noise has it, too. */
  readonly seed: number;
  readonly deterministic: boolean;
  /** Steps after which it is left. */
  readonly maxSteps: number;
  /** After the reset (step 0) and every step. */
  readonly onStep: (step: number, episodeReturn: number) => void | Promise<void>;
}

/** Plays one episode, or its first `maxSteps` steps. */
export async function showEpisode(
  options: ShowOptions,
): Promise<{ readonly episodeReturn: number; readonly length: number }> {
  const { env, actor, seed, deterministic, maxSteps, onStep } = options;
  const limit = Math.min(env.maxEpisodeSteps ?? Number.POSITIVE_INFINITY, maxSteps);
  let { observation, info } = (await env.reset({ seed })) as { observation: unknown; info?: Info };
  let episodeReturn = 0;
  let length = 0;
  actor.reset(seed);
  await onStep(0, 0);
  for (let isOver = false; !isOver && length < limit; ) {
    const mask = env.masksActions ? info?.actionMask : undefined;
    const action = await actor.actAsync(observation, { deterministic, ...(mask && { actionMask: mask }) });
    const result = await env.step(action);
    ({ observation, info } = result as { observation: unknown; info?: Info });
    episodeReturn += result.reward;
    length += 1;
    isOver = result.terminated || result.truncated;
    await onStep(length, episodeReturn);
  }
  return { episodeReturn, length };
}

/** @throws ConfigError `CONFIG_RENDER` for an environment without `render`. */
export async function makeRenderable(source: EnvSource): Promise<Env | AsyncEnv> {
  return requireRender(await makeAnyEnv(source), source);
}

/** What has pictures: an environment of one agent or of several. */
export type Renderable = Pick<Env, 'render' | 'maxEpisodeSteps'>;

/** The environment, under the source's time limit. @throws ConfigError `CONFIG_RENDER` for one without `render`. */
export function requireRender<E extends Renderable>(env: E, { id, maxEpisodeSteps, wrappers }: EnvSource): E {
  if (!env.render) {
    throw new ConfigError(
      'CONFIG_RENDER',
      `The environment ${id} has no \`render\`, so there is nothing to show.`,
    );
  }
  // Wrappers have it inside of them, in the environment's own unit.
  return maxEpisodeSteps === null || wrappers !== undefined ? env : Object.assign(env, { maxEpisodeSteps });
}

/** A copy of the environment's picture. @throws ConfigError `CONFIG_RENDER_FILE` where it has text only; EnvError `ENV_RENDER`. */
export function pictureOf(env: Renderable): RgbFrame {
  const frame = checkFrame(env.render?.('rgb'));
  if (typeof frame === 'object') return { ...frame, pixels: Uint8Array.from(frame.pixels) };
  throw new ConfigError(
    'CONFIG_RENDER_FILE',
    "The environment renders text only, and a film needs pictures: let `render('rgb')` return { width, height, pixels }, or use --watch.",
  );
}
