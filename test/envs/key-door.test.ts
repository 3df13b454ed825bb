import { describe, expect, it } from 'vitest';
import { keyDoorKernel } from '../../envs/key-door.ts';

const [LEFT, RIGHT, FORWARD, USE] = [0, 1, 2, 3];

interface World {
  grid: number[];
  agent: number;
  heading: number;
  progress: number;
}

/** 6x6, wall in column 3 with its door in row 2, key at (1, 2), goal at (4, 4), agent at (1, 1) facing east. */
const WORLD: World = {
  grid: [
    '######', //
    '# k# #',
    '#  D #',
    '#  # #',
    '#  #G#',
    '######',
  ]
    .join('')
    .split('')
    .map((symbol) => ' #DkG'.indexOf(symbol)),
  agent: 7,
  heading: 1,
  progress: 0,
};

function open(world: World) {
  const kernel = keyDoorKernel(1, { size: 6 });
  kernel.reset(0, 0);
  kernel.setState!(0, { ...world });
  const play = (...actions: number[]) =>
    actions.map((action) => {
      kernel.step(0, Int32Array.of(action), 0);
      return Math.round((kernel.rewards[0] + 0.5 / 200) * 1e6) / 1e6;
    });
  return { kernel, play, state: () => kernel.getState!(0) as unknown as World };
}

describe('key and door', () => {
  it('is solved by taking the key, opening the door and walking to the goal', () => {
    const { kernel, play, state } = open(WORLD);
    expect(play(USE, FORWARD)).toEqual([0.25, 0]);
    expect(state()).toMatchObject({ agent: 8, progress: 1 });
    expect(play(RIGHT, FORWARD, LEFT, USE)).toEqual([0, 0, 0, 0.25]);
    expect(state()).toMatchObject({ agent: 14, progress: 2 });
    expect(play(FORWARD, FORWARD, RIGHT, FORWARD)).toEqual([0, 0, 0, 0]);
    expect(kernel.terminated[0]).toBe(0);
    expect(play(FORWARD)).toEqual([1]);
    expect(kernel.terminated[0]).toBe(1);
  });

  it('stops at walls, at the key and at the closed door, and the door needs the key', () => {
    const { play, state } = open(WORLD);
    play(FORWARD);
    expect(state().agent).toBe(7);
    play(LEFT, FORWARD, LEFT, FORWARD);
    expect(state()).toMatchObject({ agent: 7, heading: 3 });
    const atDoor = open({ ...WORLD, agent: 14 });
    expect(atDoor.play(USE, FORWARD)).toEqual([0, 0]);
    expect(atDoor.state()).toMatchObject({ agent: 14, progress: 0 });
  });

  it('sees five rows ahead, turned to the heading', () => {
    const { kernel } = open(WORLD);
    const row = new Float32Array(109);
    kernel.writeObservation(0, row, 0);
    const seen = (ahead: number, right: number) => [
      ...row.subarray(((4 - ahead) * 5 + right + 2) * 4, ((4 - ahead) * 5 + right + 3) * 4),
    ];
    const [free, wall, door, key] = [
      [0, 0, 0, 0],
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
    ];
    expect(seen(0, 0)).toEqual(free);
    expect(seen(1, 0)).toEqual(key);
    expect(seen(2, 0)).toEqual(wall);
    expect(seen(2, 1)).toEqual(door);
    expect(seen(0, -1)).toEqual(wall);
    expect(seen(0, -2)).toEqual(wall); // beyond the border
    expect([...row.subarray(100)]).toEqual([1, 0, 0, 0, 1, 0, 0, Math.fround(0.2), Math.fround(0.2)]);
  });

  it('can be solved in every layout, within the limit', () => {
    const kernel = keyDoorKernel(1);
    for (let seed = 0; seed < 500; seed++) {
      kernel.reset(0, seed);
      const world = kernel.getState!(0) as unknown as World;
      expect(world.grid.filter((cell) => cell === 2)).toHaveLength(1);
      expect(world.grid.filter((cell) => cell === 3)).toHaveLength(1);
      expect(world.grid.filter((cell) => cell === 4)).toHaveLength(1);
      expect(world.grid[world.agent]).toBe(0);
      const [key, door, goal] = [3, 2, 4].map((cell) => world.grid.indexOf(cell));
      const blocked = (allowed: number[]) => world.grid.map((cell) => !allowed.includes(cell));
      const toKey = reach(world.agent, key, blocked([0, 3]));
      const toDoor = reach(key, door, blocked([0, 2, 3]));
      const toGoal = reach(door, goal, blocked([0, 2, 3, 4]));
      expect(reach(world.agent, goal, blocked([0, 3, 4]))).toBe(Infinity);
      // Every step may need two turns.
      expect(3 * (toKey + toDoor + toGoal) + 2).toBeLessThan(200);
    }
  });

  it('keeps the layouts of its splits apart, a fifth of them for tests', () => {
    const layouts = (split: string) => {
      const kernel = keyDoorKernel(1, { split });
      return Array.from({ length: 3000 }, (_, seed) => {
        kernel.reset(0, seed);
        const { grid, agent } = kernel.getState!(0) as unknown as World;
        return `${grid.join('')}/${agent}`;
      });
    };
    const train = new Set(layouts('train'));
    const test = new Set(layouts('test'));
    expect([...test].filter((layout) => train.has(layout))).toEqual([]);
    expect(test.size).toBeGreaterThan(2000);
    const all = layouts('all');
    const share = all.filter((layout) => test.has(layout)).length / all.length;
    expect(share).toBeGreaterThan(0);
    // Those of `all` that `train` would have refused are redrawn there: equal seeds, other layouts.
    const trainInOrder = layouts('train');
    const numRefused = all.filter((layout, seed) => layout !== trainInOrder[seed]).length;
    expect(Math.abs(numRefused / all.length - 0.2)).toBeLessThan(0.04);
  });
});

/** Steps of the shortest way on an 8x8 grid. */
function reach(from: number, to: number, isBlocked: boolean[]): number {
  const distance = new Map([[from, 0]]);
  for (const cell of distance.keys()) {
    if (cell === to) return distance.get(cell) as number;
    for (const step of [-8, 1, 8, -1]) {
      const next = cell + step;
      if (!isBlocked[next] && !distance.has(next)) distance.set(next, (distance.get(cell) as number) + 1);
    }
  }
  return Infinity;
}
