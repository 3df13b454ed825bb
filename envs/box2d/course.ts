/**
 * The ground that BipedalWalker-v3 walks over, drawn from left to right in pieces of 14/30 m: gentle grass, and in the hardcore form
 * pits, stumps and stairs between stretches of it.
 *
 * Numbers and order of draws of Gymnasium's BipedalWalker-v3 (O. Klimov), code of our own.
 */
import type { EnvRandom } from '../../src/env/env-random.ts';
import { SCALE } from './world.ts';

export const PIECE = 14 / SCALE; // m
export const NUM_PIECES = 200;
/** At the end, where the episode ends; also about how long a stretch of grass is. */
export const NUM_LAST_PIECES = 10;
export const NUM_START_PIECES = 20;
export const GROUND_HEIGHT = 400 / SCALE / 4;
const SKY_HEIGHT = ((400 / SCALE) * 3) / 4;
const PIT_DEPTH = 4 * PIECE;
const NUM_CLOUDS = NUM_PIECES / 20;
const CLOUD_CORNERS = 5;

const GRASS = 0;
const STUMP = 1;
const STAIRS = 2; // 3: pit

type Corner = readonly [x: number, y: number];

/** A solid piece of the course: four corners. */
export type Block = readonly [Corner, Corner, Corner, Corner];

export interface Course {
  /** Of the ground at x = i * PIECE. */
  readonly heights: readonly number[]; // [NUM_PIECES]
  readonly blocks: readonly Block[];
  /** Only to look at. */
  readonly clouds: readonly (readonly Corner[])[];
}

/** Where the drawing of a course stands. */
interface Pen {
  readonly random: EnvRandom;
  readonly blocks: Block[];
  kind: number;
  /** Whether the piece is the first of its kind. */
  isFirst: boolean;
  /** Pieces that are left of it. */
  numLeft: number;
  y: number;
  slope: number;
  /** Height at which the pit or the stairs began. */
  startY: number;
  stairHeight: number;
  stairWidth: number;
  numStairs: number;
}

/** Draws a course, then the clouds over it. */
export function drawCourse(random: EnvRandom, isHardcore: boolean): Course {
  const pen: Pen = {
    random,
    blocks: [],
    kind: GRASS,
    isFirst: false,
    numLeft: NUM_START_PIECES,
    y: GROUND_HEIGHT,
    slope: 0,
    startY: 0,
    stairHeight: 0,
    stairWidth: 0,
    numStairs: 0,
  };
  const heights: number[] = [];
  for (let i = 0; i < NUM_PIECES; i++) {
    drawPiece(pen, i);
    heights.push(pen.y);
    pen.isFirst = false;
    pen.numLeft -= 1;
    if (pen.numLeft > 0) continue;
    pen.numLeft = NUM_LAST_PIECES / 2 + random.integer(NUM_LAST_PIECES / 2);
    pen.kind = pen.kind === GRASS && isHardcore ? 1 + random.integer(3) : GRASS;
    pen.isFirst = true;
  }
  return { heights, blocks: pen.blocks, clouds: drawClouds(random) };
}

function drawPiece(pen: Pen, i: number): void {
  const x = i * PIECE;
  if (pen.kind === GRASS) {
    if (!pen.isFirst) drawGrass(pen, i);
  } else if (pen.kind === STUMP) {
    if (pen.isFirst) drawStump(pen, x);
  } else if (pen.kind === STAIRS) {
    if (pen.isFirst) drawStairs(pen, x);
    else {
      const climbed = (pen.numStairs * pen.stairWidth - pen.numLeft - pen.stairHeight) / pen.stairWidth;
      pen.y = pen.startY + climbed * pen.stairHeight * PIECE;
    }
  } else if (pen.isFirst) drawPit(pen, x);
  else pen.y = pen.numLeft > 1 ? pen.startY - PIT_DEPTH : pen.startY;
}

function drawGrass(pen: Pen, i: number): void {
  pen.slope = 0.8 * pen.slope + 0.01 * Math.sign(GROUND_HEIGHT - pen.y);
  if (i > NUM_START_PIECES) pen.slope += pen.random.uniform(-1, 1) / SCALE;
  pen.y += pen.slope;
}

/** The two walls of the pit. */
function drawPit(pen: Pen, x: number): void {
  const width = 3 + pen.random.integer(2);
  for (const left of [x, x + PIECE * width]) {
    pen.blocks.push(block(left, pen.y, PIECE, -PIT_DEPTH));
  }
  pen.numLeft = width + 2;
  pen.startY = pen.y;
}

function drawStump(pen: Pen, x: number): void {
  pen.numLeft = 1 + pen.random.integer(2);
  pen.blocks.push(block(x, pen.y, pen.numLeft * PIECE, pen.numLeft * PIECE));
}

function drawStairs(pen: Pen, x: number): void {
  pen.stairHeight = pen.random.random() > 0.5 ? 1 : -1;
  pen.stairWidth = 4;
  pen.numStairs = 3 + pen.random.integer(2);
  pen.startY = pen.y;
  for (let k = 0; k < pen.numStairs; k++) {
    const left = x + k * pen.stairWidth * PIECE;
    const top = pen.y + k * pen.stairHeight * PIECE;
    pen.blocks.push(block(left, top, pen.stairWidth * PIECE, -PIECE));
  }
  pen.numLeft = pen.numStairs * pen.stairWidth;
}

/** From its corner (x, y), which goes first, counted along the x axis; `height` may be negative. */
function block(x: number, y: number, width: number, height: number): Block {
  return [
    [x, y],
    [x + width, y],
    [x + width, y + height],
    [x, y + height],
  ];
}

function drawClouds(random: EnvRandom): Corner[][] {
  return Array.from({ length: NUM_CLOUDS }, () => {
    const x = random.uniform(0, NUM_PIECES) * PIECE;
    return Array.from({ length: CLOUD_CORNERS }, (_, k): Corner => {
      const angle = (3.14 * 2 * k) / 5;
      const across = x + 15 * PIECE * Math.sin(angle) + random.uniform(0, 5 * PIECE);
      return [across, SKY_HEIGHT + 5 * PIECE * Math.cos(angle) + random.uniform(0, 5 * PIECE)];
    });
  });
}
