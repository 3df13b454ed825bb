/** BipedalWalker's picture: 600 x 400 pixels that go along with the walker. */
import type { RgbFrame } from '../../src/env/env.ts';
import { type Canvas, type Color, createCanvas, type Point } from '../../src/env/render/canvas.ts';
import { type Course, GROUND_HEIGHT, PIECE } from './course.ts';
import { drawBody, drawFlag, type ToPixels } from './draw-body.ts';
import type { Walker } from './walker.ts';
import { SCALE } from './world.ts';

const WIDTH = 600;
const HEIGHT = 400;
const SKY: Color = [215, 215, 255];
const EARTH: Color = [102, 153, 76];
const GRASS: readonly Color[] = [
  [76, 255, 76],
  [76, 204, 76],
];
const HULL: Color = [127, 51, 229];
const HULL_BORDER: Color = [76, 76, 127];

export function drawWalker({ course, hull, legs }: Walker): RgbFrame {
  const canvas = createCanvas(WIDTH, HEIGHT, SKY);
  const left = hull.originX - WIDTH / SCALE / 5; // m
  const toPixels: ToPixels = (x, y) => [(x - left) * SCALE, HEIGHT - y * SCALE];
  // Clouds are twice as far away.
  for (const cloud of course.clouds) {
    canvas.polygon(
      cloud.map(([x, y]) => toPixels(x + left / 2, y)),
      [255, 255, 255],
    );
  }
  drawGround(canvas, course, left, toPixels);
  // The nearer leg, which is drawn last, is the lighter one.
  legs.forEach((leg, k) => {
    const light = k < 2 ? 0 : 25;
    drawBody(
      canvas,
      leg,
      toPixels,
      [128 + light, 51 + light, 102 + light],
      [77 + light, 26 + light, 51 + light],
    );
  });
  drawBody(canvas, hull, toPixels, HULL, HULL_BORDER);
  drawFlag(canvas, toPixels(3 * PIECE, GROUND_HEIGHT), [0, 0, 0], [230, 51, 0]);
  return canvas.frame;
}

function drawGround(canvas: Canvas, { heights, blocks }: Course, left: number, toPixels: ToPixels): void {
  const first = Math.max(0, Math.floor(left / PIECE));
  const last = Math.min(heights.length - 1, Math.ceil((left + WIDTH / SCALE) / PIECE));
  for (let i = first; i < last; i++) {
    const ends: [Point, Point] = [toPixels(i * PIECE, heights[i]), toPixels((i + 1) * PIECE, heights[i + 1])];
    canvas.polygon([...ends, toPixels((i + 1) * PIECE, 0), toPixels(i * PIECE, 0)], EARTH);
    canvas.line(...ends, 3, GRASS[i % 2]);
  }
  for (const corners of blocks) {
    const points = corners.map(([x, y]) => toPixels(x, y));
    canvas.polygon(points, [255, 255, 255]);
    points.forEach((point, k) => {
      canvas.line(point, points[(k + 1) % points.length], 2, [153, 153, 153]);
    });
  }
}
