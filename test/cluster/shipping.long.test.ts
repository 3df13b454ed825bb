/** What hosts get: all that is needed, nothing that is not, and an error for what cannot be sent. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { differingFiles } from '../../src/cluster/file-hashes.ts';
import { prepareShipment, type ShippingOptions } from '../../src/cluster/shipping.ts';
import { resolveEnv } from '../../src/env/env-source.ts';
import '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

function ship(options: Partial<ShippingOptions>) {
  const shipment = prepareShipment({
    source: resolveEnv('CartPole'),
    workingDir: null,
    maxMegabytes: 200,
    ...options,
  });
  onTestFinished(() => shipment.remove());
  return shipment;
}

/** A project with an environment, a package that it uses, and what is nobody's business. */
function project(): string {
  const folder = temporaryFolder();
  for (const name of ['src', 'node_modules/maze-maps', 'node_modules/unused', 'runs', '.git'])
    mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    '{"type":"module","dependencies":{"maze-maps":"1"},"devDependencies":{"unused":"1"}}',
  );
  writeFileSync(
    join(folder, 'src/env.js'),
    "import { size } from 'maze-maps'; export const half = size / 2;",
  );
  writeFileSync(join(folder, 'node_modules/maze-maps/package.json'), '{"type":"module","exports":"./i.js"}');
  writeFileSync(join(folder, 'node_modules/maze-maps/i.js'), 'export const size = 8;');
  writeFileSync(join(folder, 'node_modules/unused/package.json'), '{}');
  writeFileSync(join(folder, 'runs/large'), 'x');
  writeFileSync(join(folder, '.gitignore'), 'node_modules\n');
  return folder;
}

const sourceAt = (path: string) => ({ ...resolveEnv('CartPole'), module: pathToFileURL(path).href });

test('an environment of Operant: its file, the kernels, the packages that are needed, a rollout process that starts', () => {
  const shipment = ship({});
  const has = (path: string) => existsSync(join(shipment.folder, path));
  expect(shipment.source.module).toBe('operant/envs/cart-pole.ts');
  for (const path of [
    shipment.source.module,
    'operant/kernels/strict.wasm',
    'node_modules/piscina',
    'node_modules/tsx',
  ])
    expect(has(path), path).toBe(true);
  for (const path of ['operant/src/simd/assembly', 'node_modules/vitest', 'operant/node_modules'])
    expect(has(path), path).toBe(false);
  expect(shipment.bytes).toBeLessThan(40 * 2 ** 20);
  // Its input is at its end at once, so that it says what it is and ends.
  const script = `exec node ${shipment.arguments.join(' ')} 3 4 3< <(:) 4>hello`;
  execFileSync('bash', ['-c', script], { cwd: shipment.folder });
  const HEADER_BYTES = 40;
  const said = readFileSync(join(shipment.folder, 'hello')).subarray(HEADER_BYTES);
  expect(JSON.parse(said.toString())).toMatchObject({ node: process.versions.node });
});

test("an environment of one's own: its project and the packages it depends on", () => {
  const folder = project();
  const shipment = ship({ source: sourceAt(join(folder, 'src/env.js')), workingDir: folder });
  const has = (path: string) => existsSync(join(shipment.folder, path));
  expect(shipment.source.module).toBe('project/src/env.js');
  expect(has('node_modules/maze-maps')).toBe(true);
  for (const path of [
    'node_modules/unused',
    'project/node_modules',
    'project/runs',
    'project/.git',
    'project/.gitignore',
  ])
    expect(has(path), path).toBe(false);
  const script = `import('./${shipment.source.module}').then(({ half }) => console.log(half))`;
  expect(execFileSync('node', ['-e', script], { cwd: shipment.folder, encoding: 'utf8' })).toBe('4\n');
});

test('a file of Python travels with its project, is known by its contents, and another file in its place is noticed', () => {
  const folder = project();
  writeFileSync(join(folder, 'src/world.py'), 'import rules');
  writeFileSync(join(folder, 'src/rules.py'), 'SIZE = 8');
  mkdirSync(join(folder, 'src/__pycache__'));
  writeFileSync(join(folder, 'src/__pycache__/rules.pyc'), '');
  const source = resolveEnv('python:src/world.py#make', {}, folder);
  const shipment = ship({ source, workingDir: folder });
  expect(shipment.source.options.reference).toBe('python:project/src/world.py#make');
  expect(existsSync(join(shipment.folder, shipment.source.module))).toBe(true);
  const { files } = shipment;
  expect(files['project/src/world.py']).toBe(createHash('sha256').update('import rules').digest('hex'));
  expect(Object.keys(files)).toContain('project/src/rules.py');
  expect(Object.keys(files).join()).not.toContain('__pycache__');
  writeFileSync(
    join(shipment.folder, 'project/log.txt'),
    'what an environment writes is nobody else’s business',
  );
  expect(differingFiles(shipment.folder, files)).toEqual([]);
  writeFileSync(join(shipment.folder, 'project/src/rules.py'), 'SIZE = 9');
  rmSync(join(shipment.folder, 'project/src/world.py'));
  expect(differingFiles(shipment.folder, files).sort()).toEqual([
    'project/src/rules.py',
    'project/src/world.py',
  ]);
});

test('an environment outside of the project is not sent', () => {
  const file = join(temporaryFolder(), 'env.js');
  writeFileSync(file, '');
  expect(() => ship({ source: sourceAt(file), workingDir: project() })).toThrow(
    expect.objectContaining({
      code: 'CLUSTER_NOT_SHIPPED',
      message: expect.stringMatching(/env\.js lies outside of .*`rayWorkingDir`/),
    }),
  );
  const python = resolveEnv(`python:${file}#make`);
  expect(() => ship({ source: python, workingDir: project() })).toThrow(/env\.js lies outside of/);
});

test('too much is not sent, and the largest parts are named', () => {
  expect(() => ship({ maxMegabytes: 5 })).toThrow(
    expect.objectContaining({
      code: 'CLUSTER_PACKAGE_SIZE',
      message: expect.stringMatching(
        /has \d+\.\d MiB, and `rayPackageMb` is 5\. The largest parts: node_modules\/@esbuild/,
      ),
    }),
  );
});
