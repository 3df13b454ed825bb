/** A snake that always takes a shortest way to the apple around its present body, and any free cell when there is none. */

/** What `snakeKernel`'s state says. */
export interface SnakeState {
  readonly expiry: readonly number[];
  readonly clock: number;
  readonly head: number;
  readonly heading: number;
  readonly apple: number;
}

const TURNS = [0, 3, 1];

export function greedySnakeAction(state: SnakeState, size: number): number {
  const distance = distancesToApple(state, size);
  let best = 0;
  let least = Infinity;
  for (const [action, turn] of TURNS.entries()) {
    const cell = neighbour(state.head, (state.heading + turn) % 4, size);
    if (cell === null || state.expiry[cell] > state.clock + 1) continue;
    // A free cell from which the apple cannot be reached is still better than a wall.
    const steps = Math.min(distance[cell], 1e6);
    if (steps < least) {
      least = steps;
      best = action;
    }
  }
  return best;
}

function distancesToApple({ expiry, clock, apple }: SnakeState, size: number): Float64Array {
  const distance = new Float64Array(size * size).fill(Infinity);
  distance[apple] = 0;
  const queue = [apple];
  for (let i = 0; i < queue.length; i++) {
    for (let heading = 0; heading < 4; heading++) {
      const next = neighbour(queue[i], heading, size);
      if (next === null || distance[next] < Infinity || expiry[next] > clock + 1) continue;
      distance[next] = distance[queue[i]] + 1;
      queue.push(next);
    }
  }
  return distance;
}

function neighbour(cell: number, heading: number, size: number): number | null {
  const row = Math.floor(cell / size) + [-1, 0, 1, 0][heading];
  const column = (cell % size) + [0, 1, 0, -1][heading];
  const isOnBoard = row >= 0 && row < size && column >= 0 && column < size;
  return isOnBoard ? row * size + column : null;
}
