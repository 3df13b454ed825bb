/** Draws the return of every episode, and the mean of the last 20, over environment steps. */
import { openCanvas, type Surface } from './canvas.ts';
import type { EpisodeEnd } from './messages.ts';
import { MAX_EPISODE_STEPS, SOLVED_RETURN } from './settings.ts';

const LEAST_STEPS = 10_000; // what the axis shows at least
const LEFT = 34;
const BOTTOM = 22;
const TOP = 8;
const RIGHT = 10;
const FONT = '11px ui-sans-serif, system-ui, sans-serif';

export interface LearningCurve {
  add(ends: readonly EpisodeEnd[], numEnvSteps: number): void;
  clear(): void;
  /** Draws when something has changed. */
  draw(): void;
}

/** From numbers to pixels. */
interface Scales {
  readonly x: (numSteps: number) => number;
  readonly y: (episodeReturn: number) => number;
}

export function createLearningCurve(canvas: HTMLCanvasElement): LearningCurve {
  let ends: EpisodeEnd[] = [];
  let lastStep = 0;
  let isStale = true;
  const clear = openCanvas(canvas, () => {
    isStale = true;
  });
  return {
    add(more, numEnvSteps) {
      ends.push(...more);
      lastStep = numEnvSteps;
      isStale = true;
    },
    clear() {
      ends = [];
      lastStep = 0;
      isStale = true;
    },
    draw() {
      if (!isStale) return;
      isStale = false;
      const surface = clear();
      const { width, height } = surface;
      const maxSteps = Math.max(LEAST_STEPS, lastStep * 1.03);
      const scales: Scales = {
        x: (numSteps) => LEFT + (numSteps / maxSteps) * (width - LEFT - RIGHT),
        y: (value) => height - BOTTOM - (value / MAX_EPISODE_STEPS) * (height - BOTTOM - TOP),
      };
      drawAxes(surface, scales, maxSteps);
      drawEpisodes(surface, scales, ends);
      drawMean(surface, scales, ends);
    },
  };
}

/** 1, 2 or 5 times a power of ten, so that about five of them fill `range`. */
function niceStep(range: number): number {
  const power = 10 ** Math.floor(Math.log10(range / 5));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= range / 5) ?? 10);
}

const stepLabel = (numSteps: number) => (numSteps === 0 ? '0' : `${numSteps / 1000}k`);

function drawAxes({ context, width, colors }: Surface, { x, y }: Scales, maxSteps: number): void {
  context.font = FONT;
  context.lineWidth = 1;
  context.strokeStyle = colors.line;
  context.fillStyle = colors.quiet;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (let value = 0; value <= MAX_EPISODE_STEPS; value += 100) {
    line(context, LEFT, y(value), width - RIGHT, y(value));
    context.fillText(String(value), LEFT - 8, y(value));
  }
  context.textAlign = 'center';
  const step = niceStep(maxSteps);
  for (let numSteps = 0; numSteps <= maxSteps; numSteps += step) {
    context.fillText(stepLabel(numSteps), x(numSteps), y(0) + 14);
  }
  context.strokeStyle = colors.quiet;
  context.setLineDash([4, 4]);
  line(context, LEFT, y(SOLVED_RETURN), width - RIGHT, y(SOLVED_RETURN));
  context.setLineDash([]);
  context.textAlign = 'right';
  context.fillText(String(SOLVED_RETURN), width - RIGHT, y(SOLVED_RETURN) + 9);
}

function line(context: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  context.beginPath();
  context.moveTo(x0, Math.round(y0) + 0.5);
  context.lineTo(x1, Math.round(y1) + 0.5);
  context.stroke();
}

function drawEpisodes({ context, colors }: Surface, { x, y }: Scales, ends: readonly EpisodeEnd[]): void {
  context.fillStyle = colors.quiet;
  context.globalAlpha = 0.4;
  context.beginPath();
  for (const { numEnvSteps, episodeReturn } of ends) {
    context.moveTo(x(numEnvSteps) + 1.6, y(episodeReturn));
    context.arc(x(numEnvSteps), y(episodeReturn), 1.6, 0, 2 * Math.PI);
  }
  context.fill();
  context.globalAlpha = 1;
}

function drawMean({ context, colors }: Surface, { x, y }: Scales, ends: readonly EpisodeEnd[]): void {
  context.strokeStyle = colors.accent;
  context.lineWidth = 2;
  context.lineJoin = 'round';
  context.beginPath();
  for (const { numEnvSteps, mean } of ends) {
    if (mean !== null) context.lineTo(x(numEnvSteps), y(mean));
  }
  context.stroke();
}
