/** `operant export` and `operant serve` as they are typed. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runCommand } from '../../src/cli/run-command.ts';
import { shippedCheckpoint } from '../reference/shipped-policies.ts';
import { temporaryFolder } from '../temporary-folder.ts';

async function run(...argv: string[]) {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({
    write: (text: string | Uint8Array) => {
      written[name] += String(text);
      return true;
    },
  });
  const status = await runCommand(argv, { stdout: stream('stdout'), stderr: stream('stderr') });
  return { status, ...written };
}

test('export writes and verifies', async () => {
  const out = join(temporaryFolder(), 'policy.mjs');
  const checkpoint = await shippedCheckpoint('ppo, categorical');
  const { status, stdout, stderr } = await run(
    'export',
    '--checkpoint',
    checkpoint,
    '--to',
    'js',
    '--out',
    out,
    '--verify',
  );
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/outputs: action, logits, probabilities, value\nverified: 16 observations in Node/);
  expect(readFileSync(out, 'utf8')).toContain('export function verify');
});

test.each([
  [['export', '--to', 'js', '--out', 'x'], '--checkpoint'],
  [['export', '--checkpoint', 'x', '--to', 'js'], '--out'],
  [['serve'], '--policy'],
  [['serve', '--policy', 'x', '--port', 'http'], '--port'],
])('%j is refused by the name of what is missing', async (argv, name) => {
  const { status, stderr } = await run(...argv);
  expect(status).toBe(2);
  expect(stderr).toContain(name);
});

test('serve answers until SIGTERM', async () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const policy = `cart=${await shippedCheckpoint('ppo, categorical')}`;
  const flags = [
    '--import',
    './.ci/typescript.mjs',
    'src/cli/main.ts',
    'serve',
    '--policy',
    policy,
    '--port',
    '0',
  ];
  const child = spawn(process.execPath, flags, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    const url = await new Promise<string>((resolve, reject) => {
      child.stderr.on('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
      child.on('exit', (code) => reject(new Error(`It ended with ${code}.`)));
    });
    const response = await fetch(`${url}/act`, { method: 'POST', body: '{"observation": [0, 0, 0, 0]}' });
    expect(await response.json()).toMatchObject({ model: 'cart', action: expect.any(Number) });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  } finally {
    child.kill('SIGKILL');
  }
});
