/** Checkpoints of a page outlive it: in a real browser's IndexedDB, through a reload. */
import { expect, test } from 'vitest';
import { findChromium } from '../examples/chromium.ts';
import { servePage } from './served-page.ts';

const chromium = findChromium();
if (chromium === null) console.log('No Chromium here: what a page keeps is tried in Node alone.');

test.skipIf(chromium === null)(
  'a training that is kept goes on after a reload as if it had not stopped, and is evaluated',
  async () => {
    const { page, open } = await servePage(
      chromium ?? '',
      new URL('./fixtures/keeps-training.ts', import.meta.url),
    );
    await open();
    expect(await page.evaluate('train(2)')).toBe(264);
    await page.evaluate('save("half")');
    const returns = await page.evaluate('evaluate("half")');
    expect(returns).toHaveLength(5);
    await page.evaluate('train(2)');
    const whole = await page.evaluate<number[]>('parameters()');
    await open();
    expect(await page.evaluate('restore("nothing")')).toBe(null);
    expect(await page.evaluate('restore("half")')).toBe(264);
    expect(await page.evaluate('evaluate("half")')).toEqual(returns);
    await page.evaluate('train(2)');
    expect(await page.evaluate('parameters()')).toEqual(whole);
    expect(await page.evaluate('keepsDqn()')).toEqual([null, 'number', null, ['half']]);
    expect(await page.evaluate('numBytes()')).toBeLessThan(50_000);
    expect(page.errors).toEqual([]);
  },
  120_000,
);
