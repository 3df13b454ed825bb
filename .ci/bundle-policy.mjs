/**
 * Bundles `operant/policy` for itself: it goes into browsers, so it shares no chunk with what needs Node.
 *
 *     dist/policy/policy.js            ES module; its types are those in dist/src
 *     dist/policy/commonjs/policy.js   the same for `require`, with types that TypeScript takes for CommonJS
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';

const ENTRY = 'src/exports/policy';

/** Writes it to `root`/dist/policy; the declarations have to be in `root`/dist. */
export async function bundlePolicy(root) {
  const bundled = await rolldown({ input: join(root, `${ENTRY}.ts`), cwd: root, platform: 'browser' });
  const dist = join(root, 'dist');
  for (const [format, folder] of [
    ['esm', 'policy'],
    ['cjs', 'policy/commonjs'],
  ]) {
    await bundled.write({ file: join(dist, folder, 'policy.js'), format, exports: 'named' });
  }
  const commonjs = join(dist, 'policy/commonjs');
  writeFileSync(join(commonjs, 'package.json'), '{ "type": "commonjs" }\n');
  for (const path of declarations(join(dist, `${ENTRY}.d.ts`))) {
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
