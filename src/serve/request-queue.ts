/**
 * Requests that wait for a model: levels of priority, each bounded, oldest first.
 *
 * Level 1 goes before level 2, and so on. So that the lowest does not starve, one batch in `FAIR_SHARE` begins with the oldest request of all.
 * A request whose time is up is dropped before anything is computed for it.
 */
import { ServeError } from '../errors.ts';

export interface QueuedRequest {
  readonly priority: number;
  /** Of `performance.now()`, ms; what arrives after that is of no use. */
  readonly deadline: number;
  readonly enqueuedAt: number;
  /** Rows of a batch that it takes. */
  readonly numRows: number;
}

export interface QueueLimits {
  /** Number of levels; 1 is the most urgent. */
  readonly numPriorities: number;
  /** Requests that may wait at each level. */
  readonly maxQueued: number;
}

export interface RequestQueue<R extends QueuedRequest> {
  /** @throws ServeError `SERVE_QUEUE_FULL`. */
  add(request: R): void;
  /** Requests of at most `maxRows` rows together, and at least one where any waits. */
  take(maxRows: number, now: number): R[];
  /** Rejects what is too late. */
  expire(now: number): void;
  rejectAll(error: ServeError): void;
  /** By level, from the first. */
  depths(): readonly number[];
  readonly size: number;
}

const FAIR_SHARE = 8;

/** @param reject what becomes of requests that are dropped. */
export function createRequestQueue<R extends QueuedRequest>(
  { numPriorities, maxQueued }: QueueLimits,
  reject: (request: R, error: ServeError) => void,
): RequestQueue<R> {
  const levels = Array.from({ length: numPriorities }, (): R[] => []);
  // Made once: overload throws one for each request that it refuses, and a stack takes as long as all the rest of that.
  const full = levels.map((_, k) => {
    const message = `${maxQueued} requests of priority ${k + 1} wait already. Try again later, or with fewer at a time.`;
    return new ServeError('SERVE_QUEUE_FULL', 429, message);
  });
  let numBatches = 0;
  let size = 0;
  const expire = (now: number): void => {
    for (const level of levels) {
      // Deadlines differ from request to request, so each level is looked through.
      for (let k = level.length - 1; k >= 0; k--) {
        if (level[k].deadline > now) continue;
        const [late] = level.splice(k, 1);
        size -= 1;
        reject(late, new ServeError('SERVE_TIMEOUT', 504, 'The request waited longer than its timeout.'));
      }
    }
  };
  const oldestLevel = (): R[] => {
    let oldest = levels[0];
    for (const level of levels) {
      if (level.length === 0) continue;
      if (oldest.length === 0 || level[0].enqueuedAt < oldest[0].enqueuedAt) oldest = level;
    }
    return oldest;
  };
  const takeFrom = (level: R[], taken: R[], numTaken: number, maxRows: number, most: number): number => {
    let numRows = numTaken;
    while (level.length > 0 && taken.length < most) {
      if (taken.length > 0 && numRows + level[0].numRows > maxRows) break;
      const request = level.shift() as R;
      size -= 1;
      numRows += request.numRows;
      taken.push(request);
    }
    return numRows;
  };
  return {
    add(request) {
      const level = levels[request.priority - 1];
      if (level.length >= maxQueued) throw full[request.priority - 1];
      level.push(request);
      size += 1;
    },
    expire,
    take(maxRows, now) {
      expire(now);
      const taken: R[] = [];
      if (size === 0) return taken;
      numBatches += 1;
      let numRows = numBatches % FAIR_SHARE === 0 ? takeFrom(oldestLevel(), taken, 0, maxRows, 1) : 0;
      for (const level of levels)
        numRows = takeFrom(level, taken, numRows, maxRows, Number.POSITIVE_INFINITY);
      return taken;
    },
    rejectAll(error) {
      size = 0;
      for (const level of levels) for (const request of level.splice(0)) reject(request, error);
    },
    depths: () => levels.map(({ length }) => length),
    get size() {
      return size;
    },
  };
}
