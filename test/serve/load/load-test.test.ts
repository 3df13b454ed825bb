import { expect, test } from 'vitest';
import type { Lane } from '../../../src/serve/load/lane.ts';
import { runLoadTest } from '../../../src/serve/load/load-test.ts';

const SERVICE_MS = 60;
/** What answers after a while. */
const slowLane = (canPipeline: boolean, status: () => number = () => 200): Lane => ({
  canPipeline,
  ask: () => new Promise((resolve) => void setTimeout(() => resolve(status()), SERVICE_MS)),
  close: () => undefined,
});

test('at a rate that one connection cannot keep, latency counts from when a request was due, and what is not sent is told', async () => {
  const plan = { seconds: 0.6, rate: 100 };
  const { answers, numUnsent, latencyMs } = await runLoadTest([slowLane(false)], plan);
  expect((answers[200] ?? 0) + numUnsent).toBe(60);
  expect(answers[200]).toBeLessThanOrEqual(11); // 600 / 60, and the one that began last
  // The k-th is due after 10 k ms and answered after 60 (k + 1) at least.
  expect(latencyMs?.max).toBeGreaterThan(SERVICE_MS + ((answers[200] ?? 0) - 1) * (SERVICE_MS - 10) - 1);
});

test('where requests may be on their way together, all that are due are sent, and statuses are counted', async () => {
  let numAsked = 0;
  const lane = slowLane(true, () => [200, 429, 0][numAsked++ % 3]);
  const { answers, numLost, numUnsent } = await runLoadTest([lane], { seconds: 0.3, rate: 100 });
  expect([answers, numLost, numUnsent]).toEqual([{ 200: 10, 429: 10 }, 10, 0]);
});

test('a server that refuses zeros is not loaded with them', async () => {
  const refuses = runLoadTest([slowLane(false, () => 400)], { seconds: 1, rate: null });
  await expect(refuses).rejects.toThrow('answered 400 to a request of zeros: give --observation');
});
