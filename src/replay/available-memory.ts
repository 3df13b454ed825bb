/** How much memory this process can still take. */
import { freemem } from 'node:os';

/**
 * Bytes that are available: of the machine, or of the container (cgroup) when that allows less. Linux counts what caches would give
 * back. Thread: any; not in a browser.
 */
export function availableMemory(): number {
  const machine = freemem();
  const limit = process.constrainedMemory?.() ?? 0;
  // 0 or an absurd number means no limit.
  if (limit === 0 || limit > Number.MAX_SAFE_INTEGER) return machine;
  return Math.min(machine, Math.max(0, limit - process.memoryUsage.rss()));
}
