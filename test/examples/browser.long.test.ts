import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium, openPage, type Page } from './chromium.ts';

const ROOT = fileURLToPath(new URL('../../examples/browser/', import.meta.url));
const LIMIT_MS = 60_000;
const chromium = findChromium();
if (chromium === null) {
  console.log('No Chromium at /usr/bin/chromium (or OPERANT_CHROMIUM): the page is built, but not opened.');
}
let outDir: string;

beforeAll(async () => {
  outDir = await mkdtemp(join(tmpdir(), 'operant-page-'));
  await build({ root: ROOT, logLevel: 'error', build: { outDir, emptyOutDir: true } });
}, 120_000);

afterAll(() => rm(outDir, { recursive: true, force: true }));

interface Shown {
  readonly state: string;
  readonly mean: number;
  readonly rate: string;
  readonly solved: string;
  readonly status: string;
  /** Environment steps and episodes. */
  readonly counts: string;
}

const SHOWN = `(() => {
  const text = (id) => document.getElementById(id)?.textContent ?? '';
  const state = document.querySelector('main')?.dataset.state;
  const counts = text('steps') + ' steps, ' + text('episodes') + ' episodes';
  return { state, mean: Number(text('mean')), rate: text('rate'), solved: text('solved'), status: text('state'), counts };
})()`;

/** Opens the page as a server with or without the isolation headers gives it. */
async function withPage(
  mode: string,
  body: (page: Page, open: () => Promise<void>) => Promise<void>,
  query = 'threads=2',
) {
  const server = await preview({
    root: ROOT,
    mode,
    logLevel: 'warn',
    build: { outDir },
    preview: { host: '127.0.0.1', port: 0 },
  });
  const { port } = server.httpServer.address() as AddressInfo;
  const page = await openPage(chromium as string);
  try {
    await body(page, () => page.navigate(`http://127.0.0.1:${port}/?${query}`));
  } finally {
    await page.close();
    await server.close();
  }
}

