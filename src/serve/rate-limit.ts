/** How many requests an address may make: a bucket of tokens each, filled at a steady rate (token bucket). */
import { ServeError } from '../errors.ts';

export interface RateLimit {
  /** @throws ServeError `SERVE_RATE` 429. */
  take(address: string, now: number): void;
  readonly numAddresses: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** A full bucket tells nothing more than none, so these are dropped first; then whoever has not asked for longest. */
const MAX_ADDRESSES = 10_000;

/** @param perSecond requests a second in the long run, twice as many at once; 0 = no limit. */
export function createRateLimit(perSecond: number): RateLimit {
  const buckets = new Map<string, Bucket>();
  const capacity = 2 * perSecond;
  return {
    take(address, now) {
      if (perSecond === 0) return;
      const bucket = buckets.get(address) ?? { tokens: capacity, at: now };
      bucket.tokens = Math.min(capacity, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
      bucket.at = now;
      buckets.delete(address);
      buckets.set(address, bucket); // the map's order is that of the last requests
      if (buckets.size > MAX_ADDRESSES) for (const first of buckets.keys()) if (buckets.delete(first)) break;
      if (bucket.tokens < 1) {
        const message = `More than ${perSecond} requests a second came from this address. Ask less often.`;
        throw new ServeError('SERVE_RATE', 429, message);
      }
      bucket.tokens -= 1;
    },
    get numAddresses() {
      return buckets.size;
    },
  };
}
