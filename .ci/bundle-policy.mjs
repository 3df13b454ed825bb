/**
 * Bundles `operant/policy`, `operant/policy/recurrent` and `operant/browser`, each for itself: they go into browsers, so they share no chunk with what needs Node.
 *
 *     dist/policy/policy.js, recurrent-policy.js   ES modules; their types are those in dist/src
 *     dist/page/browser.js         `operant/browser`, an ES module alone; its types are those in dist/browser
 *     dist/policy/commonjs/...                     the same for `require`, with types that TypeScript takes for CommonJS
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';

const ENTRIES = ['policy', 'recurrent-policy'];

/** Writes them to `root`/dist/policy; the declarations have to be in `root`/dist. */
export async function bundlePolicy(root) {
  const dist = join(root, 'dist');
  const commonjs = join(dist, 'policy/commonjs');
  for (const entry of ENTRIES) await bundleEntry(root, entry, { dist, commonjs });
  writeFileSync(join(commonjs, 'package.json'), '{ "type": "commonjs" }\n');
  const page = await rolldown({ input: join(root, 'browser/index.ts'), cwd: root, platform: 'browser' });
  await page.write({
    file: join(dist, 'page/browser.js'),
    format: 'esm',
    exports: 'named',
    codeSplitting: false,
  });
}

async function bundleEntry(root, entry, { dist, commonjs }) {
  const source = `src/exports/${entry}`;
  const bundled = await rolldown({ input: join(root, `${source}.ts`), cwd: root, platform: 'browser' });
  await bundled.write({ file: join(dist, 'policy', `${entry}.js`), format: 'esm', exports: 'named' });
  await bundled.write({ file: join(commonjs, `${entry}.js`), format: 'cjs', exports: 'named' });
  for (const path of declarations(join(dist, `${source}.d.ts`))) {
    const copy = join(commonjs, relative(dist, path));
    mkdirSync(dirname(copy), { recursive: true });
    cpSync(path, copy);
  }
}

/** A declaration file and those that it imports, directly or not. */
function declarations(first) {
  const found = new Set([first]);
  for (const path of found) {
    for (const [, target] of readFileSync(path, 'utf8').matchAll(
      /^(?:import|export) .*\bfrom '(\.[^']+)';$/gm,
    )) {
      found.add(join(dirname(path), target.replace(/\.(js|ts)$/, '.d.ts')));
    }
  }
  return found;
}