/** Looks until it holds. */
async function until(page: Page, holds: (shown: Shown) => boolean, what: string): Promise<Shown> {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const shown = await page.evaluate<Shown>(SHOWN);
    if (holds(shown)) return shown;
    if (shown.state === 'failed' || performance.now() > deadline)
      throw new Error(`The page did not ${what}: ${JSON.stringify(shown)} ${page.errors.join('; ')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

interface Playing {
  readonly episode: number;
  readonly numSteps: number;
  readonly at: number; // ms
}

/** Looks at the greedy episode until it is as wanted. */
async function playing(page: Page, isWanted: (seen: Playing) => boolean): Promise<Playing> {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const text = await page.evaluate<string>("document.getElementById('episode').textContent");
    const [, episode, numSteps] = text.match(/^episode (\d+) · return (\d+)$/) ?? [];
    const seen = { episode: Number(episode), numSteps: Number(numSteps), at: performance.now() };
    if (isWanted(seen)) return seen;
    if (seen.at > deadline) throw new Error(`The policy does not play: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const PUSH =
  "document.getElementById('pole').dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight' }))";

/** The number of pixels in which a canvas differs from its corner. */
const painted = (id: string) => `(() => {
  const canvas = document.getElementById('${id}');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return new Uint32Array(data.buffer).reduce((count, pixel, _, all) => count + (pixel === all[0] ? 0 : 1), 0);
})()`;

describe.skipIf(chromium === null)('examples/browser', () => {
  const ends: string[] = [];

  it.each([
    { mode: 'production', chips: ['cross-origin isolated', '2 threads'], shared: true },
    { mode: 'not-isolated', chips: ['not isolated', '1 thread'], shared: false },
  ])(
    'learns CartPole in a browser: $chips.0, $chips.1',
    async ({ mode, chips, shared }) => {
      await withPage(mode, async (page, open) => {
        const begin = performance.now();
        await open();
        const { rate, solved } = await until(page, ({ mean }) => mean > 195, 'learn');
        const seconds = (performance.now() - begin) / 1000;
        console.log(
          `${chips.join(', ')}: 195 after ${seconds.toFixed(1)} s (training ${solved}), ${rate} steps/s`,
        );
        expect(seconds * 1000).toBeLessThan(LIMIT_MS);
        expect(await page.evaluate('crossOriginIsolated')).toBe(shared);
        const shownChips = await page.evaluate<string[]>(
          "[...document.querySelectorAll('.chips li')].map((chip) => chip.textContent)",
        );
        expect([shownChips[0], shownChips[2]]).toEqual(chips);
        expect(shownChips[1]).toMatch(/^(relaxed|strict) SIMD$/);
        expect(await page.evaluate<number>(painted('curve'))).toBeGreaterThan(500);
        expect(await page.evaluate<number>(painted('pole'))).toBeGreaterThan(500);
        ends.push((await until(page, ({ state }) => state === 'finished', 'finish')).counts);
        expect(page.errors).toEqual([]);
        const shots = process.env.OPERANT_SCREENSHOTS;
        if (shots) await writeFile(join(shots, `${mode}.png`), await page.screenshot());
      });
    },
    2 * LIMIT_MS + 30_000,
  );

  it('runs the same with two threads over shared memory as with one over unshared', () => {
    expect(ends).toHaveLength(2);
    expect(ends[0]).toBe(ends[1]);
    expect(ends[0]).toMatch(/^\d+,\d+ steps, \d+ episodes$/);
  });

  it(
    'learns CartPole by DQN, too',
    async () => {
      await withPage(
        'not-isolated',
        async (page, open) => {
          await open();
          const { rate, solved, counts } = await until(page, ({ mean }) => mean > 195, 'learn by DQN');
          console.log(`DQN: 195 after ${solved}, ${counts}, ${rate} steps/s`);
          expect(await page.evaluate("document.getElementById('algorithm').textContent")).toBe('DQN');
          expect(await page.evaluate<number>(painted('curve'))).toBeGreaterThan(200);
          expect(page.errors).toEqual([]);
        },
        'algo=dqn',
      );
    },
    2 * LIMIT_MS,
  );

  it(
    'plays the learnt policy in real time, takes a push, and trains again with another seed',
    async () => {
      await withPage('production', async (page, open) => {
        await open();
        await until(page, ({ state }) => state === 'finished', 'finish');
        const before = await playing(page, ({ numSteps }) => numSteps >= 10 && numSteps <= 300);
        await page.evaluate(PUSH);
        const after = await playing(
          page,
          (seen) => seen.numSteps >= before.numSteps + 150 || seen.episode !== before.episode,
        );
        expect(after.episode).toBe(before.episode); // it got over the push
        // 150 steps of 20 ms are 3 s; the page may be late when the machine is busy, but never early
        expect(after.at - before.at).toBeGreaterThan(2800);
        await page.evaluate("document.getElementById('again').click()");
        const { status } = await until(
          page,
          ({ state, mean }) => state === 'training' && mean > 0,
          'train again',
        );
        expect(status).toBe('Seed 2: training');
        expect(page.errors).toEqual([]);
      });
    },
    3 * LIMIT_MS,
  );

  it.each(['ppo', 'dqn'])(
    'saves a training, and goes on with it after a reload, in its seed: %s',
    async (algorithm) => {
      const click = (id: string) => `document.getElementById('${id}').click()`;
      const isOff = (id: string) => `document.getElementById('${id}').disabled`;
      await withPage(
        'not-isolated',
        async (page, open) => {
          await open();
          await until(page, ({ counts }) => /^\d/.test(counts), 'begin');
          expect(await page.evaluate(isOff('restore'))).toBe(true);
          await page.evaluate(click('save'));
          const { status } = await until(page, (shown) => / saved at step /.test(shown.status), 'save');
          const [, step] = /^Seed 3: saved at step ([\d,]+), in this browser$/.exec(status) ?? [];
          expect(await page.evaluate(isOff('restore'))).toBe(false);
          await page.evaluate(click('again'));
          await until(page, (shown) => shown.status === 'Seed 4: training', 'train with another seed');
          await open();
          await until(page, ({ counts }) => /^\d/.test(counts), 'begin again');
          while (await page.evaluate(isOff('restore'))) await new Promise((go) => setTimeout(go, 50));
          await page.evaluate(click('restore'));
          const goesOn = (shown: Shown) => shown.status === `Seed 3: training on from step ${step}`;
          await until(page, goesOn, 'go on');
          const number = (text: string) => Number(text.split(' ')[0].replaceAll(',', ''));
          const { counts } = await until(page, (shown) => number(shown.counts) > number(step), 'train on');
          expect(number(counts) - number(step)).toBeLessThan(100_000);
          expect(page.errors).toEqual([]);
        },
        `seed=3&algo=${algorithm}`,
      );
    },
    2 * LIMIT_MS,
  );
});

describe('the bundle of examples/browser', () => {
  it('holds the four builds of the kernels and nothing of Node', async () => {
    const assets = await readdir(join(outDir, 'assets'));
    const kernels = assets
      .filter((name) => name.endsWith('.wasm'))
      .map((name) => name.replace(/-.{8}\.wasm$/, '')); // a hash may have a hyphen of its own
    expect(kernels.sort()).toEqual(['relaxed', 'relaxed-unshared', 'strict', 'strict-unshared']);
    const scripts = assets.filter((name) => name.endsWith('.js'));
    expect(scripts.length).toBeGreaterThanOrEqual(3); // the page, the trainer, the helper
    const foreign = /["'`](node:|piscina|@tensorflow)/;
    for (const name of scripts)
      expect(foreign.exec(await readFile(join(outDir, 'assets', name), 'utf8'))?.[0], name).toBeUndefined();
  });

  it('is refused when a module imports one of Node', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'operant-page-'));
    try {
      await writeFile(join(folder, 'index.html'), '<script type="module" src="./page.js"></script>');
      await writeFile(join(folder, 'page.js'), "import { cpus } from 'node:os';\nconsole.log(cpus());\n");
      const configFile = join(ROOT, 'vite.config.ts');
      const refused = build({ root: folder, configFile, logLevel: 'silent', build: { write: false } });
      await expect(refused).rejects.toThrow(/page\.js imports node:os, which a browser does not have/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
