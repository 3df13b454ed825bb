/** The valley and a car at `position`, 300 x 200 pixels. */
import type { RgbFrame } from '../src/env/env.ts';
import { createCanvas } from '../src/env/render/canvas.ts';

const MIN_POSITION = -1.2;
const MAX_POSITION = 0.6;

/** @param goal position of the flag. */
export function drawHill(position: number, goal: number): RgbFrame {
  const canvas = createCanvas(300, 200);
  const scale = 300 / (MAX_POSITION - MIN_POSITION);
  const at = (x: number, lift = 0) =>
    [(x - MIN_POSITION) * scale, 190 - lift - (Math.sin(3 * x) * 0.45 + 0.55) * scale * 0.85] as const;
  for (let pixel = 0; pixel < 300; pixel++) {
    const [, y] = at(MIN_POSITION + (pixel + 0.5) / scale);
    canvas.rectangle(pixel, y, 1, 200 - y, [150, 165, 140]);
  }
  const [flagX, flagY] = at(goal);
  canvas.line([flagX, flagY], [flagX, flagY - 35], 2, [0, 0, 0]);
  canvas.polygon(
    [
      [flagX, flagY - 35],
      [flagX + 16, flagY - 29],
      [flagX, flagY - 23],
    ],
    [204, 60, 60],
  );
  canvas.disc(at(position, 8), 8, [40, 40, 90]);
  return canvas.frame;
}
