/**
 * The packed package in projects as people have them: module and commonjs; tsx, compiled, bundled; Vitest and Jest; npm (one
 * node_modules above several packages, as in a monorepo) and pnpm, which hoists nothing; and without TensorFlow.js.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type Finished,
  nodeBinaries,
  packedTarball,
  REPOSITORY,
  runBeside,
  runCommand,
  temporaryProject,
} from './packed-project.ts';

vi.setConfig({ testTimeout: 120_000 });

const FIXTURES = fileURLToPath(new URL('./fixtures/', import.meta.url));
/** CartPole is known, a policy acts, an own environment trains in a thread, an error is the class that was imported. */
const RIGHT = '[true,"number",64,"CONFIG_ENV_UNKNOWN"]\n';
const FEW = [
  '--stop-iterations',
  '1',
  '--num-envs',
  '4',
  '--rollout-length',
  '16',
  '--minibatch-size',
  '32',
  '--quiet',
];
/** Tools that the projects borrow from this repository instead of installing them. */
const BORROWED = ['typescript', '@typescript', 'vitest', '@types/node', 'undici-types'];

const repositoryTool = (path: string) => join(REPOSITORY, 'node_modules', path);

let root: string;
beforeAll(() => {
  root = temporaryProject('projects');
  writeFileSync(join(root, 'package.json'), '{ "private": true }\n');
  const flags = ['--silent', '--no-audit', '--no-fund', '--ignore-scripts'];
  const installed = runCommand('npm', ['install', ...flags, packedTarball(), 'jest@30'], root);
  if (installed.status !== 0) throw new Error(`npm install failed:\n${installed.stderr}`);
  for (const name of BORROWED) borrow(name);
}, 600_000);
afterAll(() => {
  if (root !== undefined) rmSync(root, { recursive: true, force: true });
});

function borrow(name: string): void {
  const path = join(root, 'node_modules', name);
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) symlinkSync(repositoryTool(name), path, 'junction');
}

/** A package of the monorepo, with some of the fixtures in it. */
function newPackage(name: string, type: 'module' | 'commonjs', files: readonly string[]): string {
  const folder = join(root, 'packages', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, type }));
  for (const file of files) copyFileSync(join(FIXTURES, file), join(folder, file));
  return folder;
}

function expectRight({ status, stdout, stderr }: Finished): void {
  expect(stdout, stderr).toBe(RIGHT);
  expect(status, stderr).toBe(0);
}

const installedBin = (folder: string) => join(folder, 'node_modules/operant/dist/src/cli/main.js');

describe.each(nodeBinaries())('under %s', (node) => {
  describe.concurrent.each(['module', 'commonjs'] as const)('a project of type %s', (type) => {
    test('runs through tsx', async () => {
      const folder = newPackage(`tsx-${type}`, type, ['script.ts', 'walk.ts']);
      expectRight(await runBeside(node, ['--import', 'tsx', 'script.ts'], folder));
      expectRight(await runBeside(node, [join(root, 'node_modules/tsx/dist/cli.mjs'), 'script.ts'], folder));
    });

    test('trains from the command line with its own TypeScript environment, and exports what came of it', async () => {
      const folder = newPackage(`command-${type}`, type, ['walk.ts']);
      const out = join(folder, `run-${nodeBinaries().indexOf(node)}`);
      const args = ['train', '--env', './walk.ts#walk', ...FEW, '--out', out];
      const { status, stderr } = await runBeside(node, [installedBin(root), ...args], folder);
      expect(status, stderr).toBe(0);
      expect(existsSync(join(out, 'checkpoints/000001/manifest.json'))).toBe(true);
      // Node takes .js for a script in a project of type commonjs; the export is a module.
      const exporting = ['export', '--checkpoint', out, '--to', 'js', '--out', join(folder, 'policy.js')];
      const exported = await runBeside(node, [installedBin(root), ...exporting, '--verify'], folder);
      expect(exported.status, exported.stderr).toBe(0);
    });
  });

  test.concurrent('loads TypeScript without a cache in the shared temporary directory', async () => {
    const folder = newPackage('cache', 'module', ['walk.ts']);
    const temporary = join(folder, `tmp-${nodeBinaries().indexOf(node)}`);
    mkdirSync(temporary);
    const args = ['train', '--env', './walk.ts#walk', ...FEW, '--out', join(temporary, 'run')];
    const { status, stderr } = await runBeside(node, [installedBin(root), ...args], folder, {
      TMPDIR: temporary,
      TSX_DISABLE_CACHE: '',
    });
    expect(status, stderr).toBe(0);
    const cached = readdirSync(temporary, { recursive: true }).filter((name) => /tsx/.test(String(name)));
    expect(cached.flatMap((name) => readdirSync(join(temporary, String(name))))).toEqual([]);
  });

  test.concurrent('works in Jest with its ES modules', async () => {
    const folder = newPackage('jest', 'module', ['walk.js', 'jest.test.js']);
    const jest = join(root, 'node_modules/jest/bin/jest.js');
    const { status, stderr } = await runBeside(
      node,
      ['--experimental-vm-modules', jest, '--rootDir', '.'],
      folder,
    );
    expect(stderr).toContain('2 passed');
    expect(status, stderr).toBe(0);
  });
});

