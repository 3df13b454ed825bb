/** A server as clients meet it: real sockets, real policies. */
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadPolicy } from '../../src/index.ts';
import { createPolicyServer, type PolicyServer } from '../../src/serve/policy-server.ts';
import { shippedCheckpoint } from '../reference/shipped-policies.ts';

const TOKEN = 'a token of many letters';
let folder: string;
let run: string;
let server: PolicyServer;
const lines: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'operant-serve-'));
  run = join(folder, 'run');
  cpSync(await shippedCheckpoint('ppo, categorical'), join(run, 'checkpoints/000001'), { recursive: true });
  writeFileSync(join(run, 'latest'), 'checkpoints/000001\n');
  server = await createPolicyServer({
    policies: [
      { name: 'cart', path: run },
      { name: 'masked', path: await shippedCheckpoint('ppo, masks, several components, statistics') },
      { name: 'pendulum', path: await shippedCheckpoint('sac') },
    ],
    port: 0,
    adminPort: 0,
    tokens: [TOKEN],
    reloadMs: 0,
    maxBodyBytes: 4096,
    timeoutMs: 60_000,
    log: (line) => void lines.push(line),
  });
});
afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const authorization = `Bearer ${TOKEN}`;
async function ask(path: string, body?: unknown, headers: Record<string, string> = { authorization }) {
  const url = path.startsWith('http') ? path : server.url + path;
  const options =
    body === undefined
      ? {}
      : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) };
  const response = await fetch(url, { ...options, headers });
  const text = await response.text();
  return {
    status: response.status,
    text,
    json: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : null,
  };
}

describe('POST /act', () => {
  test('answers as the policy does', async () => {
    const policy = await loadPolicy(run);
    const observations = Array.from({ length: 40 }, (_, k) => [
      Math.sin(k),
      Math.cos(k),
      Math.sin(2 * k),
      k / 40,
    ]);
    const expected = policy.actBatch(observations);
    const answers = await Promise.all(
      observations.map((observation) => ask('/act', { model: 'cart', observation })),
    );
    expect(answers.map(({ json }) => json)).toEqual(
      expected.map((action) => ({ action, model: 'cart', version: '000001' })),
    );
    const { json } = await ask('/act', { model: 'pendulum', observation: [0, 1, 0] });
    expect(json.action).toHaveLength(1);
  });

  test('with a mask', async () => {
    const observation = { place: 1, speed: [100, 0] };
    const { json } = await ask('/act', { model: 'masked', observation, actionMask: [0, 0, 1, 0, 1] });
    expect(json.action).toEqual([2, 1]);
  });

  const observation = [0, 0, 0, 0];
  test.each([
    ['no JSON', '{', 400, 'SERVE_REQUEST'],
    ['a list', [], 400, 'SERVE_REQUEST'],
    ['a field that is unknown', { model: 'cart', observation, obs: 1 }, 400, 'SERVE_REQUEST'],
    ['a wrong shape', { model: 'cart', observation: [0] }, 400, 'SERVE_REQUEST'],
    ['what is not finite', '{"model": "cart", "observation": [1e999, 0, 0, 0]}', 400, 'SERVE_REQUEST'],
    [
      'a mask that is missing',
      { model: 'masked', observation: { place: 1, speed: [0, 0] } },
      400,
      'SERVE_REQUEST',
    ],
    [
      'a mask that is none',
      { model: 'masked', observation: { place: 1, speed: [0, 0] }, actionMask: 7 },
      400,
      'SERVE_REQUEST',
    ],
    ['a level that is not there', { model: 'cart', observation, priority: 3 }, 400, 'SERVE_REQUEST'],
    ['no time', { model: 'cart', observation, timeoutMs: 0 }, 400, 'SERVE_REQUEST'],
    ['no model, of several', { observation }, 404, 'SERVE_MODEL'],
    ['a model that is unknown', { model: 'x', observation }, 404, 'SERVE_MODEL'],
    ['a version that is unknown', { model: 'cart', version: '2', observation }, 404, 'SERVE_MODEL'],
    ['a large body', { model: 'cart', observation: new Array(200_000).fill(0) }, 413, 'SERVE_BODY'],
  ])('refuses %s', async (_, body, status, code) => {
    const answer = await ask('/act', body);
    expect([answer.status, answer.json.code]).toEqual([status, code]);
    expect(answer.json.error).toMatch(/\S/);
  });

  test('refuses who has no token, but says that it lives', async () => {
    for (const headers of [{}, { authorization: 'Bearer' }, { authorization: `Bearer ${TOKEN}x` }])
      expect((await ask('/act', { model: 'cart', observation }, headers as never)).status).toBe(401);
    expect((await ask('/health/live', undefined, {})).json).toEqual({ live: true });
    expect((await ask('/v2/health/ready', undefined, {})).status).toBe(200);
    for (const path of ['/v2/models/health/ready', '/v2/models/cart/versions/health/ready', '/x/health/live'])
      expect((await ask(path, undefined, {})).status, path).toBe(401);
  });

  test('survives what is no HTTP', async () => {
    const { port } = new URL(server.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.end('\0\u0001 nonsense\r\n\r\n'));
      socket
        .on('close', () => resolve())
        .on('error', () => undefined)
        .resume();
    });
    expect((await ask('/act', { model: 'cart', observation })).status).toBe(200);
    expect((await ask('/act')).status).toBe(405);
    expect((await ask('/nothing')).status).toBe(404);
  });
});

