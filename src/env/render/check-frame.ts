/** What an environment's `render` gave. */
import { EnvError } from '../../errors.ts';
import type { RgbFrame } from '../env.ts';
import { describeValue } from '../space-values.ts';

/** @throws {@link EnvError} `ENV_RENDER` for what is neither text nor a whole picture. */
export function checkFrame(frame: unknown): RgbFrame | string {
  if (typeof frame === 'string') return frame;
  const expected = 'Expected `render` to return text or { width, height, pixels }';
  if (typeof frame !== 'object' || frame === null)
    throw new EnvError('ENV_RENDER', `${expected}, got ${describeValue(frame)}.`);
  if (frame instanceof Promise)
    throw new EnvError('ENV_RENDER', `${expected}, got a promise: render must be synchronous.`);
  const { width, height, pixels } = frame as Partial<Record<keyof RgbFrame, unknown>>;
  const isSize = (size: unknown) => Number.isSafeInteger(size) && (size as number) >= 1;
  if (!isSize(width) || !isSize(height)) {
    throw new EnvError(
      'ENV_RENDER',
      `${expected}, got width ${describeValue(width)} and height ${describeValue(height)}.`,
    );
  }
  const numBytes = (width as number) * (height as number) * 3;
  if (!(pixels instanceof Uint8Array || pixels instanceof Uint8ClampedArray) || pixels.length !== numBytes) {
    throw new EnvError(
      'ENV_RENDER',
      `Expected the pixels that \`render\` returns to be a Uint8Array(${numBytes}) for ${width} x ${height}, 3 bytes a pixel, got ${describeValue(pixels)}.`,
    );
  }
  return frame as RgbFrame;
}