describe.concurrent.each(['module', 'commonjs'] as const)('a project of type %s', (type) => {
  test('compiles with every check on, and runs', async () => {
    const folder = newPackage(`compiled-${type}`, type, ['script.ts', 'walk.ts']);
    const compilerOptions = {
      target: 'es2023',
      module: 'nodenext',
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      types: ['node'],
      outDir: 'out',
      rootDir: '.',
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    const compiled = await runBeside(
      process.execPath,
      [repositoryTool('typescript/bin/tsc'), '-p', '.'],
      folder,
    );
    expect(compiled.stdout).toBe('');
    for (const node of nodeBinaries()) {
      const args = ['--no-warnings', 'out/script.js'];
      expectRight(await runBeside(node, args, folder, { WALK: './out/walk.js#walk' }));
    }
  });
});

describe.concurrent('operant/policy', () => {
  const ACTS = '[2,"categorical","CHECKPOINT_NOT_FOUND"]\n';
  const tsc = async (folder: string, options: object) => {
    const compilerOptions = {
      target: 'es2023',
      strict: true,
      skipLibCheck: false,
      exactOptionalPropertyTypes: true,
    };
    const files = ['act.ts'];
    const config = { compilerOptions: { ...compilerOptions, ...options }, files };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    return (await runBeside(process.execPath, [repositoryTool('typescript/bin/tsc'), '-p', '.'], folder))
      .stdout;
  };
  let checkpoint: string;
  beforeAll(async () => {
    const folder = newPackage('policy', 'module', []);
    const args = ['train', '--env', 'CartPole', '--no-tuned', ...FEW, '--out', 'run'];
    const { status, stderr } = await runBeside(process.execPath, [installedBin(root), ...args], folder);
    if (status !== 0) throw new Error(stderr);
    checkpoint = join(folder, 'run/checkpoints/000001');
  });

  test.each(['module', 'commonjs'] as const)(
    'acts in a project of type %s, compiled with every check on',
    async (type) => {
      const folder = newPackage(`act-${type}`, type, ['act.ts']);
      const node16 = { module: 'node16', types: ['node'], outDir: 'out', rootDir: '.' };
      expect(await tsc(folder, node16)).toBe('');
      for (const node of nodeBinaries()) {
        const { stdout, stderr } = await runBeside(node, ['out/act.js'], folder, { CHECKPOINT: checkpoint });
        expect(stdout, stderr).toBe(ACTS);
      }
      const bundler = { module: 'esnext', moduleResolution: 'bundler', types: ['node'], noEmit: true };
      expect(await tsc(folder, bundler)).toBe('');
    },
  );
});

test.concurrent('works in Vitest', async () => {
  const folder = newPackage('vitest', 'module', ['walk.ts', 'vitest.test.ts']);
  const vitest = repositoryTool('vitest/vitest.mjs');
  const { status, stdout, stderr } = await runBeside(
    process.execPath,
    [vitest, 'run', '--root', '.'],
    folder,
  );
  expect(stdout, stderr).toMatch(/1.* passed/);
  expect(status, stderr).toBe(0);
});

test.concurrent('bundles for Node, and runs where it was left outside of the bundle', async () => {
  const folder = newPackage('bundled', 'module', ['script.ts', 'walk.ts']);
  const esbuild = repositoryTool('esbuild/bin/esbuild');
  const flags = ['script.ts', '--bundle', '--platform=node', '--format=esm', '--log-level=error'];
  const whole = await runBeside(process.execPath, [esbuild, ...flags, '--outfile=whole.mjs'], folder);
  expect([whole.status, whole.stderr]).toEqual([0, '']);
  await runBeside(
    process.execPath,
    [esbuild, ...flags, '--external:operant', '--outfile=bundle.mjs'],
    folder,
  );
  expectRight(await runBeside(process.execPath, ['bundle.mjs'], folder));
});

test.concurrent('installs with pnpm, which hoists nothing', async () => {
  const folder = newPackage('../pnpm', 'module', ['script.ts', 'walk.ts']);
  const installed = await runBeside('npx', ['--yes', 'pnpm@10', 'add', packedTarball()], folder);
  expect(installed.status, installed.stdout).toBe(0);
  expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
    'operant',
  ]);
  const args = ['train', '--env', './walk.ts#walk', ...FEW, '--out', 'run'];
  const { status, stderr } = await runBeside(process.execPath, [installedBin(folder), ...args], folder);
  expect(status, stderr).toBe(0);
});

