/** Wrappers for image observations: uint8 Boxes [height, width, channels]. */
import { ConfigError } from '../../errors.ts';
import type { Env } from '../env.ts';
import { flatBound } from '../flatten-space.ts';
import { describeSpace } from '../space-json.ts';
import { Box } from '../spaces.ts';
import type { ObservationTransform, TransformedEnv } from './row-transforms.ts';
import { checkCount } from './time.ts';
import { transformObservations } from './transform-env.ts';

/**
 * Colour to grey: round(0.299 red + 0.587 green + 0.114 blue) (ITU-R BT.601), one channel.
 *
 * @throws {@link ConfigError} `CONFIG_WRAPPER` when observations are not uint8 images of three channels.
 */
export function grayscaleObservation(env: Env): Env {
  return transformObservations(env, grayscaleTransform(env));
}

export function grayscaleTransform(env: TransformedEnv): ObservationTransform {
  const [height, width, channels] = imageShape(env, 'grayscaleObservation');
  if (channels !== 3) {
    throw new ConfigError(
      'CONFIG_WRAPPER',
      `grayscaleObservation needs three channels, got ${channels} in ${describeSpace(env.observationSpace)}.`,
    );
  }
  return {
    space: imageSpace(env, [height, width, 1]),
    open: () => ({
      write(_, from, at, out, outAt) {
        for (let i = 0, k = at; i < height * width; i++, k += 3)
          out[outAt + i] = Math.round(0.299 * from[k] + 0.587 * from[k + 1] + 0.114 * from[k + 2]);
      },
    }),
  };
}

/**
 * Shrinks or grows images by area averaging: a new pixel is the mean of what it covers, weighted by how much of each old
 * pixel lies under it.
 *
 * @throws {@link ConfigError} `CONFIG_WRAPPER` when observations are not uint8 images, or a side is below 1.
 */
export function resizeObservation(env: Env, height: number, width: number): Env {
  return transformObservations(env, resizeTransform(env, height, width));
}

export function resizeTransform(env: TransformedEnv, height: number, width: number): ObservationTransform {
  checkCount('resizeObservation', 'height', height);
  checkCount('resizeObservation', 'width', width);
  const [oldHeight, oldWidth, channels] = imageShape(env, 'resizeObservation');
  const rows = coverage(oldHeight, height);
  const columns = coverage(oldWidth, width);
  return {
    space: imageSpace(env, [height, width, channels]),
    open: () => ({
      write(_, from, at, out, outAt) {
        for (let i = 0; i < height * width * channels; i++) {
          const channel = i % channels;
          const column = Math.floor(i / channels) % width;
          const row = Math.floor(i / channels / width);
          let sum = 0;
          for (const [oldRow, rowWeight] of rows[row]) {
            for (const [oldColumn, columnWeight] of columns[column]) {
              const k = (oldRow * oldWidth + oldColumn) * channels + channel;
              sum += rowWeight * columnWeight * from[at + k];
            }
          }
          out[outAt + i] = Math.round(sum);
        }
      },
    }),
  };
}

/** Weighted means stay within the bounds of what they are means of; training scales pixels by the upper one. */
function imageSpace({ observationSpace }: TransformedEnv, shape: readonly number[]): Box {
  const [low, high] = [flatBound(observationSpace, 'low'), flatBound(observationSpace, 'high')];
  const least = low.reduce((a, b) => Math.min(a, b));
  const greatest = high.reduce((a, b) => Math.max(a, b));
  return new Box(least, greatest, shape, 'uint8');
}

/** For each new pixel of a line: the old ones under it and their shares, which sum to 1. */
function coverage(oldSize: number, size: number): [number, number][][] {
  const scale = oldSize / size;
  return Array.from({ length: size }, (_, k) => {
    const [start, end] = [k * scale, (k + 1) * scale];
    const parts: [number, number][] = [];
    for (let old = Math.floor(start); old < Math.min(oldSize, Math.ceil(end - 1e-9)); old++) {
      parts.push([old, (Math.min(end, old + 1) - Math.max(start, old)) / scale]);
    }
    return parts;
  });
}

function imageShape(env: TransformedEnv, wrapper: string): readonly number[] {
  const space = env.observationSpace;
  if (space.kind === 'box' && space.dtype === 'uint8' && space.shape.length === 3) return space.shape;
  throw new ConfigError(
    'CONFIG_WRAPPER',
    `${wrapper} needs uint8 images [height, width, channels], got ${describeSpace(space)}.`,
  );
}
