/** Binary frames over real sockets; and who may open one. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { loadPolicy } from '../../src/index.ts';
import { createPolicyServer, type PolicyServer } from '../../src/serve/policy-server.ts';
import { shippedCheckpoint } from '../reference/shipped-policies.ts';

const TOKEN = 'a-token-of-many-letters';
let server: PolicyServer;
beforeAll(async () => {
  server = await createPolicyServer({
    policies: [
      { name: 'cart', path: await shippedCheckpoint('ppo, categorical') },
      { name: 'masked', path: await shippedCheckpoint('ppo, masks, several components, statistics') },
      { name: 'pendulum', path: await shippedCheckpoint('sac') },
    ],
    port: 0,
    adminPort: 0,
    tokens: [TOKEN],
    timeoutMs: 60_000,
    maxBodyBytes: 4096,
  });
});
afterAll(() => server?.close());

interface Client {
  readonly socket: WebSocket;
  readonly greeting: Record<string, unknown>;
  next(): Promise<Buffer>;
}

async function connect(query: string): Promise<Client> {
  const url = `${server.url.replace('http', 'ws')}/act?${query}`;
  const socket = new WebSocket(url, ['operant.act.v1', `operant.token.${TOKEN}`]); // as a browser does
  const received: Buffer[] = [];
  const waiting: ((frame: Buffer) => void)[] = [];
  socket.on('message', (data) => {
    const resolve = waiting.shift();
    if (resolve === undefined) received.push(data as Buffer);
    else resolve(data as Buffer);
  });
  const next = () => {
    const frame = received.shift();
    return frame === undefined
      ? new Promise<Buffer>((resolve) => waiting.push(resolve))
      : Promise.resolve(frame);
  };
  await once(socket, 'open');
  return { socket, greeting: JSON.parse(String(await next())), next };
}

function request(id: number, rows: readonly (readonly number[])[], masks: readonly number[] = []): Buffer {
  const floats = Float32Array.from(rows.flat());
  const header = Buffer.alloc(8);
  header.writeUInt32LE(id, 0);
  header.writeUInt16LE(rows.length, 4);
  return Buffer.concat([header, Buffer.from(floats.buffer), Uint8Array.from(masks)]);
}

function read(frame: Buffer) {
  const [id, status, numRows] = [frame.readUInt32LE(0), frame.readUInt16LE(4), frame.readUInt16LE(6)];
  const body = Uint8Array.prototype.slice.call(frame, 8);
  return { id, status, numRows, body, text: Buffer.from(body).toString() };
}

test('says what rows look like, and answers as the policy does', async () => {
  const { socket, greeting, next } = await connect('model=cart');
  expect(greeting).toMatchObject({ model: 'cart', observationSize: 4, actionSize: 1, actionDtype: 'int32' });
  expect(socket.protocol).toBe('operant.act.v1');
  const rows = Array.from({ length: 40 }, (_, k) => [Math.sin(k), Math.cos(k), Math.sin(2 * k), k / 40]);
  const policy = await loadPolicy(await shippedCheckpoint('ppo, categorical'));
  for (const [k, row] of rows.entries()) socket.send(request(k, [row]));
  const answers = new Map<number, number>();
  for (let k = 0; k < rows.length; k++) {
    const { id, status, body } = read(await next());
    expect(status).toBe(200);
    answers.set(id, new Int32Array(body.buffer)[0]);
  }
  expect(rows.map((_, k) => answers.get(k))).toEqual(policy.actBatch(rows));
  socket.send(request(99, rows));
  const many = read(await next());
  expect([...new Int32Array(many.body.buffer)]).toEqual(policy.actBatch(rows));
  socket.close();
});

test('continuous actions, and masks', async () => {
  const pendulum = await connect('model=pendulum');
  pendulum.socket.send(request(1, [[0, 1, 0]]));
  const policy = await loadPolicy(await shippedCheckpoint('sac'));
  const { body } = read(await pendulum.next());
  expect([...new Float32Array(body.buffer)]).toEqual([...(policy.actBatch([[0, 1, 0]])[0] as Float32Array)]);
  pendulum.socket.close();
  const masked = await connect('model=masked');
  masked.socket.send(request(2, [[0, 1, 0, 100, 0]], [0, 0, 1, 0, 1]));
  expect([...new Int32Array(read(await masked.next()).body.buffer)]).toEqual([2, 1]);
  masked.socket.close();
});

describe('refuses', () => {
  const row = [0, 0, 0, 0];
  const withByte = (at: number, value: number) => {
    const frame = request(5, [row]);
    frame[at] = value;
    return frame;
  };
  test.each([
    ['half a header', Buffer.alloc(3), 400, /at least 8 bytes/],
    ['no rows', request(5, []), 400, /1 to 64 rows/],
    ['rows of another size', request(5, [[1, 2]]), 400, /Expected 24 bytes .* got 16/],
    ['what is not finite', request(5, [[Number.NaN, 0, 0, 0]]), 400, /not a finite number/],
    ['a level that is not there', withByte(6, 9), 400, /priority/],
    ['flags that mean nothing', withByte(7, 4), 400, /byte 7/],
  ])('%s, and goes on', async (_, frame, status, message) => {
    const { socket, next } = await connect('model=cart');
    socket.send(frame);
    const answer = read(await next());
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text).error).toMatch(message);
    socket.send(request(6, [row]));
    expect(read(await next())).toMatchObject({ id: 6, status: 200 });
    socket.close();
  });

  test('text', async () => {
    const { socket, next } = await connect('model=cart');
    socket.send('{}');
    expect(read(await next()).status).toBe(400);
    socket.close();
  });

  test('a frame that is too large, by closing', async () => {
    const { socket } = await connect('model=cart');
    socket.send(Buffer.alloc(5_000));
    const [closeCode] = await once(socket, 'close');
    expect(closeCode).toBe(1009);
  });

  test.each([
    ['no token', '/act?model=cart', {}, 401],
    ['another path', '/acts', { authorization: `Bearer ${TOKEN}` }, 404],
    ['a model that is unknown', '/act?model=x', { authorization: `Bearer ${TOKEN}` }, 404],
  ])('%s, before it is open', async (_, path, headers, status) => {
    const socket = new WebSocket(server.url.replace('http', 'ws') + path, { headers });
    const [, response] = await once(socket, 'unexpected-response');
    expect(response.statusCode).toBe(status);
  });
});

test('pages of other sites may not ask a server without tokens', async () => {
  const open = await createPolicyServer({
    policies: [{ name: 'cart', path: await shippedCheckpoint('ppo, categorical') }],
    port: 0,
  });
  const { host } = new URL(open.url);
  const status = async (headers: Record<string, string>) => {
    const socket = new WebSocket(`ws://${host}/act`, { headers });
    const opened = once(socket, 'open').then(() => 101);
    const refused = once(socket, 'unexpected-response').then(([, { statusCode }]) => statusCode as number);
    const result = await Promise.race([opened, refused.catch(() => 0)]);
    if (result === 101) socket.close();
    return result;
  };
  expect(await status({})).toBe(101);
  expect(await status({ origin: `http://${host}` })).toBe(101);
  expect(await status({ origin: 'https://elsewhere.example' })).toBe(403);
  expect(await status({ host: 'rebound.example' })).toBe(403);
  const crossSite = await fetch(`${open.url}/models`, { headers: { origin: 'https://elsewhere.example' } });
  expect(crossSite.status).toBe(403);
  await open.close();
});

test('a closing server says goodbye', async () => {
  const closing = await createPolicyServer({
    policies: [{ name: 'cart', path: await shippedCheckpoint('ppo, categorical') }],
    port: 0,
  });
  const socket = new WebSocket(`${closing.url.replace('http', 'ws')}/act`);
  await once(socket, 'open');
  const closed = once(socket, 'close');
  await closing.close();
  expect((await closed)[0]).toBe(1001);
});

test('whoever sends thousands of frames at once does not keep another connection waiting', async () => {
  const numFrames = 20_000;
  const [flood, other] = [await connect('model=cart'), await connect('model=cart')];
  let [numAnswered, before] = [0, -1];
  const all = new Promise<void>((resolve) => {
    flood.socket.on('message', () => {
      numAnswered += 1;
      if (numAnswered === numFrames) resolve();
    });
  });
  other.socket.on('message', () => {
    before = numAnswered;
  });
  const frame = request(1, [[0, 0, 0, 0]]);
  for (let k = 0; k < numFrames; k++) flood.socket.send(frame);
  other.socket.send(frame);
  await all;
  // Read in chunks of 64 KiB, which hold 2,700 frames of the flood.
  expect(before).toBeGreaterThanOrEqual(0);
  expect(before).toBeLessThan(1_000);
  flood.socket.close();
  other.socket.close();
});

describe('as RFC 6455 has it', () => {
  test('a request in fragments, with a ping between them, and goodbye with the code of the client', async () => {
    const { socket, next } = await connect('model=cart');
    const whole = request(7, [[0.1, 0.2, 0.3, 0.4]]);
    const pong = once(socket, 'pong');
    socket.send(whole.subarray(0, 9), { fin: false });
    socket.ping('are you there?');
    socket.send(whole.subarray(9, 9), { fin: false });
    socket.send(whole.subarray(9));
    expect(String((await pong)[0])).toBe('are you there?');
    expect(read(await next())).toMatchObject({ id: 7, status: 200, numRows: 1 });
    const closed = once(socket, 'close');
    socket.close(4001, 'enough');
    expect((await closed)[0]).toBe(4001);
  });

  /** What a client sees that sends these headers. */
  const shake = (headers: Record<string, string>, method = 'GET') =>
    new Promise<{ status: number; accept: unknown; socket: Duplex | null }>((resolve, reject) => {
      const asked = httpRequest(`${server.url}/act?model=cart`, {
        method,
        headers: {
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
          authorization: `Bearer ${TOKEN}`,
          ...headers,
        },
      });
      asked.on('error', reject).on('upgrade', ({ statusCode = 0, headers }, socket) => {
        resolve({ status: statusCode, accept: headers['sec-websocket-accept'], socket });
      });
      asked.on('response', ({ statusCode = 0 }) =>
        resolve({ status: statusCode, accept: null, socket: null }),
      );
      asked.end();
    });

  test('the handshake of its 1.3, and what is none', async () => {
    const { status, accept, socket } = await shake({});
    expect([status, accept]).toEqual([101, 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=']);
    socket?.destroy();
    expect((await shake({ 'sec-websocket-key': 'short' })).status).toBe(400);
    expect((await shake({ 'sec-websocket-version': '12' })).status).toBe(400);
    expect((await shake({ upgrade: 'h2c' })).status).toBe(400);
    expect((await shake({}, 'POST')).status).toBe(405);
  });

  test('bytes that are no frames end their connection, with a code, and no other', async () => {
    const { socket: other, next } = await connect('model=cart');
    for (const bytes of ['ff', '0102', '8205aabbccddee', '82ffffffffffffffffff', '8881000000']) {
      const { socket } = await shake({});
      const received: Buffer[] = [];
      socket?.on('data', (chunk) => received.push(chunk)).on('error', () => undefined);
      socket?.write(Buffer.from(bytes.padEnd(40, '0'), 'hex'));
      await once(socket as Duplex, 'end');
      socket?.destroy();
      // The greeting, and goodbye.
      const said = Buffer.concat(received);
      expect([said.at(-4), said.at(-3)]).toEqual([0x88, 2]);
      expect([1002, 1009]).toContain(said.readUInt16BE(said.length - 2));
    }
    other.send(request(6, [[0, 0, 0, 0]]));
    expect(read(await next())).toMatchObject({ id: 6, status: 200 });
    other.close();
  });
});
