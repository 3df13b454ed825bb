/** `operant new env`: what it writes is sound, is learnt from, and can be watched. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decode as decodePng } from 'fast-png';
import { decodeFrames } from 'modern-gif';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operant } from './run-in-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
// Inside the repository, so that tsx is found from there.
const folder = join(root, 'node_modules', '.cache', `operant-new-env-${process.pid}`);

beforeAll(() => {
  // The package as a user has it installed, but from source.
  const installed = join(folder, 'node_modules', 'operant');
  mkdirSync(installed, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(installed, 'package.json'), '{"name":"operant","type":"module","exports":"./index.ts"}');
  writeFileSync(join(installed, 'index.ts'), "export * from '../../../../../src/index.ts';\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each([
  ['ts', []],
  ['js', ['--js']],
] as const)('%s', (extension, flags) => {
  const name = `my-${extension}-env`;

  it('writes an environment and its test, which passes', async () => {
    const { exitCode, stdout } = await operant('new', 'env', name, '--out', folder, ...flags);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`${name}.${extension} --stop-return`);
    expect(stdout).toMatch(
      /operant check --env .*\n[\s\S]*--out runs\/\S+\n[\s\S]*Watch it: .* --checkpoint runs\/\S+ --env/,
    );
    const source = readFileSync(join(folder, `${name}.${extension}`), 'utf8');
    expect(/: Env|: number| as \{/.test(source)).toBe(extension === 'ts');
    execFileSync(process.execPath, ['--import', 'tsx', '--test', `${name}.test.${extension}`], {
      cwd: folder,
    });
  });
});

it('writes .mjs where Node takes .js as CommonJS', async () => {
  const project = join(folder, 'commonjs');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"type":"commonjs"}');
  const { stdout } = await operant('new', 'env', 'mine', '--js', '--out', project);
  expect(stdout).toContain('mine.play.mjs');
  execFileSync(process.execPath, ['--import', 'tsx', '--test', 'mine.test.mjs'], { cwd: project });
});

it('overwrites nothing, and explains what it wants', async () => {
  const again = await operant('new', 'env', 'my-ts-env', '--out', folder);
  expect([again.exitCode, again.stderr]).toEqual([2, expect.stringContaining('is there already')]);
  for (const argv of [[], ['env'], ['env', 'My Env'], ['agent', 'x'], ['env', '--js']]) {
    const { exitCode, stderr } = await operant('new', ...argv);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('operant new env <name>')]);
  }
  expect((await operant('new', '--help')).stdout).toContain('Usage: operant new env');
});

it('can be trained by the printed command, evaluated, watched and filmed', async () => {
  const env = join(folder, 'my-ts-env.ts');
  const run = join(folder, 'run');
  const trained = await operant(
    'train',
    '--env',
    env,
    '--stop-return',
    '0.5',
    '--stop-steps',
    '300000',
    '--out',
    run,
    '--json',
    '--num-env-runners',
    '1',
    '--seed',
    '1',
  );
  expect(trained.exitCode, trained.stderr).toBe(0);
  expect(trained.json().at(-1)).toMatchObject({ type: 'summary', stopReason: 'stopReturn' });
  const watched = await operant('evaluate', '--checkpoint', run, '--trust', '--watch');
  expect(watched.exitCode).toBe(0);
  expect(watched.stdout).toMatch(/-*@-*.*\nstep 1, return/);
  const film = join(folder, 'x.gif');
  const filmed = await operant('evaluate', '--checkpoint', run, '--trust', '--render', film, '--json');
  expect([filmed.exitCode, filmed.stderr]).toEqual([0, '']);
  const { length } = filmed.json()[0];
  expect(decodeFrames(Uint8Array.from(readFileSync(film)))).toHaveLength((length as number) + 1);
  // The program beside it, which looks in the folder that it is run from.
  cpSync(run, join(folder, 'runs/my-ts-env'), { recursive: true });
  const play = ['--import', 'tsx', 'my-ts-env.play.ts'];
  expect(execFileSync(process.execPath, play, { cwd: folder, encoding: 'utf8' })).toMatch(
    /-*@-*.*\nreturn -?\d\.\d{3}\n$/,
  );
});

describe('evaluate --render', () => {
  const run = join(folder, 'cart');
  beforeAll(async () => {
    const { exitCode, stderr } = await operant(
      'train',
      '--env',
      'CartPole',
      '--stop-iterations',
      '1',
      '--out',
      run,
      '--num-env-runners',
      '0',
      '--quiet',
    );
    expect(exitCode, stderr).toBe(0);
  });

  it('writes a GIF of the episode, alike for the same seed', async () => {
    const play = async (file: string) => {
      const result = await operant(
        'evaluate',
        '--checkpoint',
        run,
        '--render',
        file,
        '--seed',
        '3',
        '--json',
      );
      return result.json()[0];
    };
    const [first, second] = [await play(join(folder, 'a.gif')), await play(join(folder, 'b.gif'))];
    expect(decodeFrames(Uint8Array.from(readFileSync(join(folder, 'a.gif'))))).toHaveLength(
      (first.length as number) + 1,
    );
    expect({ ...second, files: [] }).toEqual({ ...first, files: [] });
    expect(first.episodeReturn).toBe(first.length);
  });

  it('writes the last picture as PNG', async () => {
    await operant('evaluate', '--checkpoint', run, '--render', join(folder, 'last.png'));
    expect(decodePng(readFileSync(join(folder, 'last.png')))).toMatchObject({ width: 400, height: 160 });
    expect(readdirSync(folder).filter((name) => name.endsWith('.png'))).toEqual(['last.png']);
    const seated = await operant('evaluate', '--checkpoint', run, '--watch', '--policy-for', '{}');
    expect([seated.exitCode, seated.stderr]).toEqual([2, expect.stringContaining('--policy-for')]);
    const { exitCode, stderr } = await operant('evaluate', '--checkpoint', run, '--render', 'x.mp4');
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('.gif or .png')]);
  });
});
