/** What a script sees of its run: nothing where nobody watches, progress on a terminal or where it asks for it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../temporary-folder.ts';

const INDEX = new URL('../../src/index.ts', import.meta.url).href;
const TSX = fileURLToPath(import.meta.resolve('tsx'));
const hasTerminals = process.platform !== 'win32' && spawnSync('python3', ['-c', 'import pty']).status === 0;

/** @param options as `run(...)` is given them. @param hook what happens after each iteration. */
function script(options: string, hook = ''): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'project'));
  const path = join(folder, 'project', 'script.mts');
  writeFileSync(
    path,
    `import { PPOConfig } from '${INDEX}';
const config = new PPOConfig()
  .environment('CartPole-v1')
  .envRunners({ numEnvRunners: 0, numEnvs: 2, rolloutLength: 16 })
  .training({ numEpochs: 1, minibatchSize: 32, hiddenSizes: [8] })
  .evaluation({ evaluationInterval: 2, evaluationEpisodes: 3 })
  .checkpointing({ out: 'run' })
  .stopping({ stopIterations: 3 });
${hook === '' ? '' : `config.callbacks({ onIterationEnd: ({ result }) => { ${hook} } });`}
await config.run(${options});
`,
  );
  return path;
}

const args = (path: string) => ['--import', TSX, path];
const run = (path: string) => {
  const { stdout, stderr, status } = spawnSync(process.execPath, args(path), {
    cwd: join(path, '..'),
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  return { stdout, stderr };
};

test('without a terminal a script prints what it prints itself', () => {
  expect(run(script('', 'console.log("own " + result.iteration);'))).toEqual({
    stdout: 'own 1\nown 2\nown 3\n',
    stderr: '',
  });
});

test('progress: true prints what the command line prints', () => {
  const { stdout, stderr } = run(script('{ progress: true }'));
  expect(stdout).toMatch(/^\S.*\bPPO|ppo/);
  expect(stdout).toMatch(/^Run folder: .*run$/m);
  expect(stdout).toMatch(/^iteration 1 {2}32 steps {2}33%.* return .* KL /m);
  expect(stdout).toMatch(/^evaluation after iteration 2: return .* over 3 episodes$/m);
  expect(stdout).toMatch(/^stopped by +stopIterations$/m);
  expect(stderr).toBe('');
});

test.skipIf(!hasTerminals)(
  'a terminal is shown it without being asked, and progress: false takes it away',
  () => {
    const inTerminal = (path: string) => {
      const spawn = 'import pty, sys, os; os.chdir(sys.argv[1]); sys.exit(pty.spawn(sys.argv[2:]) >> 8)';
      const argv = ['-c', spawn, join(path, '..'), process.execPath, ...args(path)];
      const { stdout, stderr, status } = spawnSync('python3', argv, { encoding: 'utf8', input: '' });
      expect(status, stdout + stderr).toBe(0);
      return stdout.replaceAll('\r\n', '\n');
    };
    const shown = inTerminal(script('', 'console.log("own " + result.iteration);'));
    expect(shown).toContain('\r\u001b[2K32 steps  33%');
    // every line that a hook prints is whole: the live line was taken away before it
    expect(shown.split('\n').flatMap((line) => line.split('\r\u001b[2K'))).toEqual(
      expect.arrayContaining(['own 1', 'own 2', 'own 3']),
    );
    expect(shown).toMatch(/stopped by +stopIterations\n/);
    expect(inTerminal(script('{ progress: false }'))).toBe('');
  },
);
