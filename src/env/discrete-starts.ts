/** Where the numbers of discrete actions begin. */
import type { Space } from './spaces.ts';

/** What is added to each element of a flat discrete action, for an environment to take it; empty parts for boxes. */
export function startsOf(space: Space): number[] {
  switch (space.kind) {
    case 'box':
      return [];
    case 'discrete':
      return [space.start];
    case 'multi-discrete':
      return space.nvec.map(() => 0);
    case 'multi-binary':
      return new Array<number>(space.n).fill(0);
    case 'dict':
      return Object.values(space.spaces).flatMap(startsOf);
    case 'tuple':
      return space.spaces.flatMap(startsOf);
  }
}
