/** Draws a cart and its pole. */
import { openCanvas, type Surface } from './canvas.ts';
import type { PoleView } from './greedy-player.ts';
import { MAX_EPISODE_STEPS } from './settings.ts';

const POSITION_LIMIT = 2.4; // metres, where the episode ends
const ANGLE_LIMIT = (12 * Math.PI) / 180;
const POLE_LENGTH = 1; // metres
const VISIBLE_METRES = 5.6;
const GROUND = 0.78; // of the height
const EXAGGERATION = 1.7; // of the pole's length, to see its angle

export interface PoleScene {
  draw(view: PoleView): void;
  /** Metres from the middle of the track to this place on the page. */
  metresAt(clientX: number): number;
}

export function createPoleScene(canvas: HTMLCanvasElement): PoleScene {
  const clear = openCanvas(canvas);
  return {
    draw(view) {
      const surface = clear();
      const { context, width, height } = surface;
      const metre = width / VISIBLE_METRES;
      drawTrack(surface, metre);
      context.save();
      context.globalAlpha = view.opacity;
      context.translate(width / 2 + view.position * metre, height * GROUND);
      drawCart(surface, metre, view);
      context.restore();
      drawEpisodeBar(surface, view.numSteps);
    },
    metresAt(clientX) {
      const { left, width } = canvas.getBoundingClientRect();
      return ((clientX - left) / width - 0.5) * VISIBLE_METRES;
    },
  };
}

function drawTrack({ context, width, height, colors }: Surface, metre: number): void {
  const y = height * GROUND;
  const end = POSITION_LIMIT * metre;
  context.strokeStyle = colors.line;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(width / 2 - end, y);
  context.lineTo(width / 2 + end, y);
  for (const x of [-end, 0, end]) {
    context.moveTo(width / 2 + x, y);
    context.lineTo(width / 2 + x, y + (x === 0 ? 6 : 12));
  }
  context.stroke();
}

/** The cart with its pivot at the origin, in pixels. */
function drawCart({ context, colors }: Surface, metre: number, { angle, push }: PoleView): void {
  const width = 0.76 * metre;
  const height = 0.42 * metre;
  const length = POLE_LENGTH * metre * EXAGGERATION;
  context.fillStyle = colors.shade;
  context.beginPath();
  context.moveTo(0, -height / 2);
  context.arc(0, -height / 2, length, -Math.PI / 2 - ANGLE_LIMIT, -Math.PI / 2 + ANGLE_LIMIT);
  context.fill();

  context.fillStyle = colors.ink;
  context.beginPath();
  context.roundRect(-width / 2, -height / 2, width, height, height * 0.22);
  context.fill();

  context.save();
  context.translate(0, -height / 2);
  context.rotate(angle);
  context.strokeStyle = colors.pole;
  context.lineWidth = 0.12 * metre;
  context.lineCap = 'round';
  context.beginPath();
  context.moveTo(0, 0);
  context.lineTo(0, -length);
  context.stroke();
  if (push !== 0) drawPush(context, -length * 0.9, push * metre, colors.accent);
  context.restore();

  context.fillStyle = colors.quiet;
  context.beginPath();
  context.arc(0, -height / 2, 0.06 * metre, 0, 2 * Math.PI);
  context.fill();
}

/** An arrow that ends at the pole; `reach` in pixels, its sign the direction. */
function drawPush(context: CanvasRenderingContext2D, y: number, reach: number, color: string): void {
  const tip = -Math.sign(reach) * 12;
  const head = -Math.sign(reach) * 9;
  context.strokeStyle = color;
  context.lineWidth = 3;
  context.beginPath();
  context.moveTo(tip - reach, y);
  context.lineTo(tip, y);
  context.moveTo(tip + head, y - 7);
  context.lineTo(tip, y);
  context.lineTo(tip + head, y + 7);
  context.stroke();
}

function drawEpisodeBar({ context, width, height, colors }: Surface, numSteps: number): void {
  context.fillStyle = colors.shade;
  context.fillRect(0, height - 4, width, 4);
  context.fillStyle = colors.accent;
  context.fillRect(0, height - 4, (width * numSteps) / MAX_EPISODE_STEPS, 4);
}
