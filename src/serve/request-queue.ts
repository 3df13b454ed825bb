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
  reject(error: ServeError): void;
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

export function createRequestQueue<R extends QueuedRequest>({
  numPriorities,
  maxQueued,
}: QueueLimits): RequestQueue<R> {
  const levels = Array.from({ length: numPriorities }, (): R[] => []);
  let numBatches = 0;
  const expire = (now: number): void => {
    for (const level of levels) {
      // Deadlines differ from request to request, so each level is looked through.
      for (let k = level.length - 1; k >= 0; k--) {
        if (level[k].deadline > now) continue;
        const [late] = level.splice(k, 1);
        late.reject(new ServeError('SERVE_TIMEOUT', 504, 'The request waited longer than its timeout.'));
      }
    }
  };
  const oldestLevel = (): R[] | undefined => {
    const waiting = levels.filter((level) => level.length > 0);
    return waiting.sort((a, b) => a[0].enqueuedAt - b[0].enqueuedAt)[0];
  };
  return {
    add(request) {
      const level = levels[request.priority - 1];
      if (level.length >= maxQueued) {
        const message = `${maxQueued} requests of priority ${request.priority} wait already. Try again later, or with fewer at a time.`;
        throw new ServeError('SERVE_QUEUE_FULL', 429, message);
      }
      level.push(request);
    },
    expire,
    take(maxRows, now) {
      expire(now);
      const taken: R[] = [];
      let numRows = 0;
      const takeFrom = (level: R[], most: number): void => {
        while (level.length > 0 && taken.length < most) {
          if (taken.length > 0 && numRows + level[0].numRows > maxRows) return;
          const request = level.shift() as R;
          numRows += request.numRows;
          taken.push(request);
        }
      };
      const oldest = oldestLevel();
      if (oldest === undefined) return taken;
      numBatches += 1;
      if (numBatches % FAIR_SHARE === 0) takeFrom(oldest, 1);
      for (const level of levels) takeFrom(level, Number.POSITIVE_INFINITY);
      return taken;
    },
    rejectAll(error) {
      for (const level of levels) for (const request of level.splice(0)) request.reject(error);
    },
    depths: () => levels.map(({ length }) => length),
    get size() {
      return levels.reduce((sum, { length }) => sum + length, 0);
    },
  };
}
