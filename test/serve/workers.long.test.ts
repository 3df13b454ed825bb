/** Several processes behind one port: the same models in all of them, also in those that replace dead ones. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPolicyServer, type PolicyServer } from '../../src/serve/policy-server.ts';
import { shippedCheckpoint } from '../reference/shipped-policies.ts';

const folder = mkdtempSync(join(tmpdir(), 'operant-workers-'));
const run = join(folder, 'run');
const logged: { event: string; pid?: number }[] = [];
let server: PolicyServer;
beforeAll(async () => {
  cpSync(await shippedCheckpoint('ppo, categorical'), join(run, 'checkpoints/000001'), { recursive: true });
  writeFileSync(join(run, 'latest'), 'checkpoints/000001\n');
  server = await createPolicyServer({
    policies: [{ name: 'cart', path: run }],
    port: 0,
    adminPort: 0,
    workers: 2,
    reloadMs: 0,
    timeoutMs: 60_000,
    log: (line) => void logged.push(JSON.parse(line)),
  });
}, 120_000);
afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(): Promise<{ status: number; version?: string } | 'lost'> {
  const headers = { connection: 'close' }; // another connection, perhaps another process
  const body = '{"observation": [0.1, 0, 0, 0]}';
  try {
    const response = await fetch(`${server.url}/act`, { method: 'POST', body, headers });
    return { status: response.status, ...((await response.json()) as object) };
  } catch {
    return 'lost';
  }
}
const versions = async () =>
  new Set((await Promise.all(Array.from({ length: 20 }, ask))).map((answer) => Object(answer).version));
const metrics = async () => (await fetch(`${server.adminUrl}/metrics`)).text();

test('answer behind one port, follow the pointer together, and count together', {
  timeout: 120_000,
}, async () => {
  expect(await versions()).toEqual(new Set(['000001']));
  cpSync(join(run, 'checkpoints/000001'), join(run, 'checkpoints/000002'), { recursive: true });
  writeFileSync(join(run, 'latest'), 'checkpoints/000002\n');
  await server.models.reload();
  expect(await versions()).toEqual(new Set(['000002']));
  await server.models.setDefault('cart', '000001');
  expect(await versions()).toEqual(new Set(['000001']));
  const text = await metrics();
  expect(text).toMatch(/operant_serve_processes 2/);
  expect(text).toMatch(/operant_serve_requests_total\{code="200"\} 60/);
  expect(text).toMatch(/operant_serve_reloads_total\{result="success"\} 1/);
});

test('what one cannot load, none keeps', { timeout: 120_000 }, async () => {
  await expect(server.models.load({ name: 'cart', path: join(folder, 'none') })).rejects.toThrow();
  expect((await server.models.list()).map(({ version }) => version).sort()).toEqual(['000001', '000002']);
});

test('a process that dies while versions are switched has no say: all are on the new one, and so is its successor', {
  timeout: 120_000,
}, async () => {
  process.kill(Number((await pids()).split(' ')[0]), 'SIGKILL');
  await server.models.setDefault('cart', '000002');
  await expect.poll(metrics, { timeout: 60_000 }).toMatch(/operant_serve_processes 2/);
  expect(await versions()).toEqual(new Set(['000002']));
  await server.models.setDefault('cart', '000001');
});

test('a successor knows the versions that nobody gets yet, and the canary', {
  timeout: 120_000,
}, async () => {
  await server.models.stage({ name: 'cart', path: join(run, 'checkpoints/000001'), version: 'next' });
  await server.models.setCanary('cart', { version: 'next', percent: 100 });
  const before = new Set((await pids()).split(' '));
  for (const pid of before) {
    process.kill(Number(pid), 'SIGKILL');
    await expect.poll(pids, { timeout: 60_000 }).not.toContain(pid);
    await expect.poll(metrics, { timeout: 60_000 }).toMatch(/operant_serve_processes 2/);
  }
  expect(await versions()).toEqual(new Set(['next']));
  await server.models.setCanary('cart', null);
  expect(await versions()).toEqual(new Set(['000001']));
});

test('a killed process is replaced, with the same default; a request is answered, or its connection ends', {
  timeout: 600_000,
}, async () => {
  const numKills = Number(process.env.OPERANT_SERVE_KILLS ?? 5);
  let isDone = false;
  const client = async () => {
    const answers: Awaited<ReturnType<typeof ask>>[] = [];
    while (!isDone) answers.push(await ask());
    return answers;
  };
  const clients = [client(), client()];
  for (let k = 0; k < numKills; k++) {
    const before = new Set((await pids()).split(' '));
    process.kill(Number([...before][k % 2]), 'SIGKILL');
    await expect
      .poll(async () => (await pids()).split(' ').filter((pid) => !before.has(pid)).length, {
        timeout: 60_000,
      })
      .toBe(1);
    await expect.poll(metrics, { timeout: 60_000 }).toMatch(/operant_serve_processes 2/);
  }
  isDone = true;
  const answers = (await Promise.all(clients)).flat();
  const answered = answers.filter((answer) => answer !== 'lost');
  expect(answered.every(({ status, version }) => status === 200 && version === '000001')).toBe(true);
  expect(answers.length - answered.length).toBeLessThanOrEqual(2 * numKills); // what was on its way, at most
  expect(logged.filter(({ event }) => event === 'process replaced')).toHaveLength(3 + numKills); // and those above
});

/** Of the processes that answer, as they say it themselves in the log when they load a model. */
async function pids(): Promise<string> {
  const ended = new Set(logged.filter(({ event }) => event === 'process ended').map(({ pid }) => pid));
  const begun = new Set(logged.filter(({ event }) => event === 'loaded').map(({ pid }) => pid));
  return [...begun].filter((pid) => !ended.has(pid)).join(' ');
}
