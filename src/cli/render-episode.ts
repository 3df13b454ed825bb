/** Plays one episode with a trained policy and shows it: as a file, or in the terminal. */
import { openCast } from '../algorithm/agents/open-cast.ts';
import { makeRenderableAgents, showAgentsEpisode } from '../algorithm/agents/show-agents-episode.ts';
import { loadPolicy } from '../algorithm/load-policy.ts';
import { makeRenderable, pictureOf, type Renderable, showEpisode } from '../algorithm/show-episode.ts';
import { loadCheckpoint } from '../checkpoint/load-checkpoint.ts';
import type { RgbFrame } from '../env/env.ts';
import type { EnvSource } from '../env/env-source.ts';
import { checkFrame } from '../env/render/check-frame.ts';
import { frameToText } from '../env/render/frame-text.ts';
import { frameFormat, writeFrames } from '../env/render/write-frames.ts';
import type { OutputStream } from '../run/run-output.ts';
import type { AgentsCast } from './playground.ts';

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
  /** Of several agents: who acts for whom; null = there is one. */
  readonly cast: AgentsCast | null;
  /** @defaultValue 20 */
  readonly framesPerSecond?: number;
}

export interface RenderedEpisode {
  /** Of several agents, the sum. */
  readonly episodeReturn: number;
  /** By agent; null = there is one. */
  readonly returns: Readonly<Record<string, number>> | null;
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
  const { file, framesPerSecond = 20 } = options;
  const format = file === null ? null : frameFormat(file);
  const frames: RgbFrame[] = [];
  const played = await (options.cast === null
    ? renderOne(options, frames)
    : renderSeveral(options, options.cast, frames));
  const wanted = format === '.png' ? frames.slice(-1) : frames;
  const paths = file === null ? [] : await writeFrames(file, wanted, framesPerSecond);
  return { ...played, paths };
}

type Played = Omit<RenderedEpisode, 'paths'>;

const MAX_STEPS = 10_000;

async function renderOne(options: RenderOptions, frames: RgbFrame[]): Promise<Played> {
  const { checkpoint, source, trust, seed, deterministic } = options;
  const env = await makeRenderable(source);
  try {
    const actor = (await loadPolicy(checkpoint, { trust })).actor();
    const onStep = (step: number, episodeReturn: number) =>
      showStep(options, env, frames, step, () => `return ${episodeReturn.toFixed(2)}`);
    const played = await showEpisode({ env, actor, seed, deterministic, maxSteps: MAX_STEPS, onStep });
    return { ...played, returns: null };
  } finally {
    env.close?.();
  }
}

async function renderSeveral(
  options: RenderOptions,
  { policyFor, ...run }: AgentsCast,
  frames: RgbFrame[],
): Promise<Played> {
  const { checkpoint, source, seed, deterministic } = options;
  const env = await makeRenderableAgents(source);
  try {
    const { content } = await loadCheckpoint(checkpoint, { withSegments: false });
    const cast = await openCast(env, source.id, {
      ...{ content, path: checkpoint, ...run, turn: seed },
      ...(policyFor !== undefined && { policyFor }),
    });
    const onStep = (step: number, returns: Readonly<Record<string, number>>) =>
      showStep(options, env, frames, step, () =>
        Object.entries(returns)
          .map(([name, value]) => `${name} ${value.toFixed(2)}`)
          .join(', '),
      );
    const played = await showAgentsEpisode({ env, cast, seed, deterministic, maxSteps: MAX_STEPS, onStep });
    const episodeReturn = Object.values(played.returns).reduce((sum, value) => sum + value, 0);
    return { ...played, episodeReturn };
  } finally {
    env.close?.();
  }
}

async function showStep(
  { file, watch, framesPerSecond = 20 }: RenderOptions,
  env: Renderable,
  frames: RgbFrame[],
  step: number,
  told: () => string,
): Promise<void> {
  if (file !== null) frames.push(pictureOf(env));
  if (watch === null) return;
  const line = step === 0 ? 'step 0' : `step ${step}, ${told()}`;
  watch.write(`${step === 0 ? CLEAR : ''}${HOME}${textOf(env, watch)}\n${line}\x1b[K\n`);
  await new Promise((resolve) => setTimeout(resolve, 1000 / framesPerSecond));
}

function textOf(env: Renderable, watch: OutputStream): string {
  const frame = checkFrame(env.render?.('ansi') ?? '');
  return typeof frame === 'string' ? frame : frameToText(frame, Math.min(watch.columns ?? 80, 72));
}
