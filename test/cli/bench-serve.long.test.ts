/** `operant bench-serve` as it is typed, against servers that run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeRecurrentPolicy } from '../../bench/serve/policies.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { createPolicyServer, type PolicyServer } from '../../src/serve/policy-server.ts';
import { shippedCheckpoint } from '../reference/shipped-policies.ts';

const TOKEN = 'a-token-of-the-test';
const folder = mkdtempSync(join(tmpdir(), 'operant-bench-serve-'));
let server: PolicyServer;
beforeAll(async () => {
  const policies = [
    { name: 'cart', path: await shippedCheckpoint('ppo, categorical') },
    { name: 'parts', path: await shippedCheckpoint('ppo, masks, several components, statistics') },
    { name: 'memory', path: await makeRecurrentPolicy(folder) },
  ];
  server = await createPolicyServer({ policies, port: 0, tokens: [TOKEN], timeoutMs: 60_000 });
  process.env.OPERANT_SERVE_TOKEN = TOKEN;
}, 120_000);
afterAll(async () => {
  delete process.env.OPERANT_SERVE_TOKEN;
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function bench(...argv: string[]) {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({
    write(text: string | Uint8Array) {
      written[name] += String(text);
      return true;
    },
  });
  const all = ['bench-serve', '--url', server.url, '--seconds', '1', ...argv];
  const status = await runCommand(all, { stdout: stream('stdout'), stderr: stream('stderr') });
  return { status, ...written };
}

const PARTS = '{"place": 1, "speed": [100, 0]}';

test.each([
  ['a flat row over HTTP', ['--model', 'cart'], 'json'],
  ['parts and a mask over HTTP', ['--model', 'parts', '--observation', PARTS], 'json'],
  ['a session each over HTTP', ['--model', 'memory', '--priority', '1'], 'json'],
  ['frames', ['--model', 'cart', '--protocol', 'websocket', '--connections', '2'], 'websocket'],
  ['frames with masks', ['--model', 'parts', '--protocol', 'websocket'], 'websocket'],
  ['frames of an episode a connection', ['--model', 'memory', '--protocol', 'websocket'], 'websocket'],
  ['frames by the clock', ['--model', 'cart', '--protocol', 'websocket', '--rate', '50'], 'websocket'],
])('asks %s, and is answered', { timeout: 60_000 }, async (_, argv, protocol) => {
  const { status, stdout, stderr } = await bench(...argv, '--json');
  expect([status, stderr]).toEqual([0, '']);
  const { answers, numLost, latencyMs, ...told } = JSON.parse(stdout);
  expect(told).toMatchObject({ model: argv[1], protocol });
  expect([Object.keys(answers), numLost]).toEqual([['200'], 0]);
  expect(answers[200]).toBeGreaterThan(0);
  expect(latencyMs.p50).toBeLessThanOrEqual(latencyMs.max);
});

test('tells it in lines', async () => {
  const { stdout } = await bench('--model', 'cart', '--rate', '20');
  expect(stdout).toMatch(/^cart at http.* over json, 32 connections, 20 requests\/s by the clock\n/);
  expect(stdout).toMatch(/^latency, ms {2}mean [\d.]+ {2}p50 [\d.]+ .*max [\d.]+$/m);
  expect(stdout).toMatch(/^answers {6}200: \d+$/m);
});

test.each([
  [[], 'one of cart, parts, memory'],
  [['--model', 'cart', '--protocol', 'grpc'], '--protocol'],
  [['--model', 'parts'], '--observation'],
  [['--model', 'cart', '--protocol', 'websocket', '--observation', '[0]'], '--observation is for'],
  [['--url', 'localhost:8000'], '--url'],
  [['--url', 'http://127.0.0.1:1'], 'Nothing answers'],
])('%j is refused', async (argv, said) => {
  const { status, stderr } = await bench(...argv);
  expect(status).toBe(2);
  expect(stderr).toContain(said);
});
