/** SparseMaze: one way from each cell to each, a goal at the end of the longest, and nothing on the way. */
import { describe, expect, it } from 'vitest';
import { buildMaze, sparseMazeKernel } from '../../envs/sparse-maze.ts';

/** Steps from cell 0 to each cell, by breadth-first search over the moves. */
function distances({ size, next }: ReturnType<typeof buildMaze>): number[] {
  const found = new Array<number>(size * size).fill(-1);
  found[0] = 0;
  const queue = [0];
  for (const cell of queue) {
    for (let move = 0; move < 4; move++) {
      const to = next[4 * cell + move];
      if (found[to] >= 0) continue;
      found[to] = found[cell] + 1;
      queue.push(to);
    }
  }
  return found;
}

describe('a maze', () => {
  it.each([
    [10, 0],
    [10, 5],
    [7, 3],
    [2, 1],
  ])('of %i cells a side, layout %i, is a tree whose deepest leaf is the goal', (size, layout) => {
    const maze = buildMaze(size, layout);
    const found = distances(maze);
    expect(found.every((distance) => distance >= 0)).toBe(true);
    const passages = maze.next.filter((to, k) => to !== Math.floor(k / 4));
    expect(passages.length).toBe(2 * (size * size - 1)); // all cells joined by one passage less than there are cells: no way round
    expect(maze.distance).toBe(found[maze.goal]);
    expect(maze.distance).toBe(Math.max(...found));
  });

  it('has passages between neighbours alone, open from both sides', () => {
    const { size, next } = buildMaze(10, 0);
    for (let cell = 0; cell < 100; cell++) {
      for (let move = 0; move < 4; move++) {
        const to = next[4 * cell + move];
        if (to === cell) continue;
        expect(to - cell).toBe([-size, 1, size, -1][move]);
        expect(next[4 * to + ((move + 2) % 4)]).toBe(cell);
      }
    }
  });

  it('is 77 steps long as it is registered, and another one for another layout', () => {
    expect(buildMaze(10, 0).distance).toBe(77);
    expect(buildMaze(10, 1).next).not.toEqual(buildMaze(10, 0).next);
  });
});

it('rewards the last step of the way and nothing before', () => {
  const kernel = sparseMazeKernel(1);
  const maze = buildMaze(10, 0);
  const found = distances(maze);
  const way: number[] = [];
  for (let cell = maze.goal; cell !== 0; ) {
    const back = [0, 1, 2, 3].find((move) => found[maze.next[4 * cell + move]] === found[cell] - 1) as number;
    way.unshift((back + 2) % 4);
    cell = maze.next[4 * cell + back];
  }
  kernel.reset(0, 1);
  const rewards = way.map((move, t) => {
    kernel.step(0, Int32Array.of(move), 0);
    expect(kernel.terminated[0]).toBe(t === way.length - 1 ? 1 : 0);
    return kernel.rewards[0];
  });
  expect(rewards).toEqual([...new Array<number>(76).fill(0), 1]);
  const row = new Float32Array(100);
  kernel.writeObservation(0, row, 0);
  expect(row.indexOf(1)).toBe(maze.goal);
  expect(row.reduce((sum, value) => sum + value)).toBe(1);
});

it('stands still at walls', () => {
  const kernel = sparseMazeKernel(1);
  kernel.reset(0, 1);
  kernel.step(0, Int32Array.of(0), 0); // north of the corner
  expect(kernel.getState?.(0)).toBe(0);
});
