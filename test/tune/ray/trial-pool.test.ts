/** Who gets which host of a study; what hosts do is held on a real cluster (../on-ray.long.test.ts). */
import { expect, test } from 'vitest';
import type { TrialHost } from '../../../src/tune/ray/trial-host-link.ts';
import { createTrialPool } from '../../../src/tune/ray/trial-pool.ts';

/** Hosts that are lost when they are said to be. */
function openPool() {
  const lost = new Set<number>();
  const closed: number[] = [];
  const opening: (() => void)[] = [];
  const pool = createTrialPool(
    (index) =>
      new Promise((resolve) => {
        const host: TrialHost = {
          node: `node ${index}`,
          isThere: async () => !lost.has(index),
          ask: () => Promise.reject(new Error('Nobody asks.')),
          stop: () => undefined,
          close: () => void closed.push(index),
        };
        opening.push(() => resolve(host));
      }),
  );
  const acquire = (signal = new AbortController().signal) => pool.acquire(signal);
  return { pool, acquire, opening, lost, closed };
}

test('a host that was lost while it had nothing to do is nobody’s: a trial that gets it would pay with a retry', async () => {
  const { pool, acquire, opening, lost, closed } = openPool();
  const begun = [acquire(), acquire(), acquire()];
  for (const open of opening) open();
  for (const host of await Promise.all(begun)) pool.release(host as TrialHost);
  lost.add(0).add(1);
  expect(await acquire()).toMatchObject({ node: 'node 2' });
  expect(closed).toEqual([0, 1]);
  const next = acquire();
  await Promise.resolve();
  opening[3]();
  expect(await next).toMatchObject({ node: 'node 3' });
  pool.stop();
});

test('a study that ends waits for no room on the cluster, and the host that comes after all is the next one’s', async () => {
  const { pool, acquire, opening, closed } = openPool();
  const ending = new AbortController();
  const waiting = acquire(ending.signal);
  await Promise.resolve();
  ending.abort();
  expect(await waiting).toBeNull();
  expect(await acquire(ending.signal)).toBeNull();
  const next = acquire();
  await Promise.resolve();
  opening[0]();
  expect(await next).toMatchObject({ node: 'node 0' });
  expect([opening.length, closed]).toEqual([1, []]);
  pool.stop();
});
