/**
 * PongDuel-v0: table tennis for two, seen from above. Who lets the ball past loses a point.
 *
 * ## Agents
 * `left` and `right`, both in every step. Both have the same spaces, and both see themselves on the left, so that one policy may play both.
 *
 * ## Action Space
 * `Discrete(3)`: stay, up, down (0.04 a step).
 *
 * ## Observation Space
 * `Box(8)`: height of the own paddle and of the other's; the ball's place (x from -1, the own side, to 1; y from -1 to 1) and velocity (in units of
 * the fastest it can cross the table); own points and the other's (share of `points`).
 *
 * ## Central State
 * What `left` sees.
 *
 * ## Rewards
 * 1 for a point made, -1 for a point lost. `info.outcome` says at the end who has more of them.
 *
 * ## Dynamics
 * The table reaches from -1 to 1 both ways, paddles from 0.2 below to 0.2 above their place. A ball is served from the middle at 0.04 a step to
 * a side that is drawn. Each stroke makes it 1.1 times faster across the table, up to 0.08, and the farther from the paddle's middle it is hit, the
 * steeper it leaves (up to 1.2 times as fast along as across): faster than a paddle runs. So who aims beats who follows the ball.
 *
 * ## Episode End
 * Terminated when somebody has `points` points, truncated after 2000 steps.
 *
 * ## Options
 * `points` (3), `maxEpisodeSteps` (2000).
 *
 * State for `setState`: `{ ball, paddles, points, seed, serves, elapsed }`.
 */
import {
  AgentEnd,
  type AgentsKernelFactory,
  clearResults,
  type SeatResults,
  seatResults,
} from '../src/env/agents/agents-kernel.ts';
import { multiAgentFactory } from '../src/env/agents/kernel-multi-agent-env.ts';
import { checkInteger, readEnvOptions } from '../src/env/env-options.ts';
import { openEnvRandom } from '../src/env/env-random.ts';
import { type Color, createCanvas } from '../src/env/render/canvas.ts';
import { Box, Discrete } from '../src/env/spaces.ts';
import type { ObservationArray } from '../src/env/vector-env.ts';
import type { JsonObject } from '../src/json.ts';
import { episodeSeed } from '../src/random/streams.ts';

const ENV_ID = 'PongDuel-v0';
const OBSERVATION_SIZE = 8;
const PADDLE_HALF = 0.2;
const PADDLE_SPEED = 0.04;
const SERVE_SPEED = 0.04;
const SERVE_SLOPE = 0.5;
const MAX_SPEED = 0.08;
const SPEED_UP = 1.1;
const MAX_SLOPE = 1.2;
const UP = 1;
const DOWN = 2;

interface Tables {
  readonly balls: Float64Array; // [N, 4] f64: x, y, and their change in a step
  readonly paddles: Float64Array; // [N, 2] f64: heights of the left and of the right one
  readonly points: Uint32Array; // [N, 2] u32
  readonly seeds: Uint32Array; // [N] u32
  readonly serves: Uint32Array; // [N] u32, in this episode
  readonly elapsed: Uint32Array; // [N] u32
  readonly results: SeatResults;
}

