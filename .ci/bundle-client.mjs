/**
 * Bundles `operant/client` for itself: one file that a page or a game takes along, and the one in Python beside it.
 *
 *     dist/client/operant-client.js   ES module; its types are those in dist/src
 *     dist/client/operant_client.py
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const FOLDER = 'src/env/external/client';

export async function bundleClient(root) {
  const input = join(root, FOLDER, 'operant-client.ts');
  const bundled = await rolldown({ input, cwd: root, platform: 'browser' });
  await bundled.write({ file: join(root, 'dist/client/operant-client.js'), format: 'esm' });
  cpSync(join(root, FOLDER, 'operant_client.py'), join(root, 'dist/client/operant_client.py'));
}