test('speaks the open inference protocol v2', async () => {
  expect((await ask('/v2/models/cart')).json).toMatchObject({
    inputs: [{ name: 'observation', datatype: 'FP32', shape: [-1, 4] }],
    outputs: [{ name: 'action', datatype: 'INT32', shape: [-1, 1] }],
    versions: ['000001'],
  });
  const rows = [
    [1, 0, 0, 0.5],
    [-1, 0, 0, -0.5],
  ];
  const input = { name: 'observation', shape: [2, 4], datatype: 'FP32', data: rows.flat() };
  const { json } = await ask('/v2/models/cart/infer', {
    id: '7',
    inputs: [input],
    parameters: { priority: 1 },
  });
  const data = (await loadPolicy(run)).actBatch(rows);
  expect(json).toEqual({
    model_name: 'cart',
    model_version: '000001',
    id: '7',
    outputs: [{ name: 'action', datatype: 'INT32', shape: [2, 1], data }],
  });
  const wrong = await ask('/v2/models/cart/infer', { inputs: [{ ...input, shape: [4, 2] }] });
  expect([wrong.status, wrong.json.code]).toEqual([400, 'SERVE_REQUEST']);
});

test('describes itself', async () => {
  expect((await ask('/openapi.json')).json.paths['/act'].post.summary).toMatch(/action/);
  expect((await ask('/')).text).toContain('<h1>Policies</h1>');
});

test('takes up a new checkpoint while requests come, without one that fails; rolls back; refuses a broken one', async () => {
  const observation = [0.1, 0.2, 0.3, 0.4];
  const act = async () => (await ask('/act', { model: 'cart', observation })).json;
  cpSync(join(run, 'checkpoints/000001'), join(run, 'checkpoints/000002'), { recursive: true });
  writeFileSync(join(run, 'latest'), 'checkpoints/000002\n');
  const during = Array.from({ length: 50 }, act);
  await server.models.reload();
  for (const { action, version } of await Promise.all(during)) {
    expect(action).toBeTypeOf('number');
    expect(['000001', '000002']).toContain(version);
  }
  expect((await act()).version).toBe('000002');

  const admin = server.adminUrl ?? '';
  expect((await ask(`${admin}/models/cart/default`, { version: '000001' })).status).toBe(200);
  expect((await act()).version).toBe('000001');
  await server.models.reload(); // the pointer has not moved since
  expect((await act()).version).toBe('000001');

  writeFileSync(join(run, 'latest'), 'checkpoints/000009\n');
  await server.models.reload();
  expect((await act()).version).toBe('000001');
  expect(lines.join()).toContain('reload failed');
  expect((await ask(`${admin}/models/cart/load`, { path: join(folder, 'none') })).status).toBe(422);
  expect((await ask(`${admin}/models/cart/unload`, { version: '000001' })).status).toBe(409);
  expect((await ask(`${admin}/models/cart/unload`, { version: '000002' })).status).toBe(200);
  await server.models.reload(); // unloaded, and the pointer names another that is not there
  expect((await server.models.list()).filter(({ name }) => name === 'cart')).toHaveLength(1);
  expect((await ask(`${admin}/models`, undefined, {})).status).toBe(401);
});

