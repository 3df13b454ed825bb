import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { loadKernels } from '../../src/simd/loader.ts';
import { readmeCode } from '../house/readme-code.ts';
import {
  type InstalledProject,
  installInEmptyProject,
  nodeBinaries,
  packedTarball,
  REPOSITORY,
  runCommand,
} from './packed-project.ts';

const TRAIN = ['--algo', 'ppo', '--env', 'CartPole', '--num-env-runners', '2', '--seed', '0', '--json'];
const FEW_OF_PHYSICS = ['--rollout-length', '64', '--stop-iterations', '1', '--out', 'runs/hopping'];
const FEW = ['--stop-iterations', '3', '--out', 'runs/few'];

/** An environment that fails when it is told to. */
const LINE_ENV = `
import { Box, Discrete, type Env } from 'operant';
export default ({ fails = false } = {}): Env => ({
  observationSpace: new Box(-1, 1, [1]),
  actionSpace: new Discrete(2),
  reset: () => ({ observation: [0], info: {} }),
  step: () => ({ observation: [fails ? Number.NaN : 0], reward: 1, terminated: false, truncated: false, info: {} }),
});
`;

const USE_OF_LINE_ENV = `
import { ConfigError, EnvError, PPOConfig, registerEnv } from 'operant';
registerEnv('Line-v0', { module: new URL('./line.ts', import.meta.url).href });
const config = (options: object) =>
  new PPOConfig()
    .environment('Line-v0', options)
    .envRunners({ numEnvRunners: 2, numEnvs: 4, rolloutLength: 16 })
    .training({ minibatchSize: 32 });
const caught = (call: () => unknown) => Promise.resolve().then(call).catch((error: unknown) => error);
const bounds = await caught(() => config({}).training({ gamma: 2 }));
const algorithm = await config({}).build();
await algorithm.train();
await algorithm.stop();
const broken = await config({ fails: true }).build();
const failure = await caught(() => broken.train());
await broken.stop();
const names = [bounds instanceof ConfigError && 'a ConfigError', failure instanceof EnvError && 'an EnvError'];
console.log(\`\${names[0]}, \${algorithm.numEnvSteps} steps, \${names[1]} of \${(failure as EnvError).place.envId}\`);
`;

vi.setConfig({ testTimeout: 300_000 });

let tarball: string;
let project: InstalledProject;

beforeAll(() => {
  tarball = packedTarball();
  project = installInEmptyProject(tarball, ['--ignore-scripts']);
}, 600_000);

afterAll(() => {
  if (project !== undefined) rmSync(project.folder, { recursive: true, force: true });
});

const bin = (name: string) =>
  join(project.folder, 'node_modules/operant', readBins()[name] ?? `no bin ${name}`);

function readBins(): Record<string, string> {
  return JSON.parse(readFileSync(join(project.folder, 'node_modules/operant/package.json'), 'utf8')).bin;
}

interface Summary {
  readonly type: string;
  readonly stopReason: string;
  readonly numEnvSteps: number;
  readonly iterations: number;
  readonly checkpoint: string;
}

function lastLine(stdout: string): Summary {
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null');
}

