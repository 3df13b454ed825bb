/** What `render` gave in Python. */
import { EnvError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { RgbFrame } from '../env.ts';

/** @throws EnvError `ENV_RENDER`. */
export function readPicture({ error, text, height, width, pixels }: JsonObject): RgbFrame | string {
  if (error !== undefined) throw new EnvError('ENV_RENDER', `render in Python: ${String(error)}.`);
  if (text !== undefined) return text as string;
  const bytes = Uint8Array.from(Buffer.from(pixels as string, 'base64'));
  return { height: height as number, width: width as number, pixels: bytes };
}
