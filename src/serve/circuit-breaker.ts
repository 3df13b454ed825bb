/**
 * Whether a model is asked at all. After `breakerFailures` failures in a row it is open: requests are refused at once for `breakerMs`, so that
 * they neither wait for nor burden what is broken. Then one batch is let through, and its outcome closes the breaker or opens it again.
 */
export type BreakerState = 'closed' | 'half-open' | 'open';

export interface BreakerLimits {
  readonly breakerFailures: number;
  readonly breakerMs: number;
}

export interface CircuitBreaker {
  /** @param now of `performance.now()`, ms. */
  state(now: number): BreakerState;
  succeed(): void;
  fail(now: number): void;
}

/** One batch runs at a time, so "one batch is let through" needs no further bookkeeping. */
export function createCircuitBreaker({ breakerFailures, breakerMs }: BreakerLimits): CircuitBreaker {
  let numFailures = 0;
  let openUntil = 0;
  return {
    state(now) {
      if (numFailures < breakerFailures) return 'closed';
      return now < openUntil ? 'open' : 'half-open';
    },
    succeed() {
      numFailures = 0;
    },
    fail(now) {
      numFailures += 1;
      openUntil = now + breakerMs;
    },
  };
}
