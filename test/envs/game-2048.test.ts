import { describe, expect, it } from 'vitest';
import { canSlide, game2048Kernel, slide } from '../../envs/game-2048.ts';
import { openStream } from '../../src/random/streams.ts';

const [UP, RIGHT, DOWN, LEFT] = [0, 1, 2, 3];

/** One row in the upper left, the rest empty. */
const row = (...exponents: number[]) => Uint8Array.from({ length: 16 }, (_, k) => exponents[k] ?? 0);

describe('2048', () => {
  it.each([
    [[1, 1, 0, 0], [2, 0, 0, 0], 4],
    [[0, 1, 0, 1], [2, 0, 0, 0], 4],
    [[1, 1, 1, 0], [2, 1, 0, 0], 4],
    [[1, 1, 1, 1], [2, 2, 0, 0], 8],
    [[2, 1, 1, 0], [2, 2, 0, 0], 4], // a merged tile does not merge again
    [[1, 2, 1, 2], [1, 2, 1, 2], 0],
    [[0, 0, 0, 3], [3, 0, 0, 0], 0],
    [[3, 3, 2, 2], [4, 3, 0, 0], 24],
  ])('%j slides left to %j for %i points', (from, to, points) => {
    const board = row(...from);
    expect(canSlide(board, LEFT)).toBe(JSON.stringify(from) !== JSON.stringify(to));
    expect(slide(board, LEFT)).toBe(points);
    expect(board).toEqual(row(...to));
  });

  it('slides the same way in all four directions', () => {
    const stream = openStream(1, 'test', '2048');
    for (let k = 0; k < 200; k++) {
      const board = Uint8Array.from({ length: 16 }, () => Math.max(0, stream.integer(6) - 2));
      for (const [action, turns] of [
        [LEFT, 0],
        [UP, 1],
        [RIGHT, 2],
        [DOWN, 3],
      ] as const) {
        const turned = turn(board, turns);
        const expected = slowSlideLeft(turned);
        const actual = Uint8Array.from(board);
        expect(canSlide(board, action)).toBe(expected.tiles.join() !== turned.join());
        expect(slide(actual, action)).toBe(expected.points);
        expect(turn(actual, turns)).toEqual(expected.tiles);
      }
    }
  });

  it('adds a tile per move, masks moves that change nothing, and ends when none is left', () => {
    const kernel = game2048Kernel(1);
    const stream = openStream(2, 'test', '2048');
    const mask = new Uint8Array(4);
    const tiles = () => (kernel.getState!(0) as { board: number[] }).board;
    const metrics: [string, number][] = [];
    let numFours = 0;
    let numTiles = 0;
    for (let game = 0; game < 12; game++) {
      kernel.reset(0, game);
      expect(tiles().filter((x) => x > 0)).toHaveLength(2);
      let score = 0;
      for (let isOver = false; !isOver; ) {
        kernel.writeMask!(0, mask, 0);
        const allowed = [0, 1, 2, 3].filter((action) => mask[action] === 1);
        expect(allowed.length).toBeGreaterThan(0);
        const board = Uint8Array.from(tiles());
        const action = allowed[stream.integer(allowed.length)];
        const points = slide(board, action);
        kernel.step(0, Int32Array.of(action), 0);
        const added = tiles()
          .map((x, k) => x - board[k])
          .filter((x) => x !== 0);
        expect(added).toHaveLength(1);
        numTiles += 1;
        numFours += added[0] === 2 ? 1 : 0;
        score += points;
        expect(kernel.rewards[0]).toBeCloseTo(points / 100, 12);
        isOver = kernel.terminated[0] === 1;
        kernel.reportMetrics!(0, (_, name, value) => metrics.push([name, value]));
      }
      kernel.writeMask!(0, mask, 0);
      expect([...mask]).toEqual([0, 0, 0, 0]);
      expect(metrics.splice(0)).toEqual([
        ['score', score],
        ['largestTile', 2 ** Math.max(...tiles())],
      ]);
    }
    // 10%: six standard deviations
    expect(Math.abs(numFours / numTiles - 0.1)).toBeLessThan(6 * Math.sqrt(0.09 / numTiles));
  });

  it('ignores a masked move', () => {
    const kernel = game2048Kernel(1);
    kernel.reset(0, 1);
    const state = kernel.getState!(0) as { board: number[] };
    kernel.setState!(0, { ...state, board: [...row(1, 2, 0, 0)], score: 7 });
    kernel.step(0, Int32Array.of(LEFT), 0);
    expect(kernel.getState!(0)).toMatchObject({ board: [...row(1, 2, 0, 0)], score: 7 });
    expect([kernel.rewards[0], kernel.terminated[0]]).toEqual([0, 0]);
  });

  it('shows one-hot tiles, or exponents as an image', () => {
    const board = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    const hot = game2048Kernel(1);
    const image = game2048Kernel(1, { observation: 'exponents' });
    for (const kernel of [hot, image]) {
      kernel.reset(0, 1);
      kernel.setState!(0, { ...(kernel.getState!(0) as object), board });
    }
    const row256 = new Float32Array(256);
    hot.writeObservation(0, row256, 0);
    expect([...row256].flatMap((x, i) => (x === 1 ? [i] : []))).toEqual(
      board.map((exponent) => exponent * 17),
    );
    const bytes = new Uint8Array(16);
    image.writeObservation(0, bytes, 0);
    expect([...bytes]).toEqual(board);
  });
});

/** The board turned counterclockwise: what was up lies at the left after one turn, right after two, down after three. */
function turn(board: Uint8Array, turns: number): Uint8Array {
  let result = board;
  for (let k = 0; k < turns; k++) {
    const from = result;
    result = Uint8Array.from({ length: 16 }, (_, i) => from[(i % 4) * 4 + 3 - Math.floor(i / 4)]);
  }
  return result;
}

function slowSlideLeft(board: Uint8Array): { tiles: Uint8Array; points: number } {
  let points = 0;
  const rows = [0, 4, 8, 12].map((start) => {
    const tiles = [...board.subarray(start, start + 4)].filter((x) => x > 0);
    const merged: number[] = [];
    while (tiles.length > 0) {
      const tile = tiles.shift() as number;
      if (tiles[0] === tile) {
        tiles.shift();
        merged.push(tile + 1);
        points += 2 ** (tile + 1);
      } else merged.push(tile);
    }
    return [...merged, 0, 0, 0, 0].slice(0, 4);
  });
  return { tiles: Uint8Array.from(rows.flat()), points };
}
