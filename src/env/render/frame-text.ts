/** An RGB frame as text for a terminal with 24-bit colours: each character shows two pixels, one above the other. */
import type { RgbFrame } from '../env.ts';

/**
 * Shrinks a frame to `columns` characters and writes it with half blocks.
 *
 * @param columns width in characters; the height follows, two pixel rows to a line.
 */
export function frameToText(frame: RgbFrame, columns = 80): string {
  const width = Math.min(columns, frame.width);
  const height = 2 * Math.max(1, Math.round((frame.height * width) / frame.width / 2));
  const small = shrinkFrame(frame, width, height);
  const lines: string[] = [];
  for (let y = 0; y < height; y += 2) {
    let line = '';
    for (let x = 0; x < width; x++) {
      const upper = (y * width + x) * 3;
      const lower = upper + width * 3;
      const rgb = (i: number) => `${small.pixels[i]};${small.pixels[i + 1]};${small.pixels[i + 2]}`;
      line += `\x1b[38;2;${rgb(upper)}m\x1b[48;2;${rgb(lower)}m\u2580`;
    }
    lines.push(`${line}\x1b[0m`);
  }
  return lines.join('\n');
}

/** Resamples a frame by averaging the pixels that fall into each new one. Growing repeats pixels. */
export function shrinkFrame(frame: RgbFrame, width: number, height: number): RgbFrame {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const [top, bottom] = sourceRange(y, height, frame.height);
    for (let x = 0; x < width; x++) {
      const [left, right] = sourceRange(x, width, frame.width);
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let row = top; row < bottom; row++) {
          for (let column = left; column < right; column++) {
            sum += frame.pixels[(row * frame.width + column) * 3 + channel];
          }
        }
        pixels[(y * width + x) * 3 + channel] = Math.round(sum / ((bottom - top) * (right - left)));
      }
    }
  }
  return { width, height, pixels };
}

function sourceRange(index: number, size: number, sourceSize: number): [number, number] {
  const start = Math.floor((index * sourceSize) / size);
  return [start, Math.max(start + 1, Math.floor(((index + 1) * sourceSize) / size))];
}
