/** What only a process of its own can show: signals, pipes, exit codes, and that it ends by itself. Beside each other: what a process is told it waits for. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { temporaryFoldersOfFile } from '../temporary-folder.ts';

const temporaryFolder = temporaryFoldersOfFile();
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TSX = import.meta.resolve('tsx');
const bin = (name: string) => ['--import', TSX, join(ROOT, 'src', 'cli', `${name}.ts`)];
const SMALL = [
  '--num-envs',
  '4',
  '--rollout-length',
  '16',
  '--num-epochs',
  '1',
  '--minibatch-size',
  '64',
  '--hidden-sizes',
  '8',
  '--no-tuned',
];

function run(name: string, argv: readonly string[], cwd: string): Promise<Ended> {
  return ended(spawn(process.execPath, [...bin(name), ...argv], { cwd, timeout: 60_000 }));
}

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Resolves when the process has ended. */
function ended(child: ChildProcess): Promise<Ended> {
  const written = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => {
    written.stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    written.stderr += chunk;
  });
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, ...written })));
}

/** Resolves when `file` exists and is not empty. */
async function appears(file: string): Promise<void> {
  await vi.waitFor(() => expect(existsSync(file) && readFileSync(file, 'utf8')).toBeTruthy(), {
    timeout: 50_000,
    interval: 20,
  });
}

describe.skipIf(process.platform === 'win32')('a signal', { concurrent: true }, () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s ends a run with a checkpoint and 130; it can be resumed',
    async (signal) => {
      const out = join(temporaryFolder(), 'run');
      const argv = ['--env', 'CartPole', '--out', out, '--json', ...SMALL];
      const child = spawn(process.execPath, [...bin('train'), ...argv]);
      const result = ended(child);
      await appears(join(out, 'progress.jsonl'));
      child.kill(signal);
      const { status, stdout, stderr } = await result;
      expect(status, stderr).toBe(130);
      const summary = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
      expect(summary).toMatchObject({ type: 'summary', stopReason: 'interrupted', runDir: out });
      expect(existsSync(join(summary.checkpoint, 'manifest.json'))).toBe(true);
      expect(stderr).not.toMatch(/\n\s+at /);
      const next = String(summary.iterations + 1);
      const resumed = await run('main', ['train', '--resume', out, '--stop-iterations', next, '--json'], out);
      expect(resumed.status, resumed.stderr).toBe(0);
      expect(
        resumed.stdout
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line).iteration),
      ).toEqual([Number(next), undefined]);
    },
  );
});

describe.skipIf(process.platform === 'win32')('what cannot be written', { concurrent: true }, () => {
  const START = ['--env', 'CartPole', '--stop-iterations', '40', ...SMALL];

  it.skipIf(!existsSync('/dev/full'))(
    'stdout on a full disk: the run goes on to its end, is saved, and says so',
    async () => {
      const out = join(temporaryFolder(), 'run');
      const full = openSync('/dev/full', 'w');
      const child = spawn(process.execPath, [...bin('train'), ...START, '--json', '--out', out], {
        stdio: ['ignore', full, 'pipe'],
      });
      const { status, stderr } = await ended(child);
      closeSync(full);
      expect(status, stderr).toBe(1);
      expect(stderr.match(/standard output cannot be written/g)).toHaveLength(1);
      expect(readFileSync(join(out, 'latest'), 'utf8')).toBe('checkpoints/000040\n');
      expect(existsSync(join(out, 'lock'))).toBe(false);
    },
  );

  it('stderr that nobody reads any more: the run goes on to its end', async () => {
    const out = join(temporaryFolder(), 'run');
    const child = spawn(process.execPath, [...bin('train'), ...START, '--json', '--out', out]);
    child.stderr.once('data', () => child.stderr.destroy());
    const { status, stdout } = await ended(child);
    expect(status).toBe(0);
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      stopReason: 'stopIterations',
    });
  });
});

describe.concurrent('an error that nobody catches', () => {
  it.each([
    ['a stray rejection', 'Promise.reject(new Error("stray"))'],
    ['what a timer throws, again and again', 'setInterval(() => { throw new Error("stray"); }, 5)'],
  ])('%s ends the run as a signal does, with its checkpoint, and is told', async (_, code) => {
    const folder = temporaryFolder();
    const config = join(folder, 'config.mjs');
    writeFileSync(
      config,
      `export default {};
       let isDone = false;
       const step = () => { isDone = true; ${code}; };
       import { statSync } from 'node:fs';
       const log = 'run/progress.jsonl';
       const hasRows = () => (statSync(log, { throwIfNoEntry: false })?.size ?? 0) > 0;
       const wait = setInterval(() => { if (!isDone && hasRows()) step(); }, 20);
       wait.unref();`,
    );
    const argv = ['--config', config, '--env', 'CartPole', '--out', 'run', '--stop-seconds', '50', ...SMALL];
    const { status, stderr } = await run('train', [...argv, '--checkpoint-seconds', '1000'], folder);
    expect(status, stderr).toBe(1);
    expect(stderr).toMatch(/Error: stray(.|\n)*Nobody caught this error/);
    expect(readFileSync(join(folder, 'run', 'latest'), 'utf8')).toMatch(/^checkpoints.\d+\n$/);
    expect(existsSync(join(folder, 'run', 'lock'))).toBe(false);
  });
});

