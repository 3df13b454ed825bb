/** The page of `operant new browser`, built by Vite on the packed package, learns in a real Chromium. */
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { build, preview } from 'vite';
import { afterAll, expect, test } from 'vitest';
import { operant } from '../cli/run-in-process.ts';
import { findChromium, openPage } from '../examples/chromium.ts';
import { installInEmptyProject, packedTarball, temporaryProject } from './packed-project.ts';

const LIMIT_MS = 120_000;
const chromium = findChromium();
const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

test.skipIf(chromium === null)(
  'a new page learns CartPole',
  async () => {
    const project = installInEmptyProject(packedTarball(), ['--ignore-scripts']).folder;
    const folder = temporaryProject('page');
    made.push(project, folder);
    expect((await operant('new', 'browser', 'page', '--out', folder)).exitCode).toBe(0);
    const root = join(folder, 'page');
    mkdirSync(join(root, 'node_modules'));
    symlinkSync(join(project, 'node_modules/operant'), join(root, 'node_modules/operant'), 'junction');
    // Its config imports vite, which is the repository's here.
    const vite = dirname(new URL(import.meta.resolve('vite/package.json')).pathname);
    symlinkSync(vite, join(root, 'node_modules/vite'), 'junction');
    await build({ root, logLevel: 'error' });
    expect(existsSync(join(root, 'dist/index.html'))).toBe(true);
    const server = await preview({ root, logLevel: 'warn', preview: { host: '127.0.0.1', port: 0 } });
    const page = await openPage(chromium as string);
    try {
      await page.navigate(`http://127.0.0.1:${(server.httpServer.address() as AddressInfo).port}/`);
      const deadline = performance.now() + LIMIT_MS;
      const text = (id: string) => page.evaluate<string>(`document.getElementById('${id}').textContent`);
      for (let mean = 0; mean < 150; mean = Number(await text('mean')) || 0) {
        if (performance.now() > deadline) throw new Error(`${await text('state')} ${page.errors.join('; ')}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(await text('state')).toMatch(/^(Training: \d+ steps|Finished)$/);
      expect(page.errors).toEqual([]);
    } finally {
      await page.close();
      await server.close();
    }
  },
  4 * LIMIT_MS,
);
