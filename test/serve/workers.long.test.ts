/** Several processes behind one port: the same models in all of them, also in those that replace dead ones. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadPolicy, PPOConfig } from '../../src/index.ts';
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

test('lazily: a model counts as loaded where any process has it, and a checkpoint that has gone keeps no successor out', {
  timeout: 120_000,
}, async () => {
  const events: { event: string; pid?: number }[] = [];
  const gone = join(folder, 'gone');
  cpSync(join(run, 'checkpoints/000001'), gone, { recursive: true });
  const policies = [
    { name: 'cart', path: join(run, 'checkpoints/000001') },
    { name: 'gone', path: gone },
  ];
  const log = (line: string) => void events.push(JSON.parse(line));
  const options = { port: 0, workers: 2, reloadMs: 0, timeoutMs: 60_000, lazy: true };
  const lazy = await createPolicyServer({ ...options, policies, log });
  try {
    expect(lazy.url).not.toBe(server.url); // `node:cluster` would give both of them one port
    const states = async () =>
      (await lazy.models.list()).map(({ name, isLoaded, bytes }) => [name, isLoaded, bytes > 0]);
    expect(await states()).toEqual([
      ['cart', false, false],
      ['gone', false, false],
    ]);
    const actAs = (model: string) =>
      postJson(`${lazy.url}/act`, { model, observation: [0.1, 0, 0, 0] }) as Promise<object>;
    expect(await actAs('cart')).toHaveProperty('action');
    expect(await states()).toEqual([
      ['cart', true, true],
      ['gone', false, false],
    ]);
    rmSync(gone, { recursive: true });
    process.kill(Number(events.find(({ event }) => event === 'registered')?.pid), 'SIGKILL');
    const numReplaced = () => events.filter(({ event }) => event === 'process replaced').length;
    await expect.poll(numReplaced, { timeout: 60_000 }).toBe(1);
    for (let k = 0; k < 8; k++) expect(await actAs('cart')).toHaveProperty('action');
    expect(await actAs('gone')).toMatchObject({ code: 'SERVE_LOAD' });
  } finally {
    await lazy.close();
  }
});

test('an episode stays with its connection: another process refuses its steps, and never acts out of a fresh state', {
  timeout: 120_000,
}, async () => {
  const algorithm = await new PPOConfig()
    .environment('CartPoleNoVelocity-v0')
    .envRunners({ numEnvRunners: 0, numEnvs: 4, rolloutLength: 32 })
    .training({ recurrent: 'gru', recurrentSize: 8, sequenceLength: 16, hiddenSizes: [8], policyGain: 3 })
    .build();
  await server.models.load({ name: 'memory', path: await algorithm.save(join(folder, 'memory')) });
  await algorithm.stop();
  const actor = (await loadPolicy(join(folder, 'memory'))).actor();
  const observations = Array.from({ length: 60 }, (_, t) => [Math.sin(t), Math.cos(t) / 5]);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const step = (body: object, of?: Agent) => postJson(`${server.url}/act`, { model: 'memory', ...body }, of);
  for (const [t, observation] of observations.entries()) {
    const body = { session: 'a', observation };
    const other = t === 0 ? null : await step(body); // a connection of its own: moves the episode on where it is in the same process
    if (other !== null && other.code !== 'SERVE_SESSION_UNKNOWN')
      expect(other.action).toBe(actor.act(observation));
    const { action } = await step({ ...body, reset: t === 0 }, agent);
    expect(action).toBe(actor.act(observation));
  }
  agent.destroy();
});

function postJson(url: string, body: object, agent?: Agent): Promise<{ action?: unknown; code?: string }> {
  const headers = agent === undefined ? { connection: 'close' } : {};
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent: agent ?? false, headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(JSON.parse(text)));
    });
    sent.on('error', reject).end(JSON.stringify(body));
  });
}