describe.concurrent('a run that is killed before its first checkpoint', () => {
  it('is begun anew by --resume, in its folder and with its options', async () => {
    const out = join(temporaryFolder(), 'run');
    const argv = ['--env', 'CartPole', '--seed', '7', '--out', out, '--checkpoint-seconds', '1000', ...SMALL];
    const child = spawn(process.execPath, [...bin('train'), ...argv]);
    const result = ended(child);
    await appears(join(out, 'progress.jsonl'));
    child.kill('SIGKILL');
    await result;
    expect(existsSync(join(out, 'lock'))).toBe(true);
    expect(existsSync(join(out, 'latest'))).toBe(false);
    const again = await run('main', ['train', '--resume', out, '--stop-iterations', '3'], out);
    expect(again.status, again.stderr).toBe(0);
    expect(again.stdout).toContain('it holds no checkpoint yet, so the run begins anew');
    const rows = readFileSync(join(out, 'progress.jsonl'), 'utf8').trimEnd().split('\n');
    expect(rows.map((row) => JSON.parse(row).iteration)).toEqual([1, 2, 3]);
    const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'));
    expect(config.debugging.seed).toBe(7);
    expect(config.envRunners.numEnvs).toBe(4);
    // It has one now, from which it goes on.
    const resumed = await run('main', ['train', '--resume', out, '--stop-iterations', '4'], out);
    expect(resumed.status, resumed.stderr).toBe(0);
    expect(resumed.stdout).toContain('going on from');
  });
});

describe.concurrent('a reader that leaves', () => {
  it('ends the run with a checkpoint', async () => {
    const out = join(temporaryFolder(), 'run');
    const argv = ['--env', 'CartPole', '--out', out, '--json', '--stop-seconds', '120', ...SMALL];
    const child = spawn(process.execPath, [...bin('train'), ...argv]);
    child.stdout.once('data', () => child.stdout.destroy());
    const { status, stderr } = await ended(child);
    expect(status, stderr).toBe(130);
    expect(existsSync(join(out, 'latest'))).toBe(true);
  });
});

describe.concurrent('the bins', () => {
  it('train is operant train; a process ends by itself, with its exit code', async () => {
    const folder = temporaryFolder();
    const argv = ['--env', 'CartPole', '--stop-iterations', '1', '--json', ...SMALL];
    const first = await run('train', argv, folder);
    const second = await run('main', ['train', ...argv], folder);
    for (const { status, stdout, stderr } of [first, second]) {
      expect(status, stderr).toBe(0);
      expect(JSON.parse(stdout.trimEnd().split('\n')[1]).runDir).toMatch(
        /runs.CartPole-ppo-\d{8}-\d{6}(-\d)?$/,
      );
    }
    const bad = await run('train', ['--env', 'CartPole', '--gamma', '2'], folder);
    expect([bad.status, bad.stdout]).toEqual([2, '']);
    expect(bad.stderr).toBe(
      'error: Expected `gamma` to be a number in [0, 1], got `2` (number) (from the command line).\n',
    );
  });

  it('leave no thread behind when an environment fails: the process ends at once, by itself', async () => {
    const env = `${fileURLToPath(new URL('./fixtures/bad-envs.ts', import.meta.url))}#throwsInStep`;
    const { status, stderr } = await run(
      'train',
      ['--env', env, '--num-env-runners', '2', '--verbose', ...SMALL],
      temporaryFolder(),
    );
    expect(status).toBe(1);
    expect(stderr).toContain('x is undefined');
    expect(stderr).not.toContain('still running');
  });
});

describe.concurrent('a project without "type": "module"', () => {
  it.each(['0', '2'])('brings its TypeScript environment, with %s workers', async (workers) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'package.json'), '{ "name": "mine", "type": "commonjs" }');
    writeFileSync(
      join(folder, 'my-env.ts'),
      `
      import { Box, Discrete, type Env } from '${join(ROOT, 'src', 'index.ts')}';
      enum Reward { Alive = 1 }
      export default (): Env => ({
        observationSpace: new Box(-1, 1, [2]),
        actionSpace: new Discrete(2),
        maxEpisodeSteps: 9,
        reset: () => ({ observation: new Float32Array(2) }),
        step: () => ({ observation: new Float32Array(2), reward: Reward.Alive, terminated: false, truncated: false }),
      });`,
    );
    const argv = [
      '--env',
      './my-env.ts',
      '--stop-iterations',
      '2',
      '--num-env-runners',
      workers,
      '--json',
      ...SMALL,
    ];
    const { status, stdout, stderr } = await run('train', argv, folder);
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '').episodeReturnMean).toBe(9);
  });
});

it.concurrent('a script that forgets stop() is told so, once', async () => {
  const script = join(temporaryFolder(), 'forgets.mts');
  const index = pathToFileURL(join(ROOT, 'src', 'index.ts')).href;
  writeFileSync(
    script,
    `import { PPOConfig } from '${index}';
await new PPOConfig().environment('CartPole-v1').envRunners({ numEnvRunners: 1, numEnvs: 2 }).build();
`,
  );
  const child = spawn(process.execPath, ['--import', TSX, script], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  for await (const chunk of child.stderr) {
    stderr += String(chunk);
    if (stderr.includes('\n')) break;
  }
  child.kill('SIGKILL');
  expect(stderr).toMatch(/the worker threads of ppo keeps? this process alive.*await algorithm\.stop\(\)/);
});