describe('a packed install', () => {
  // trap 3 of the build: tests in the emit set end up in dist, and then run twice
  test('holds the published folders and nothing else', () => {
    const root = join(project.folder, 'node_modules/operant');
    expect(readdirSync(join(root, 'dist')).sort()).toEqual([
      ...['algorithms', 'browser', 'chunks', 'client', 'envs', 'kernels', 'page', 'policy', 'src'],
    ]);
    for (const folder of ['test', '.ci', 'node_modules', 'build', 'bench/peers'])
      expect(existsSync(join(root, folder)), folder).toBe(false);
    expect(readdirSync(join(root, 'dist/kernels')).filter((name) => name.endsWith('.wasm')).length).toBe(4);
  });

  test('takes as much as the README says', () => {
    const folder = join(project.folder, 'node_modules');
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const bytes = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
    const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
    const told = Number(/^That is (\d+) MB;/m.exec(readme)?.[1]);
    expect(Math.abs(bytes / 1e6 / told - 1)).toBeLessThan(0.1);
    expect(bytes).toBeLessThan(40e6);
  });

  test('brings one install script', () => {
    const lock = readFileSync(join(project.folder, 'package-lock.json'), 'utf8');
    const { packages } = JSON.parse(lock) as { packages: Record<string, { hasInstallScript?: boolean }> };
    const scripted = Object.keys(packages).filter((name) => packages[name]?.hasInstallScript);
    expect(scripted).toEqual(['node_modules/esbuild']); // as the README says
  });

  // two instances of a registry, or of an error class, would not know each other
  test('holds every module once', () => {
    const root = join(project.folder, 'node_modules/operant/dist');
    const files = readdirSync(root, { recursive: true }).map((path) => join(root, String(path)));
    const modules = files
      .filter((path) => path.endsWith('.js.map'))
      .flatMap((path) => {
        const { sources } = JSON.parse(readFileSync(path, 'utf8')) as { sources: string[] };
        return sources.map((source) => resolve(dirname(path), source));
      });
    expect(modules.length).toBeGreaterThan(200);
    expect(modules.filter((path, k) => modules.indexOf(path) !== k)).toEqual([]);
  });

  test.each(nodeBinaries())("knows a user's TypeScript environment and its errors under %s", (node) => {
    writeFileSync(join(project.folder, 'line.ts'), LINE_ENV);
    writeFileSync(join(project.folder, 'use.ts'), USE_OF_LINE_ENV);
    const run = runCommand(node, ['--import', 'tsx', 'use.ts'], project.folder);
    expect(run.stderr).toBe('');
    expect(run.stdout).toBe('a ConfigError, 64 steps, an EnvError of Line-v0\n');
  });

  test('points at the sources in stack traces', () => {
    const script = "import { Box } from 'operant'; new Box(0, -1, [2]);";
    const run = runCommand(
      process.execPath,
      ['--enable-source-maps', '--input-type=module', '-e', script],
      project.folder,
    );
    expect(run.stderr).toMatch(/operant\/src\/env\/spaces\.ts:\d+:\d+/);
  });

  // trap 1: `new URL('./worker.ts', ...)` survives compilation, so worker threads are what has to be started here
  test.each(nodeBinaries())('trains from its bin with worker threads under %s', (node) => {
    rmSync(join(project.folder, 'runs'), { recursive: true, force: true });
    const run = runCommand(node, [bin('train'), ...TRAIN, ...FEW], project.folder);
    expect(run.stderr).not.toMatch(/\n {4}at /);
    expect(run.status, run.stderr).toBe(0);
    const summary = lastLine(run.stdout);
    expect(summary).toMatchObject({ type: 'summary', stopReason: 'stopIterations' });
    expect(summary.numEnvSteps).toBeGreaterThan(0);
    const evaluated = runCommand(
      node,
      [bin('operant'), 'evaluate', '--checkpoint', summary.checkpoint, '--episodes', '2', '--json'],
      project.folder,
    );
    expect(evaluated.status, evaluated.stderr).toBe(0);
  });

  test.each(nodeBinaries())("learns through the README's quick start under %s", (node) => {
    const script = join(project.folder, 'quick-start.ts');
    writeFileSync(script, readmeCode('quick-start'));
    const run = runCommand(node, ['--import', 'tsx', script], project.folder);
    expect(run.status, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/\S/);
  });

  test.each(nodeBinaries())(
    'trains an algorithm of its own from the command line, and resumes it, under %s',
    (node) => {
      for (const name of ['reinforce.ts', 'gradient.ts']) {
        const source = readFileSync(join(REPOSITORY, 'examples/reinforce', name), 'utf8');
        writeFileSync(
          join(project.folder, name),
          source.replace(/'\.\.\/\.\.\/src\/exports\/(\w+)\.ts'/, "'operant/$1'"),
        );
      }
      rmSync(join(project.folder, 'runs'), { recursive: true, force: true });
      const algo = [
        '--algo',
        './reinforce.ts#reinforce',
        '--num-env-runners',
        '2',
        '--out',
        'runs/reinforce',
        '--json',
      ];
      const train = (...flags: string[]) =>
        runCommand(node, [bin('train'), ...algo, ...flags], project.folder);
      const run = train('--env', 'CartPole', '--stop-return', '100', '--stop-steps', '60000', '--seed', '0');
      expect(run.status, run.stderr).toBe(0);
      const { stopReason, iterations } = lastLine(run.stdout);
      expect(stopReason).toBe('stopReturn');
      const stop = ['--stop-return', 'none', '--stop-iterations', `${iterations + 2}`];
      const resumed = train('--resume', 'runs/reinforce', ...stop);
      expect(resumed.status, resumed.stderr).toBe(0);
      expect(lastLine(resumed.stdout)).toMatchObject({
        stopReason: 'stopIterations',
        iterations: iterations + 2,
      });
      const help = runCommand(
        node,
        [bin('train'), '--algo', './reinforce.ts#reinforce', '--help'],
        project.folder,
      );
      expect(help.stdout).toMatch(/--entropy-coeff .*\n? *Weight of the entropy bonus\. \[0\.01\]/);
    },
  );

  test('has types for an algorithm of its own', () => {
    const flags =
      '--noEmit --strict --skipLibCheck --module nodenext --target es2023 --lib es2023,dom --types'.split(
        ' ',
      );
    const tsc = join(REPOSITORY, 'node_modules/.bin/tsc');
    const checked = runCommand(
      tsc,
      [...flags, '', '--allowImportingTsExtensions', 'reinforce.ts'],
      project.folder,
    );
    expect(checked.stdout).toBe('');
    const wrong =
      "import { reinforce } from './reinforce.ts';\nnew reinforce.Config().training({ valueCoef: 1 });\n";
    writeFileSync(join(project.folder, 'wrong.ts'), wrong);
    const refused = runCommand(
      tsc,
      [...flags, '', '--allowImportingTsExtensions', 'wrong.ts'],
      project.folder,
    );
    expect(refused.stdout).toMatch(/valueCoef/); // or the check above could not fail
  });

  // of the kernels, the native ones too, where this machine can build them
  test.each(nodeBinaries())('has the kernels that a clone has under %s', async (node) => {
    const here = await loadKernels();
    const run = runCommand(node, [bin('operant'), 'doctor', '--json'], project.folder);
    expect(run.status, run.stderr).toBe(0);
    expect(JSON.parse(run.stdout).simd).toMatchObject({
      available: true,
      relaxed: true,
      numLanes: here.native?.numLanes ?? 4,
    });
  });

  test('says what to install for physics, and has it once that is there', () => {
    const operant = (...args: string[]) => runCommand(process.execPath, args, project.folder);
    const hopping = [
      '--env',
      'Hopper-v5',
      '--num-env-runners',
      '1',
      '--seed',
      '0',
      '--json',
      ...FEW_OF_PHYSICS,
    ];
    expect(operant(bin('operant'), 'envs').stdout).toMatch(
      /Hopper-v5 .*Not installed: npm install @mujoco\/mujoco@3\.14\.0/,
    );
    const without = operant(bin('train'), ...hopping);
    expect(without.status).toBe(2);
    expect(without.stderr.trim().split('\n')).toEqual([
      expect.stringMatching(
        /needs the package @mujoco\/mujoco, which is not installed\. Install it: npm install @mujoco\/mujoco@/,
      ),
    ]);
    mkdirSync(join(project.folder, 'node_modules/@mujoco'));
    symlinkSync(
      join(REPOSITORY, 'node_modules/@mujoco/mujoco'),
      join(project.folder, 'node_modules/@mujoco/mujoco'),
      'junction',
    );
    expect(operant(bin('operant'), 'envs').stdout).toMatch(/Hopper-v5 +Box\(11\)/);
    const run = operant(bin('train'), ...hopping);
    expect(run.status, run.stderr).toBe(0);
    expect(lastLine(run.stdout)).toMatchObject({ numEnvSteps: 512 }); // 8 tuned environments
  });

  test('is found by npx under both names', () => {
    for (const [name, args] of [
      ['operant', ['envs']],
      ['train', ['--help']],
    ] as const) {
      const run = runCommand('npx', ['--no-install', name, ...args], project.folder);
      expect(run.status, run.stderr).toBe(0);
      expect(run.stdout).toMatch(/\S/);
    }
  });
});

describe('an install with its scripts on', () => {
  test('is as good', () => {
    const scripted = installInEmptyProject(tarball, ['--prefer-offline']); // what the first one fetched is here
    try {
      expect(scripted.stderr).not.toMatch(/npm error/i);
      const run = runCommand(
        process.execPath,
        [join(scripted.folder, 'node_modules/operant', readBins().train), ...TRAIN, ...FEW],
        scripted.folder,
      );
      expect(run.status, run.stderr).toBe(0);
    } finally {
      rmSync(scripted.folder, { recursive: true, force: true });
    }
  });
});