/** N tables; see the head of this file. */
export const pongDuelKernel: AgentsKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, { points: 3, maxEpisodeSteps: 2000 as number | null });
  checkInteger(ENV_ID, 'points', options.points, 1, 1000);
  const limit = options.maxEpisodeSteps ?? Number.POSITIVE_INFINITY;
  const tables: Tables = {
    balls: new Float64Array(numEnvs * 4),
    paddles: new Float64Array(numEnvs * 2),
    points: new Uint32Array(numEnvs * 2),
    seeds: new Uint32Array(numEnvs),
    serves: new Uint32Array(numEnvs),
    elapsed: new Uint32Array(numEnvs),
    results: seatResults(2),
  };
  const { paddles, points, seeds, serves, elapsed, results } = tables;
  const spaces = { observationSpace: new Box(-2, 2, [OBSERVATION_SIZE]), actionSpace: new Discrete(3) };
  const write = (n: number, s: number, out: ObservationArray, offset: number) =>
    writeView(tables, options.points, n, s, out, offset);
  return {
    envId: ENV_ID,
    numEnvs,
    seats: ['left', 'right'].map((name) => ({ name, ...spaces })),
    results,
    maxEpisodeSteps: options.maxEpisodeSteps,
    reset(n, seed) {
      seeds[n] = seed;
      serves[n] = 0;
      elapsed[n] = 0;
      points.fill(0, 2 * n, 2 * n + 2);
      paddles.fill(0, 2 * n, 2 * n + 2);
      serve(tables, n);
      clearResults(results);
      results.acting.fill(1);
    },
    step(n, actions, offset) {
      clearResults(results);
      for (const s of [0, 1]) movePaddle(paddles, 2 * n + s, actions[offset + s]);
      const loser = moveBall(tables, n);
      elapsed[n] += 1;
      if (loser >= 0) {
        points[2 * n + 1 - loser] += 1;
        results.rewards[loser] = -1;
        results.rewards[1 - loser] = 1;
        serve(tables, n);
      }
      const lead = points[2 * n] - points[2 * n + 1];
      const isWon = Math.max(points[2 * n], points[2 * n + 1]) >= options.points;
      if (isWon || elapsed[n] >= limit)
        results.outcomes.set([Math.sign(lead), lead === 0 ? 0 : -Math.sign(lead)]);
      if (isWon) results.episodeEnd = AgentEnd.TERMINATED;
      else results.acting.fill(1);
    },
    writeObservation: write,
    stateSize: OBSERVATION_SIZE,
    writeState: (n, out, offset) => write(n, 0, out, offset),
    getState: (n) => saveTable(tables, n),
    setState: (n, state) => restoreTable(tables, n, state as JsonObject),
    render: (n, mode) => draw(tables, n, mode),
  };
};

function serve({ balls, seeds, serves }: Tables, n: number): void {
  const random = openEnvRandom(episodeSeed(seeds[n], 0, serves[n]));
  serves[n] += 1;
  balls[4 * n] = 0;
  balls[4 * n + 1] = random.uniform(-0.5, 0.5);
  balls[4 * n + 2] = random.integer(2) === 0 ? -SERVE_SPEED : SERVE_SPEED;
  balls[4 * n + 3] = SERVE_SPEED * random.uniform(-SERVE_SLOPE, SERVE_SLOPE);
}

function movePaddle(paddles: Float64Array, k: number, action: number): void {
  if (action !== UP && action !== DOWN) return;
  const moved = paddles[k] + (action === UP ? PADDLE_SPEED : -PADDLE_SPEED);
  const limit = 1 - PADDLE_HALF;
  paddles[k] = Math.min(limit, Math.max(-limit, moved));
}

/** Who has let the ball past, or -1. */
function moveBall({ balls, paddles }: Tables, n: number): number {
  const k = 4 * n;
  balls[k] += balls[k + 2];
  balls[k + 1] += balls[k + 3];
  if (Math.abs(balls[k + 1]) > 1) {
    balls[k + 1] = Math.sign(balls[k + 1]) * 2 - balls[k + 1];
    balls[k + 3] = -balls[k + 3];
  }
  if (Math.abs(balls[k]) < 1) return -1;
  const side = balls[k] < 0 ? 0 : 1;
  const miss = (balls[k + 1] - paddles[2 * n + side]) / PADDLE_HALF;
  if (Math.abs(miss) > 1) return side;
  const speed = Math.min(MAX_SPEED, Math.abs(balls[k + 2]) * SPEED_UP);
  balls[k] = Math.sign(balls[k]) * 2 - balls[k];
  balls[k + 2] = side === 0 ? speed : -speed;
  balls[k + 3] = speed * MAX_SLOPE * miss;
  return -1;
}

