/** Bodies as filled polygons, y upwards. */
import type { Canvas, Color, Point } from '../../src/env/render/canvas.ts';
import type { Body } from './engine/body.ts';

/** From metres to pixels. */
export type ToPixels = (x: number, y: number) => Point;

/** Fills the polygon of a body, its edge in a colour of its own. */
export function drawBody(
  canvas: Canvas,
  { corners }: Body,
  toPixels: ToPixels,
  fill: Color,
  border: Color,
): void {
  const points = Array.from({ length: corners.length / 2 }, (_, k) =>
    toPixels(corners[2 * k], corners[2 * k + 1]),
  );
  canvas.polygon(points, fill);
  points.forEach((point, k) => {
    canvas.line(point, points[(k + 1) % points.length], 2, border);
  });
}

/** A pole with a pennant; (x, y) is its foot in pixels. */
export function drawFlag(canvas: Canvas, [x, y]: Point, pole: Color, pennant: Color): void {
  canvas.line([x, y], [x, y - 50], 2, pole);
  canvas.polygon(
    [
      [x, y - 50],
      [x, y - 40],
      [x + 25, y - 45],
    ],
    pennant,
  );
}
