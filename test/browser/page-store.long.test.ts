/** Checkpoints of a page outlive it: in a real browser's IndexedDB, through a reload. */
import { expect, test } from 'vitest';
import { findChromium } from '../examples/chromium.ts';
import { servePage } from './served-page.ts';

const chromium = findChromium();
if (chromium === null) console.log('No Chromium here: what a page keeps is tried in Node alone.');

test.skipIf(chromium === null).each([
  { algorithm: 'ppo', numSteps: 264, maxBytes: 50_000 },
  { algorithm: 'dqn', numSteps: 256, maxBytes: 100_000 },
])(
  'a training that is kept goes on after a reload as if it had not stopped, and is evaluated: $algorithm',
  async ({ algorithm, numSteps, maxBytes }) => {
    const { page, open } = await servePage(
      chromium ?? '',
      new URL('./fixtures/keeps-training.ts', import.meta.url),
    );
    await open();
    await page.evaluate(`use("${algorithm}")`);
    expect(await page.evaluate('train(2)')).toBe(numSteps);
    await page.evaluate('save("half")');
    const returns = await page.evaluate('evaluate("half")');
    expect(returns).toHaveLength(5);
    const half = await page.evaluate<number[]>('parameters()');
    await page.evaluate('train(2)');
    const whole = await page.evaluate<number[]>('parameters()');
    expect(whole).not.toEqual(half);
    await open();
    await page.evaluate(`use("${algorithm}")`);
    expect(await page.evaluate('restore("nothing")')).toBe(null);
    expect(await page.evaluate('restore("half")')).toBe(numSteps);
    expect(await page.evaluate('evaluate("half")')).toEqual(returns);
    await page.evaluate('train(2)');
    expect(await page.evaluate('parameters()')).toEqual(whole);
    expect(await page.evaluate('act("half")')).toBe('number');
    expect(await page.evaluate('remove("half")')).toEqual([]);
    expect(await page.evaluate('act("half")')).toBe(null);
    expect(await page.evaluate('numBytes()')).toBeLessThan(maxBytes);
    expect(page.errors).toEqual([]);
  },
  120_000,
);
