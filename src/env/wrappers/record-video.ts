/** A wrapper that films episodes. */
import { join } from 'node:path';
import { ConfigError } from '../../errors.ts';
import type { Env, RgbFrame } from '../env.ts';
import { checkFrame } from '../render/check-frame.ts';
import { writeFrames } from '../render/write-frames.ts';
import { checkCount } from './time.ts';
import { wrapEnv } from './wrap-env.ts';

export interface RecordVideoOptions {
  /** Folder for `episode-000000.gif` and so on. */
  readonly folder: string;
  /** Film every this many episodes, the first included. @defaultValue 1 */
  readonly every?: number;
  /** @defaultValue 30 */
  readonly framesPerSecond?: number;
  /** Files: animated `gif`, or numbered `png`s. @defaultValue 'gif' */
  readonly format?: 'gif' | 'png';
}

/** A filmed environment; files are written in the background. */
export interface RecordedEnv extends Env {
  /** Resolves to the paths when everything filmed so far is on disk. */
  finish(): Promise<string[]>;
}

/**
 * Films episodes: one frame after reset and after every step, written when the episode ends (or `finish` is called).
 *
 * @throws {@link ConfigError} `CONFIG_WRAPPER` when the environment has no `render`, `CONFIG_RENDER_FILE` when it renders text; EnvError
 * `ENV_RENDER` for what is no picture.
 * Cost: frames of an episode are kept in memory, width * height * 3 bytes each.
 */
export function recordVideo(env: Env, options: RecordVideoOptions): RecordedEnv {
  const { folder, every = 1, framesPerSecond = 30, format = 'gif' } = options;
  checkCount('recordVideo', 'every', every);
  if (!env.render) throw new ConfigError('CONFIG_WRAPPER', 'recordVideo needs an environment with `render`.');
  const writes: Promise<string[]>[] = [];
  let frames: RgbFrame[] = [];
  let episode = -1;
  const film = () => {
    if (episode % every !== 0) return;
    const frame = checkFrame(env.render?.('rgb'));
    if (typeof frame !== 'object') {
      throw new ConfigError('CONFIG_RENDER_FILE', 'recordVideo needs RGB frames, but `render` gave text.');
    }
    // Environments may draw into one array again and again.
    frames.push({ ...frame, pixels: Uint8Array.from(frame.pixels) });
  };
  const cut = () => {
    if (frames.length === 0) return;
    const file = join(folder, `episode-${String(episode).padStart(6, '0')}.${format}`);
    writes.push(writeFrames(file, frames, framesPerSecond));
    frames = [];
  };
  return {
    ...wrapEnv(env, {
      reset(resetOptions) {
        cut();
        episode += 1;
        const result = env.reset(resetOptions);
        film();
        return result;
      },
      step(action) {
        const result = env.step(action);
        film();
        if (result.terminated || result.truncated) cut();
        return result;
      },
    }),
    async finish() {
      cut();
      return (await Promise.all(writes)).flat();
    },
  };
}
