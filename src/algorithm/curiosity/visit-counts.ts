/** How often each discrete observation was seen. */
import type { Space } from '../../env/spaces.ts';

/** Whether rows of the space are zeros and ones, so that few of them differ and they can be counted. */
export function isCountable(space: Space): boolean {
  switch (space.kind) {
    case 'box':
      return false;
    case 'dict':
      return Object.values(space.spaces).every(isCountable);
    case 'tuple':
      return space.spaces.every(isCountable);
    default:
      return true;
  }
}

export interface VisitCounts {
  /** Counts the observation at `rows[offset ..]`. @returns how often it has been seen, this time included. */
  visit(rows: ArrayLike<number>, offset: number): number;
  /** Observations seen so far. */
  readonly size: number;
  /** [places of the ones, visits] each, in the order in which they were first seen; plain JSON. */
  getState(): [string, number][];
  setState(state: readonly (readonly [string, number])[]): void;
}

/** @param observationSize elements of a flat row. Memory grows by about 100 bytes for each observation that is new. */
export function createVisitCounts(observationSize: number): VisitCounts {
  let counts = new Map<string, number>();
  return {
    visit(rows, offset) {
      let key = '';
      for (let k = 0; k < observationSize; k++) if (rows[offset + k] !== 0) key += `${k} `;
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return count;
    },
    get size() {
      return counts.size;
    },
    getState: () => [...counts],
    setState(state) {
      counts = new Map(state);
    },
  };
}
