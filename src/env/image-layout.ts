/** Whether the dimensions of a picture are in the order that the networks read. */
import { describeSpace } from './space-json.ts';
import type { Space } from './spaces.ts';

/**
 * What to say of a Box that looks like a picture with its channels first, as PyTorch has them; null for anything else. A guess: few planes of
 * many rows and columns, or planes that are square.
 */
export function channelsFirst(space: Space): string | null {
  if (space.kind !== 'box' || space.shape.length !== 3) return null;
  const [first, second, third] = space.shape;
  const isFew = [1, 3, 4].includes(first) && second > 4 && third > 4;
  const isSquare = second === third && third >= 16 && first < second;
  if (!isFew && !isSquare) return null;
  return (
    `${describeSpace(space)} looks like an image with its channels first, and is read as ${first} rows of ${second} pixels with ` +
    `${third} channels. Give [height, width, channels], that is [${second}, ${third}, ${first}], and the pixels in that order.`
  );
}

/** Whether it is a picture: bytes in rows and columns. */
export function isImage(space: Space): boolean {
  return space.kind === 'box' && space.dtype === 'uint8' && space.shape.length === 3;
}
