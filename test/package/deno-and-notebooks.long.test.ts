/** The packed package in Deno, and in notebooks: the kernels of tslab (Node) and of Deno, spoken to as Jupyter does. */
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { packedTarball, runCommand, temporaryProject } from './packed-project.ts';

vi.setConfig({ testTimeout: 300_000 });

const FIXTURES = fileURLToPath(new URL('./fixtures/', import.meta.url));
/** A Python that has jupyter_client; `.ci/run` makes one. */
const python = process.env.OPERANT_JUPYTER_PYTHON ?? '';

/** What a notebook does: state lives on from cell to cell, also a running algorithm with a thread. */
const CELLS = [
  "import { writeFileSync } from 'node:fs';\nimport { listEnvs, loadPolicy, PPOConfig } from 'operant';",
  `const config = (env: string) => new PPOConfig()
  .environment(env)
  .envRunners({ numEnvRunners: 1, numEnvs: 4, rolloutLength: 16 })
  .training({ minibatchSize: 32, numEpochs: 1, hiddenSizes: [8] });
const algorithm = await config('CartPole').build();
await algorithm.train();`,
  `const second = await algorithm.train();
const path = await algorithm.save('NAME-checkpoint');
await algorithm.stop();`,
  `const own = await config('./walk.ts#walk').build();
const { numEnvSteps } = await own.train();
await own.stop();
const action = (await loadPolicy(path)).actor().act([0, 0, 0, 0]);
const isKnown = listEnvs().some(({ id }) => id === 'CartPole-v1');
writeFileSync('NAME.json', JSON.stringify([isKnown, typeof action, second.numEnvSteps, numEnvSteps]));`,
];

let folder: string;
const bin = (name: string) => join(folder, 'node_modules/.bin', name);

beforeAll(() => {
  folder = temporaryProject('deno');
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  for (const file of ['script.ts', 'walk.ts']) copyFileSync(join(FIXTURES, file), join(folder, file));
  const flags = ['--silent', '--no-audit', '--no-fund', '--ignore-scripts'];
  const tools = ['deno@2', 'tslab@1', 'typescript@5'];
  const installed = runCommand('npm', ['install', ...flags, packedTarball(), ...tools], folder);
  if (installed.status !== 0) throw new Error(`npm install failed:\n${installed.stderr}`);
}, 600_000);
afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

test('Deno runs a program with it, threads and a TypeScript environment included', () => {
  const { stdout, stderr, status } = runCommand(bin('deno'), ['run', '-A', 'script.ts'], folder);
  expect(stdout, stderr).toBe('[true,"number",64,"CONFIG_ENV_UNKNOWN"]\n');
  expect(status, stderr).toBe(0);
});

test('Deno runs the command line', () => {
  const main = 'node_modules/operant/dist/src/cli/main.js';
  const args = ['train', '--env', './walk.ts#walk', '--stop-iterations', '1', '--json', '--out', 'run'];
  const { stdout, stderr, status } = runCommand(bin('deno'), ['run', '-A', main, ...args], folder);
  expect(status, stderr).toBe(0);
  expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ stopReason: 'stopIterations' });
});

test('is tried in notebooks where that is asked for', () => {
  expect(python !== '' || process.env.OPERANT_REQUIRE_NOTEBOOKS !== '1').toBe(true);
});

describe.skipIf(python === '')('a notebook', () => {
  test.each([
    ['tslab', () => [process.execPath, bin('tslab'), 'kernel', '--config-path', '{connection_file}']],
    ['deno', () => [bin('deno'), 'jupyter', '--kernel', '--conn', '{connection_file}']],
  ])('of %s trains over several cells', (name, command) => {
    const cells = CELLS.map((cell) => cell.replaceAll('NAME', name));
    const args = [join(FIXTURES, 'run-cells.py'), JSON.stringify(command()), JSON.stringify(cells)];
    const { stderr, status } = runCommand(python, args, folder);
    expect(status, stderr).toBe(0);
    expect(JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'))).toEqual([true, 'number', 128, 64]);
  });
});
