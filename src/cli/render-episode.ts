/** Plays one episode with a trained policy and shows it: as a file, or in the terminal. */
import { loadPolicy } from '../algorithm/load-policy.ts';
import { makeRenderable, pictureOf, showEpisode } from '../algorithm/show-episode.ts';
import type { Env, RgbFrame } from '../env/env.ts';
import type { EnvSource } from '../env/env-source.ts';
import { checkFrame } from '../env/render/check-frame.ts';
import { frameToText } from '../env/render/frame-text.ts';
import { frameFormat, writeFrames } from '../env/render/write-frames.ts';
import type { OutputStream } from '../run/run-output.ts';

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
  const env = await makeRenderable(options.source);
  const actor = (await loadPolicy(options.checkpoint, { trust })).actor();
  const frames: RgbFrame[] = [];
  const onStep = async (step: number, episodeReturn: number) => {
    if (file !== null) frames.push(pictureOf(env));
    if (watch === null) return;
    const line = step === 0 ? 'step 0' : `step ${step}, return ${episodeReturn.toFixed(2)}`;
    watch.write(`${step === 0 ? CLEAR : ''}${HOME}${textOf(env, watch)}\n${line}\x1b[K\n`);
    await new Promise((resolve) => setTimeout(resolve, 1000 / framesPerSecond));
  };
  try {
    const played = await showEpisode({ env, actor, seed, deterministic, maxSteps: 10_000, onStep });
    const wanted = format === '.png' ? frames.slice(-1) : frames;
    const paths = file === null ? [] : await writeFrames(file, wanted, framesPerSecond);
    return { ...played, paths };
  } finally {
    env.close?.();
  }
}

function textOf(env: Env, watch: OutputStream): string {
  const frame = checkFrame(env.render?.('ansi') ?? '');
  return typeof frame === 'string' ? frame : frameToText(frame, Math.min(watch.columns ?? 80, 72));
}
