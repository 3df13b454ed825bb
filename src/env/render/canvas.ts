/** A small rasteriser for pictures of environments: filled shapes on an RGB frame, no smoothing. */
import type { RgbFrame } from '../env.ts';

/** Red, green, blue, each 0 to 255. */
export type Color = readonly [number, number, number];
/** x to the right, y downwards, in pixels. */
export type Point = readonly [number, number];

/** Shapes are clipped at the border; a pixel is covered when its centre is. */
export interface Canvas {
  readonly frame: RgbFrame;
  rectangle(x: number, y: number, width: number, height: number, color: Color): void;
  /** A convex polygon, corners in either turn. */
  polygon(corners: readonly Point[], color: Color): void;
  disc(center: Point, radius: number, color: Color): void;
  line(from: Point, to: Point, width: number, color: Color): void;
  /** Digits (and `-`, `.`), `scale` pixels per dot of a 3x5 font, from the upper left corner. */
  digits(text: string, x: number, y: number, scale: number, color: Color): void;
}

/** A frame of one colour to draw on. Cost: a 600x400 frame with some shapes about 1 ms. */
export function createCanvas(width: number, height: number, background: Color = [255, 255, 255]): Canvas {
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < pixels.length; i++) pixels[i] = background[i % 3];
  const fillSpan = (y: number, from: number, to: number, [red, green, blue]: Color) => {
    const end = Math.min(width, Math.ceil(to - 0.5));
    for (let x = Math.max(0, Math.ceil(from - 0.5)); x < end; x++) {
      const i = (y * width + x) * 3;
      pixels[i] = red;
      pixels[i + 1] = green;
      pixels[i + 2] = blue;
    }
  };
  /** Fills the rows between two heights; `span` gives the ends of each at its middle, or null. */
  const fillRows = (top: number, bottom: number, color: Color, span: (y: number) => Point | null) => {
    const end = Math.min(height, Math.ceil(bottom - 0.5));
    for (let y = Math.max(0, Math.ceil(top - 0.5)); y < end; y++) {
      const ends = span(y + 0.5);
      if (ends !== null) fillSpan(y, ends[0], ends[1], color);
    }
  };
  const canvas: Canvas = {
    frame: { width, height, pixels },
    rectangle: (x, y, w, h, color) => fillRows(y, y + h, color, () => [x, x + w]),
    polygon(corners, color) {
      const heights = corners.map(([, y]) => y);
      fillRows(Math.min(...heights), Math.max(...heights), color, (y) => crossings(corners, y));
    },
    disc([x, y], radius, color) {
      fillRows(y - radius, y + radius, color, (row) => {
        const half = Math.sqrt(Math.max(0, radius * radius - (row - y) ** 2));
        return [x - half, x + half];
      });
    },
    line(from, to, lineWidth, color) {
      const length = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
      const side: Point = [
        (-(to[1] - from[1]) / length) * (lineWidth / 2),
        ((to[0] - from[0]) / length) * (lineWidth / 2),
      ];
      const corner = ([x, y]: Point, sign: number): Point => [x + sign * side[0], y + sign * side[1]];
      canvas.polygon([corner(from, 1), corner(to, 1), corner(to, -1), corner(from, -1)], color);
    },
    digits(text, x, y, scale, color) {
      [...text].forEach((symbol, k) => {
        const rows = FONT[symbol] ?? [0, 0, 0, 0, 0];
        rows.forEach((bits, row) => {
          for (let column = 0; column < 3; column++) {
            if (((bits >> (2 - column)) & 1) === 0) continue;
            canvas.rectangle(x + (4 * k + column) * scale, y + row * scale, scale, scale, color);
          }
        });
      });
    },
  };
  return canvas;
}

/** Where the horizontal line at height y enters and leaves a convex polygon. */
function crossings(corners: readonly Point[], y: number): Point | null {
  let left = Infinity;
  let right = -Infinity;
  for (let k = 0; k < corners.length; k++) {
    const [x0, y0] = corners[k];
    const [x1, y1] = corners[(k + 1) % corners.length];
    if (y0 === y1 || y < Math.min(y0, y1) || y > Math.max(y0, y1)) continue;
    const x = x0 + ((y - y0) / (y1 - y0)) * (x1 - x0);
    left = Math.min(left, x);
    right = Math.max(right, x);
  }
  return left <= right ? [left, right] : null;
}

/** Five rows of three dots each. */
const FONT: Readonly<Record<string, readonly number[]>> = {
  '0': [7, 5, 5, 5, 7],
  '1': [2, 6, 2, 2, 7],
  '2': [7, 1, 7, 4, 7],
  '3': [7, 1, 7, 1, 7],
  '4': [5, 5, 7, 1, 1],
  '5': [7, 4, 7, 1, 7],
  '6': [7, 4, 7, 5, 7],
  '7': [7, 1, 1, 2, 2],
  '8': [7, 5, 7, 5, 7],
  '9': [7, 5, 7, 1, 7],
  '-': [0, 0, 7, 0, 0],
  '.': [0, 0, 0, 0, 2],
};
