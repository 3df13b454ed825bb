/** LunarLander's picture: 600 x 400 pixels. */
import type { RgbFrame } from '../../src/env/env.ts';
import { type Canvas, type Color, createCanvas, type Point } from '../../src/env/render/canvas.ts';
import { drawBody, drawFlag } from './draw-body.ts';
import { HEIGHT, type Lander, PAD_ENDS, PAD_HEIGHT, WIDTH } from './lander.ts';
import { SCALE } from './world.ts';

const GROUND: Color = [214, 214, 220];
const SKY: Color = [8, 8, 14];
const HULL: Color = [128, 102, 230];
const BORDER: Color = [77, 77, 128];
const FLAME: Color = [255, 150, 50];

const toPixels = (x: number, y: number): Point => [x * SCALE, (HEIGHT - y) * SCALE];

export function drawLander(lander: Lander): RgbFrame {
  const { heights, hull, legs } = lander;
  const canvas = createCanvas(WIDTH * SCALE, HEIGHT * SCALE, SKY);
  const chunk = WIDTH / (heights.length - 1);
  for (let i = 0; i + 1 < heights.length; i++) {
    const [left, right] = [i * chunk, (i + 1) * chunk];
    canvas.polygon(
      [toPixels(left, 0), toPixels(left, heights[i]), toPixels(right, heights[i + 1]), toPixels(right, 0)],
      GROUND,
    );
  }
  drawFlames(canvas, lander);
  for (const leg of legs) drawBody(canvas, leg, toPixels, HULL, BORDER);
  drawBody(canvas, hull, toPixels, HULL, BORDER);
  for (const x of PAD_ENDS) drawFlag(canvas, toPixels(x, PAD_HEIGHT), [150, 150, 160], [204, 204, 0]);
  return canvas.frame;
}

/** Of the engines that fired in the last step, as long as they were strong. */
function drawFlames(canvas: Canvas, { hull, mainPower, sidePower }: Lander): void {
  const at = (x: number, y: number): Point => {
    const { sin, cos, originX, originY } = hull;
    return toPixels((cos * x - sin * y) / SCALE + originX, (sin * x + cos * y) / SCALE + originY);
  };
  if (mainPower > 0) canvas.polygon([at(-6, -10), at(6, -10), at(0, -10 - 26 * mainPower)], FLAME);
  if (sidePower !== 0) {
    const side = -Math.sign(sidePower);
    canvas.polygon(
      [at(side * 15, 16), at(side * 16, 10), at(side * (16 + 14 * Math.abs(sidePower)), 13)],
      FLAME,
    );
  }
}