test('counts, and does not take who goes away for a failure of its own', async () => {
  const { port } = new URL(server.url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(
    `POST /act HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-length: 9\r\n\r\n{`,
  );
  const inFlight = async () => (await ask(`${server.adminUrl}/metrics`)).text.match(/in_flight (\d+)/)?.[1];
  await expect.poll(inFlight, { timeout: 60_000 }).toBe('1');
  socket.destroy();
  await expect.poll(inFlight, { timeout: 60_000 }).toBe('0');
  const { text } = await ask(`${server.adminUrl}/metrics`);
  expect(text).toMatch(/operant_serve_requests_total\{code="200"\} \d+/);
  expect(text).not.toContain('requests_total{code="500"}');
  expect(text).toMatch(/operant_serve_batch_size_count\{model="cart",version="000001"\} \d+/);
  expect(text).not.toContain('version="000002"'); // unloaded since
  expect(text).toMatch(/operant_serve_queue_depth\{model="cart",version="\d+",priority="2"\} 0/);
  expect(text).toMatch(/operant_serve_reloads_total\{result="failure"\} 1/);
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('closes when what it has is answered, and takes no more', async () => {
  const path = await shippedCheckpoint('dqn');
  const closing = await createPolicyServer({ policies: [{ name: 'q', path }], port: 0, adminPort: 0 });
  const body = JSON.stringify({ observation: [0, 0, 0, 0] });
  const begun = Array.from({ length: 20 }, () => {
    const socket = connect(Number(new URL(closing.url).port), '127.0.0.1');
    socket.write(`POST /act HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n{`);
    return socket;
  });
  const inFlight = async () =>
    (await (await fetch(`${closing.adminUrl}/metrics`)).text()).match(/in_flight (\d+)/)?.[1];
  await expect.poll(inFlight, { timeout: 60_000 }).toBe('20');
  const closed = closing.close();
  const answers = begun.map(async (socket) => {
    socket.write(body.slice(1));
    let text = '';
    for await (const chunk of socket) text += chunk;
    return text;
  });
  for (const answer of await Promise.all(answers))
    expect(answer).toMatch(/^HTTP\/1.1 200 OK[\s\S]*"action":/);
  await closed;
  await expect(fetch(`${closing.url}/health/live`)).rejects.toThrow();
});

test('closes under connections that have sent half a request, or none', async () => {
  const policies = [{ name: 'q', path: await shippedCheckpoint('dqn') }];
  const closing = await createPolicyServer({ policies, port: 0, adminPort: 0 });
  const half = [
    '',
    'POST /act HTTP/1.1\r\nhost: x\r\n',
    'POST /act HTTP/1.1\r\ncontent-length: 9\r\nhost: x\r\n\r\n{',
  ];
  const gone = [closing.url, closing.adminUrl ?? ''].flatMap((url) =>
    half.map(async (text) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
        .on('error', () => undefined)
        .resume();
      await once(socket, 'connect');
      socket.write(text);
      return { closed: new Promise((resolve) => socket.on('close', resolve)) };
    }),
  );
  const sockets = await Promise.all(gone);
  await closing.close();
  await Promise.all(sockets.map(({ closed }) => closed));
});

test.each([
  [{ host: '0.0.0.0' }, /Serving on 0.0.0.0/],
  [{ tokens: ['short'] }, /16 characters/],
  [{ policies: [] }, /at least one policy/],
  [{ defaultPriority: 3 }, /`defaultPriority` to be an integer from 1 to 2/],
  [{ maxQueued: 0 }, /`maxQueued`/],
  [{ adminPort: 70_000 }, /`adminPort` to be an integer from 0 to 65535/],
])('refuses to begin with %j', async (options, message) => {
  const policies = [{ name: 'q', path: await shippedCheckpoint('dqn') }];
  await expect(createPolicyServer({ policies, port: 0, ...options })).rejects.toThrow(message);
});
