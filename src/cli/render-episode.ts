/** Plays one episode with a trained policy and shows it: as a file, or in the terminal. */
import { loadPolicy } from '../algorithm/load-policy.ts';
import type { Env, Info, RgbFrame } from '../env/env.ts';
import type { EnvSource } from '../env/env-source.ts';
import { makeEnv } from '../env/load-env.ts';
import { checkFrame } from '../env/render/check-frame.ts';
import { frameToText } from '../env/render/frame-text.ts';
import { frameFormat, writeFrames } from '../env/render/write-frames.ts';
import { ConfigError } from '../errors.ts';
import type { OutputStream } from './output.ts';

export interface RenderOptions {
  readonly checkpoint: string;
  readonly source: EnvSource;
  /** Load the module of a network that the checkpoint names, where it does not ship with Operant. */
  readonly trust: boolean;
  /** `.gif` or `.png`; null = no file. */
  readonly file: string | null;
  /** Where to show every step as text; null = nowhere. */
  readonly watch: OutputStream | null;
  readonly seed: number;
  readonly deterministic: boolean;
  /** @defaultValue 20 */
  readonly framesPerSecond?: number;
}

export interface RenderedEpisode {
  readonly episodeReturn: number;
  readonly length: number;
  readonly paths: readonly string[];
}

const CLEAR = '\x1b[2J';
const HOME = '\x1b[H';

/**
 * Plays one episode (its seed is `seed`) and renders reset and every step. A PNG shows the last frame only.
 *
 * @throws {@link ConfigError} `CONFIG_RENDER` when the environment has no picture, `CONFIG_RENDER_FILE` for another extension
 * or an environment that has text only.
 */
export async function renderEpisode(options: RenderOptions): Promise<RenderedEpisode> {
  const { file, watch, seed, deterministic, trust, framesPerSecond = 20 } = options;
  const format = file === null ? null : frameFormat(file);
  const env = await renderable(options.source);
  const actor = (await loadPolicy(options.checkpoint, { trust })).actor();
  const frames: RgbFrame[] = [];
  const show = async (line: string) => {
    if (file !== null) frames.push(frameOf(env));
    if (watch === null) return;
    watch.write(
      `${frames.length === 1 || line.startsWith('step 0') ? CLEAR : ''}${HOME}${textOf(env, watch)}\n${line}\x1b[K\n`,
    );
    await new Promise((resolve) => setTimeout(resolve, 1000 / framesPerSecond));
  };
  const limit = env.maxEpisodeSteps ?? 10_000;
  let { observation, info } = env.reset({ seed }) as { observation: unknown; info?: Info };
  let episodeReturn = 0;
  let length = 0;
  actor.reset(seed);
  await show('step 0');
  for (let isOver = false; !isOver && length < limit; ) {
    const mask = env.masksActions ? info?.actionMask : undefined;
    const action = await actor.actAsync(observation, { deterministic, ...(mask && { actionMask: mask }) });
    const result = env.step(action);
    ({ observation, info } = result as { observation: unknown; info?: Info });
    episodeReturn += result.reward;
    length += 1;
    isOver = result.terminated || result.truncated;
    await show(`step ${length}, return ${episodeReturn.toFixed(2)}`);
  }
  env.close?.();
  const wanted = format === '.png' ? frames.slice(-1) : frames;
  const paths = file === null ? [] : await writeFrames(file, wanted, framesPerSecond);
  return { episodeReturn, length, paths };
}

async function renderable(source: EnvSource): Promise<Env> {
  const env = await makeEnv(source);
  if (!env.render) {
    throw new ConfigError(
      'CONFIG_RENDER',
      `The environment ${source.id} has no \`render\`, so there is nothing to show.`,
    );
  }
  return source.maxEpisodeSteps === null
    ? env
    : Object.assign(env, { maxEpisodeSteps: source.maxEpisodeSteps });
}

function frameOf(env: Env): RgbFrame {
  const frame = checkFrame(env.render?.('rgb'));
  if (typeof frame === 'object') return { ...frame, pixels: Uint8Array.from(frame.pixels) };
  throw new ConfigError('CONFIG_RENDER_FILE', 'The environment renders text only: use --watch.');
}

function textOf(env: Env, watch: OutputStream): string {
  const frame = checkFrame(env.render?.('ansi') ?? '');
  return typeof frame === 'string' ? frame : frameToText(frame, Math.min(watch.columns ?? 80, 72));
}