describe.concurrent('the package', () => {
  const manifest = () => JSON.parse(readFileSync(join(root, 'node_modules/operant/package.json'), 'utf8'));

  test('is found by tools that know no exports', () => {
    const { main, types, exports } = manifest();
    expect([main, types]).toEqual([exports['.'].default, exports['.'].types]);
  });

  test('names only files that it holds: entries, and links in its pages', () => {
    const folder = join(root, 'node_modules/operant');
    const { main, types, bin } = manifest();
    const pages = readdirSync(folder, { recursive: true })
      .map(String)
      .filter((path) => path.endsWith('.md') && !path.includes('node_modules'));
    const links = pages.flatMap((page) => {
      const text = readFileSync(join(folder, page), 'utf8');
      const targets = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)\s#]+)/g)].map(([, target]) => target);
      return targets.map((target) => join(dirname(page), target));
    });
    expect(pages.length).toBeGreaterThan(8);
    expect(links.length).toBeGreaterThan(20);
    const missing = [main, types, ...Object.values<string>(bin), ...links].filter(
      (path) => !existsSync(join(folder, path)),
    );
    expect(missing).toEqual([]);
  });
});

describe('TensorFlow.js', () => {
  const trainNetwork = (folder: string, out: string, node = process.execPath) => {
    const args = [
      'train',
      '--env',
      'CartPole',
      '--no-tuned',
      '--network',
      './net.ts#network',
      ...FEW,
      '--num-epochs',
      '1',
    ];
    return runBeside(node, [installedBin(root), ...args, '--out', out], folder);
  };

  test('is not there unless asked for: who needs it is told what to install, who does not is not', async () => {
    expect(existsSync(join(root, 'node_modules/@tensorflow'))).toBe(false);
    const folder = newPackage('without', 'module', ['net.ts']);
    const large = ['train', '--env', 'CartPole', '--hidden-sizes', '700,700', ...FEW, '--out', 'large'];
    const simd = await runBeside(process.execPath, [installedBin(root), ...large], folder);
    expect(simd.status, simd.stderr).toBe(0);
    const wanted = 'npm install @tensorflow/tfjs@4 @tensorflow/tfjs-backend-wasm@4';
    const asked = ['train', '--env', 'CartPole', '--engine', 'tensorflow', ...FEW, '--out', 'asked'];
    for (const run of [
      await runBeside(process.execPath, [installedBin(root), ...asked], folder),
      await trainNetwork(folder, 'network'),
    ]) {
      expect(run.status).toBe(1);
      expect(run.stderr).toContain(wanted);
      expect(run.stderr.trim().split('\n')).toHaveLength(1);
    }
  });

  test("trains a network of one's own in TypeScript where it is there, and compiles it with strict types", async () => {
    borrow('@tensorflow');
    const folder = newPackage('network', 'module', ['net.ts']);
    for (const [k, node] of nodeBinaries().entries()) {
      const { status, stderr } = await trainNetwork(folder, `run-${k}`, node);
      expect(status, stderr).toBe(0);
    }
    const flags =
      '--ignoreConfig --noEmit --strict --noUncheckedIndexedAccess --skipLibCheck --module nodenext --target es2023';
    const tsc = [repositoryTool('typescript/bin/tsc'), ...flags.split(' '), '--types', 'node', 'net.ts'];
    expect((await runBeside(process.execPath, tsc, folder)).stdout).toBe('');
  });
});
