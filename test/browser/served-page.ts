/** A page around one script of ours, in a real Chromium. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';
import { openPage, type Page } from '../examples/chromium.ts';

const KERNELS = fileURLToPath(new URL('../../build/kernels/', import.meta.url));

export interface ServedPage {
  readonly page: Page;
  /** Loads it, anew too. */
  open(): Promise<void>;
}

/**
 * Serves the script, bundled as for a page, and `/strict-unshared.wasm`; all is closed when the test ends.
 *
 * @param entry URL of the script, which leaves what the test calls in `globalThis`.
 */
export async function servePage(chromium: string, entry: URL): Promise<ServedPage> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    ...{ bundle: true, format: 'esm', platform: 'browser', write: false, logLevel: 'error' },
  });
  const script = outputFiles[0].text;
  const server = createServer(async ({ url }, response) => {
    if (url === '/script.js') response.setHeader('content-type', 'text/javascript').end(script);
    else if (url?.endsWith('.wasm')) response.end(await readFile(`${KERNELS}strict-unshared.wasm`));
    else
      response
        .setHeader('content-type', 'text/html')
        .end(
          '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/script.js"></script>',
        );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const page = await openPage(chromium);
  onTestFinished(async () => {
    await page.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    page,
    async open() {
      await page.navigate(`http://127.0.0.1:${port}/`);
      await page.evaluate(
        'new Promise((done) => { const look = () => (globalThis.isReady ? done(1) : setTimeout(look, 20)); look(); })',
      );
    },
  };
}
