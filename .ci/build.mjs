/**
 * Makes dist/: the bundled modules with their declarations, the kernels beside them, executable bins.
 *
 * It starts from nothing, so that a file that was removed from the sources cannot live on in a package.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.mjs';
import { bundleClient } from './bundle-client.mjs';
import { bundlePolicy } from './bundle-policy.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const runNode = (...args) => execFileSync(process.execPath, args, { cwd: root, stdio: 'inherit' });

rmSync(join(root, 'dist'), { recursive: true, force: true });
runNode(join(root, '.ci/prepare.mjs'), '--force');
// the published package has machine code for other machines as well, where a cross compiler is there
if (process.env.OPERANT_ZIG)
  runNode('--import', new URL('./typescript.mjs', import.meta.url).href, 'src/simd/build-prebuilt.ts');
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
runNode(join(typescript, 'bin/tsc'), '-p', 'tsconfig.build.json');
await bundle(root);
await bundlePolicy(root);
await bundleClient(root);
const host = 'src/env/python/host'; // read by Python, so it stays what it is
cpSync(join(root, host), join(root, 'dist', host), { recursive: true });
const own = `kernels-${process.platform}-${process.arch}.node`;
cpSync(join(root, 'build/kernels'), join(root, 'dist/kernels'), {
  recursive: true,
  // without the cross compiler, those of other machines are what is left of an earlier build
  filter: (path) => process.env.OPERANT_ZIG || !path.endsWith('.node') || path.endsWith(own),
});

for (const bin of new Set(Object.values(manifest.bin))) {
  const path = join(root, bin);
  if (!existsSync(path)) throw new Error(`package.json names the bin ${bin}, which the build did not make.`);
  if (!readFileSync(path, 'utf8').startsWith('#!/usr/bin/env node\n'))
    throw new Error(`${bin} must begin with "#!/usr/bin/env node".`);
  chmodSync(path, 0o755);
}