/** The right one sees the table mirrored. */
function writeView(
  { balls, paddles, points }: Tables,
  pointsToWin: number,
  n: number,
  s: number,
  out: ObservationArray,
  offset: number,
): void {
  const sign = s === 0 ? 1 : -1;
  out[offset] = paddles[2 * n + s];
  out[offset + 1] = paddles[2 * n + 1 - s];
  out[offset + 2] = sign * balls[4 * n];
  out[offset + 3] = balls[4 * n + 1];
  out[offset + 4] = (sign * balls[4 * n + 2]) / MAX_SPEED;
  out[offset + 5] = balls[4 * n + 3] / MAX_SPEED;
  out[offset + 6] = points[2 * n + s] / pointsToWin;
  out[offset + 7] = points[2 * n + 1 - s] / pointsToWin;
}

function saveTable({ balls, paddles, points, seeds, serves, elapsed }: Tables, n: number) {
  return {
    ball: [...balls.subarray(4 * n, 4 * n + 4)],
    paddles: [...paddles.subarray(2 * n, 2 * n + 2)],
    points: [points[2 * n], points[2 * n + 1]],
    seed: seeds[n],
    serves: serves[n],
    elapsed: elapsed[n],
  };
}

function restoreTable(tables: Tables, n: number, saved: JsonObject): void {
  tables.balls.set(saved.ball as number[], 4 * n);
  tables.paddles.set(saved.paddles as number[], 2 * n);
  tables.points.set(saved.points as number[], 2 * n);
  tables.seeds[n] = saved.seed as number;
  tables.serves[n] = saved.serves as number;
  tables.elapsed[n] = saved.elapsed as number;
  clearResults(tables.results);
  tables.results.acting.fill(1);
}

const WIDTH = 400;
const HEIGHT = 300;
const PADDLE_PIXELS = 8;
const COLORS: readonly [Color, Color] = [
  [230, 120, 70],
  [90, 160, 230],
];

function draw({ balls, paddles, points }: Tables, n: number, mode: 'rgb' | 'ansi' = 'rgb') {
  const [x, y] = [balls[4 * n], balls[4 * n + 1]];
  if (mode === 'ansi') {
    const [columns, rows] = [41, 15];
    const rowOf = (height: number) => Math.round(((1 - height) / 2) * (rows - 1));
    const board = Array.from({ length: rows }, () => Array.from({ length: columns }, () => ' '));
    for (const s of [0, 1])
      for (
        let row = rowOf(paddles[2 * n + s] + PADDLE_HALF);
        row <= rowOf(paddles[2 * n + s] - PADDLE_HALF);
        row++
      )
        board[row][s * (columns - 1)] = '|';
    board[rowOf(y)][Math.round(((x + 1) / 2) * (columns - 1))] = 'o';
    const score = `${points[2 * n]} : ${points[2 * n + 1]}`;
    return [score, ...board.map((row) => row.join(''))].join('\n');
  }
  const canvas = createCanvas(WIDTH, HEIGHT, [30, 40, 48]);
  const px = (value: number) => ((value + 1) / 2) * (WIDTH - 2 * PADDLE_PIXELS) + PADDLE_PIXELS;
  const py = (value: number) => ((1 - value) / 2) * HEIGHT;
  for (const s of [0, 1]) {
    const left = s === 0 ? 0 : WIDTH - PADDLE_PIXELS;
    canvas.rectangle(
      left,
      py(paddles[2 * n + s] + PADDLE_HALF),
      PADDLE_PIXELS,
      PADDLE_HALF * HEIGHT,
      COLORS[s],
    );
    canvas.digits(String(points[2 * n + s]), WIDTH / 2 + (s === 0 ? -40 : 28), 8, 4, COLORS[s]);
  }
  canvas.disc([px(x), py(y)], 6, [245, 245, 235]);
  return canvas.frame;
}

/** Options in, one table out. */
export const pongDuel = multiAgentFactory(pongDuelKernel);
