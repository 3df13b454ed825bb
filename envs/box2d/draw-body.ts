/** Bodies of Box2D as filled polygons, y upwards. */
import type { Body } from 'planck';
import type { Canvas, Color, Point } from '../../src/env/render/canvas.ts';

/** From metres to pixels. */
export type ToPixels = (x: number, y: number) => Point;

/** Fills every polygon of a body, its edge in a colour of its own. */
export function drawBody(canvas: Canvas, body: Body, toPixels: ToPixels, fill: Color, border: Color): void {
  for (let fixture = body.getFixtureList(); fixture !== null; fixture = fixture.getNext()) {
    const shape = fixture.getShape() as { readonly m_vertices?: readonly { x: number; y: number }[] };
    if (shape.m_vertices === undefined || shape.m_vertices.length < 3) continue;
    const corners = shape.m_vertices.map((corner) => {
      const { x, y } = body.getWorldPoint(corner);
      return toPixels(x, y);
    });
    canvas.polygon(corners, fill);
    corners.forEach((corner, k) => {
      canvas.line(corner, corners[(k + 1) % corners.length], 2, border);
    });
  }
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
