/** Frames to files: an animated GIF, or PNG pictures. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { ConfigError } from '../../errors.ts';
import type { RgbFrame } from '../env.ts';

/**
 * Writes frames after the file's extension: `.gif` all of them, animated; `.png` one file per frame, numbered
 * `name-0000.png` when there are several. Folders are made.
 *
 * @param framesPerSecond of a GIF, at most 50 (its clock ticks in hundredths of a second).
 * @returns the paths written.
 * @throws {@link ConfigError} `CONFIG_RENDER_FILE` for another extension, `CONFIG_RENDER_FRAMES` for no frames or frames of
 * different sizes.
 * Cost: a 600x400 GIF takes 10-30 ms per frame.
 */
export async function writeFrames(
  file: string,
  frames: readonly RgbFrame[],
  framesPerSecond = 30,
): Promise<string[]> {
  const extension = frameFormat(file);
  const first = frames[0];
  if (
    first === undefined ||
    frames.some((each) => each.width !== first.width || each.height !== first.height)
  ) {
    throw new ConfigError(
      'CONFIG_RENDER_FRAMES',
      `Expected frames of one size, got ${frames.length} of several sizes.`,
    );
  }
  await mkdir(dirname(file), { recursive: true });
  if (extension === '.gif') {
    await writeFile(file, await encodeGif(frames, framesPerSecond));
    return [file];
  }
  const { encode } = await import('fast-png');
  const paths = frames.map((_, k) => (frames.length === 1 ? file : numbered(file, k)));
  for (const [k, { width, height, pixels }] of frames.entries()) {
    await writeFile(paths[k], encode({ width, height, channels: 3, depth: 8, data: pixels }));
  }
  return paths;
}

/**
 * What {@link writeFrames} will write; to be asked before an episode is played.
 *
 * @throws {@link ConfigError} `CONFIG_RENDER_FILE` for another extension.
 */
export function frameFormat(file: string): '.gif' | '.png' {
  const extension = extname(file).toLowerCase();
  if (extension === '.gif' || extension === '.png') return extension;
  throw new ConfigError(
    'CONFIG_RENDER_FILE',
    `Expected a file name that ends in .gif or .png, got \`${file}\`.`,
  );
}

async function encodeGif(frames: readonly RgbFrame[], framesPerSecond: number): Promise<Uint8Array> {
  const { encode } = await import('modern-gif');
  const delay = Math.max(20, Math.round(100 / framesPerSecond) * 10);
  const { width, height } = frames[0];
  const buffer = await encode({
    width,
    height,
    frames: frames.map(({ pixels }) => ({ data: withAlpha(pixels), delay, width, height })),
  });
  return new Uint8Array(buffer);
}

function withAlpha(pixels: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const data = new Uint8ClampedArray((pixels.length / 3) * 4).fill(255);
  for (let i = 0, k = 0; i < pixels.length; i += 3, k += 4) {
    data[k] = pixels[i];
    data[k + 1] = pixels[i + 1];
    data[k + 2] = pixels[i + 2];
  }
  return data;
}

function numbered(file: string, k: number): string {
  return `${file.slice(0, -4)}-${String(k).padStart(4, '0')}.png`;
}
