/** Episodes of recurrent policies: over HTTP, over WebSockets, with the client's own state; held against `loadPolicy`, which plays them alone. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { loadPolicy, PPOConfig } from '../../src/index.ts';
import { createPolicyServer, type PolicyServer } from '../../src/serve/policy-server.ts';
import { createSessions } from '../../src/serve/sessions.ts';
import { shippedCheckpoint } from '../reference/shipped-policies.ts';

const folder = mkdtempSync(join(tmpdir(), 'operant-sessions-'));
const checkpoints: Record<'lstm' | 'later' | 'gru', string> = { lstm: '', later: '', gru: '' };
let server: PolicyServer;

async function train(recurrent: 'lstm' | 'gru'): Promise<string[]> {
  const algorithm = await new PPOConfig()
    .environment('CartPoleNoVelocity-v0')
    .envRunners({ numEnvRunners: 0, numEnvs: 4, rolloutLength: 32, normalizeObservations: true })
    .training({ recurrent, recurrentSize: 8, sequenceLength: 16, hiddenSizes: [8], policyGain: 3 })
    .training(recurrent === 'lstm' ? { recurrentLayers: 2, recurrentPosition: 'last' } : {})
    .build();
  const saved = [];
  for (let k = 0; k < 2; k++) {
    await algorithm.train();
    saved.push(await algorithm.save(join(folder, `${recurrent}-${k}`)));
  }
  await algorithm.stop();
  return saved;
}

beforeAll(async () => {
  [checkpoints.lstm, checkpoints.later] = await train('lstm');
  [checkpoints.gru] = await train('gru');
  server = await createPolicyServer({
    policies: [{ name: 'cart', path: checkpoints.lstm, version: 'blue' }],
    port: 0,
    adminPort: 0,
    reloadMs: 0,
    timeoutMs: 60_000,
    sessionMs: 3_600_000,
    maxSessions: 40,
  });
});
afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const LENGTH = 40;
const observationOf = (episode: number, t: number) => [Math.sin(t + episode), Math.cos(3 * t + episode) / 5];
const steps = Array.from({ length: LENGTH }, (_, t) => t);

async function playedAlone(path: string, episode: number): Promise<unknown[]> {
  const actor = (await loadPolicy(path)).actor();
  return steps.map((t) => actor.act(observationOf(episode, t)));
}

async function post(body: object, path = '/act') {
  const response = await fetch(server.url + path, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}
const act = (session: string, t: number, episode: number, more: object = {}) =>
  post({ session, observation: observationOf(episode, t), ...(t === 0 && { reset: true }), ...more });
const numSessions = async () => {
  const text = await (await fetch(`${server.adminUrl}/metrics`)).text();
  return Number(/^operant_serve_sessions (\d+)$/m.exec(text)?.[1]);
};

test('many sessions at once: each is the episode that the policy plays alone, bit for bit', async () => {
  const episodes = Array.from({ length: 12 }, (_, k) => k);
  const played = await Promise.all(
    episodes.map(async (episode) => {
      const actions = [];
      for (const t of steps) {
        const { json } = await act(`s${episode}`, t, episode, t === LENGTH - 1 ? { end: true } : {});
        actions.push(json.action);
      }
      return actions;
    }),
  );
  const expected = await Promise.all(episodes.map((episode) => playedAlone(checkpoints.lstm, episode)));
  expect(played).toEqual(expected);
  expect(new Set(expected.flat()).size).toBe(2);
  expect(await numSessions()).toBe(0); // all of them have ended
  const text = await (await fetch(`${server.adminUrl}/metrics`)).text();
  const [rows, batches] = ['sum', 'count'].map((part) =>
    Number(new RegExp(`batch_size_${part}\\{[^}]*\\} (\\d+)`).exec(text)?.[1]),
  );
  expect(rows).toBe(12 * LENGTH);
  expect(batches).toBeLessThan(rows); // several went through the model together
});

test('steps of one session that come together are taken in their order', async () => {
  const { port } = new URL(server.url);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/act?session=pipelined`);
  const answers: number[] = [];
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) answers[data.readUInt32LE(0)] = data.readInt32LE(8);
  });
  await once(socket, 'open');
  for (const t of steps) socket.send(frameOf(t, observationOf(7, t), t === 0 ? 1 : 0));
  await expect.poll(() => answers.length).toBe(LENGTH);
  expect(answers).toEqual(await playedAlone(checkpoints.lstm, 7));
  socket.close();
  await once(socket, 'close');
  // A named session outlives its connection, and goes on over HTTP.
  expect((await act('pipelined', LENGTH, 7, { end: true })).status).toBe(200);
});

function frameOf(id: number, observation: readonly number[], flags: number): Buffer {
  const frame = Buffer.alloc(8 + 4 * observation.length);
  frame.writeUInt32LE(id, 0);
  frame.writeUInt16LE(1, 4);
  frame[7] = flags;
  observation.forEach((x, k) => void frame.writeFloatLE(x, 8 + 4 * k));
  return frame;
}

test('a connection is a session: it begins with its first frame, again where a flag says so, and ends with it', async () => {
  const { port } = new URL(server.url);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/act?model=cart`);
  const frames: Buffer[] = [];
  const greetings: Record<string, unknown>[] = [];
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) frames.push(data);
    else greetings.push(JSON.parse(String(data)));
  });
  await once(socket, 'open');
  await expect.poll(() => greetings).toMatchObject([{ stateSize: 64, maxRows: 1 }]);
  for (const t of [...steps, ...steps]) {
    socket.send(frameOf(t, observationOf(3, t), t === 0 && frames.length > 0 ? 1 : 0));
    await once(socket, 'message');
  }
  const expected = await playedAlone(checkpoints.lstm, 3);
  expect(frames.map((frame) => frame.readInt32LE(8))).toEqual([...expected, ...expected]);
  expect(await numSessions()).toBe(1);
  socket.send(frameOf(0, observationOf(3, 0), 4));
  const [refused] = (await once(socket, 'message')) as [Buffer];
  expect([refused.readUInt16LE(4), String(refused)]).toEqual([400, expect.stringMatching(/flags.*got 4/)]);
  socket.close();
  await once(socket, 'close');
  await expect.poll(numSessions).toBe(0);
});

describe('nothing is lost in silence', () => {
  test.each([
    ['a step of no session', { observation: [0, 0] }, 400, 'SERVE_SESSION'],
    [
      'a step of a session that has not begun',
      { session: 'new', observation: [0, 0] },
      404,
      'SERVE_SESSION_UNKNOWN',
    ],
    ['a flag that is none', { session: 'new', reset: 1, observation: [0, 0] }, 400, 'SERVE_REQUEST'],
    ['a name that is too long', { session: 'x'.repeat(257), observation: [0, 0] }, 400, 'SERVE_REQUEST'],
  ])('%s is refused', async (_, body, status, code) => {
    const { status: actual, json } = await post(body);
    expect([actual, json.code]).toEqual([status, code]);
  });

  test('a step after the last, and one after a first step that failed', async () => {
    await act('over', 0, 0);
    await act('over', 1, 0, { end: true });
    expect((await act('over', 2, 0)).json.code).toBe('SERVE_SESSION_UNKNOWN');
    expect((await act('bad', 0, 0, { observation: [0] })).status).toBe(400);
    expect((await act('bad', 1, 0)).json.code).toBe('SERVE_SESSION_UNKNOWN');
    expect(await numSessions()).toBe(0);
  });

  test('no more sessions than are allowed, until some end', async () => {
    const begun = await Promise.all(Array.from({ length: 41 }, (_, k) => act(`many${k}`, 0, k)));
    const refused = begun.filter(({ status }) => status === 429);
    expect(refused.map(({ json }) => json)).toEqual([
      { code: 'SERVE_SESSIONS_FULL', error: expect.stringMatching(/^40 sessions/) },
    ]);
    await Promise.all(begun.map((_, k) => act(`many${k}`, 1, k, { end: true })));
    expect(await numSessions()).toBe(0);
    expect((await act('one more', 0, 0, { end: true })).status).toBe(200);
  });
});

test('a new version of the same shape takes episodes over; one of another shape refuses to go on, and begins anew', async () => {
  await server.models.stage({ name: 'cart', path: checkpoints.later, version: 'green' });
  for (let t = 0; t < 10; t++) await act('moving', t, 1);
  await server.models.setDefault('cart', 'green');
  // The state that ten steps of the old policy made goes into the new one: the client's own copy of it says so.
  const [before, after] = [await policyState('blue', 10), await act('moving', 10, 1)];
  const expected = await infer('green', { observation: observationOf(1, 10), state: before });
  expect([after.json.version, after.json.action]).toEqual(['green', expected.action]);
  await server.models.stage({ name: 'cart', path: checkpoints.gru, version: 'gru' });
  await server.models.setDefault('cart', 'gru');
  const { status, json } = await act('moving', 11, 1);
  expect([status, json.code]).toEqual([409, 'SERVE_SESSION_STATE']);
  expect(json.error).toMatch(/2 gru of 8.*2 lstm of 8 in 2 layers/);
  expect((await act('moving', 0, 1, { end: true })).json.version).toBe('gru');
  await server.models.setDefault('cart', 'green');
});

async function infer(version: string, { observation, state }: { observation: number[]; state: number[] }) {
  const inputs = [
    { name: 'observation', shape: [1, 2], datatype: 'FP32', data: observation },
    { name: 'state', shape: [1, state.length], datatype: 'FP32', data: state },
  ];
  const { json } = await post({ inputs }, `/v2/models/cart/versions/${version}/infer`);
  const [action, nextState] = json.outputs as { data: number[] }[];
  return { action: action.data[0], nextState: nextState.data };
}

/** What `version` remembers after some steps, carried by the client. */
async function policyState(version: string, numSteps: number): Promise<number[]> {
  let state = new Array<number>(64).fill(0);
  for (let t = 0; t < numSteps; t++)
    state = (await infer(version, { observation: observationOf(1, t), state })).nextState;
  return state;
}

test('a client may keep the state: the open inference protocol has it as input and output, for many rows', async () => {
  const { inputs, outputs } = (await (await fetch(`${server.url}/v2/models/cart`)).json()) as never as Record<
    'inputs' | 'outputs',
    object[]
  >;
  expect(inputs).toContainEqual({ name: 'state', datatype: 'FP32', shape: [-1, 64] });
  expect(outputs).toContainEqual({ name: 'nextState', datatype: 'FP32', shape: [-1, 64] });
  const rows = [0, 1, 2];
  let states = new Array<number>(rows.length * 64).fill(0);
  const played: number[][] = [];
  for (const t of steps) {
    const given = [
      { name: 'observation', shape: [3, 2], data: rows.flatMap((row) => observationOf(row, t)) },
      { name: 'state', shape: [3, 64], data: states },
    ];
    const { json } = await post({ inputs: given }, '/v2/models/cart/versions/green/infer');
    const [action, nextState] = json.outputs as { data: number[] }[];
    played.push(action.data);
    states = nextState.data;
  }
  const expected = await Promise.all(rows.map((row) => playedAlone(checkpoints.later, row)));
  expect(rows.map((row) => played.map((actions) => actions[row]))).toEqual(expected);
});

test("the parameters of Triton's sequences are a session", async () => {
  const played = [];
  for (const t of steps) {
    const parameters = { sequence_id: 12, sequence_start: t === 0, sequence_end: t === LENGTH - 1 };
    const inputs = [{ name: 'observation', shape: [1, 2], data: observationOf(5, t) }];
    const { json } = await post({ inputs, parameters }, '/v2/models/cart/infer');
    played.push((json.outputs as { data: number[] }[])[0].data[0]);
  }
  expect(played).toEqual(await playedAlone(checkpoints.later, 5));
  expect(await numSessions()).toBe(0);
});

test('a policy that remembers nothing takes steps of sessions, and refuses a state', async () => {
  const path = await shippedCheckpoint('ppo, categorical');
  const plain = await createPolicyServer({ policies: [{ name: 'cart', path }], port: 0 });
  const ask = async (route: string, body: object) =>
    (await fetch(plain.url + route, { method: 'POST', body: JSON.stringify(body) })).status;
  expect(await ask('/act', { observation: [0, 0, 0, 0], session: 'a' })).toBe(200);
  const inputs = [
    { name: 'observation', shape: [1, 4], data: [0, 0, 0, 0] },
    { name: 'state', shape: [1, 1], data: [0] },
  ];
  expect(await ask('/v2/models/cart/infer', { inputs })).toBe(400);
  await plain.close();
});

describe('the keeper of sessions', () => {
  const memory = { states: Float32Array.of(1), layout: 'x' };
  const step = { begins: false, ends: false, timeoutMs: 3_600_000 };
  const answer = async () => ({ memory });
  const code = (promise: Promise<unknown>) => promise.then(String, (error: { code: string }) => error.code);

  test('forgets a session that nobody uses, but not a connection', async () => {
    const sessions = createSessions({ maxSessions: 10, sessionMs: 1 });
    const connection = {};
    await sessions.step('text', { ...step, begins: true }, answer);
    await sessions.step(connection, { ...step, begins: true }, answer);
    await expect.poll(() => code(sessions.step('text', step, answer))).toBe('SERVE_SESSION_UNKNOWN');
    expect(await code(sessions.step(connection, step, answer))).toBe('[object Object]');
    await expect.poll(() => sessions.count).toBe(1);
    sessions.release(connection);
    expect(sessions.count).toBe(0);
  });

  test('a step that fails leaves what was; one that waited too long is not taken; too many are refused', async () => {
    const sessions = createSessions({ maxSessions: 10, sessionMs: 3_600_000 });
    await sessions.step('a', { ...step, begins: true }, answer);
    await expect(
      sessions.step('a', step, () => Promise.reject(new Error('the model failed'))),
    ).rejects.toThrow('the model failed');
    expect(await sessions.step('a', step, async (found) => ({ memory, found }))).toMatchObject({
      found: memory,
    });
    let release = (): void => undefined;
    const first = sessions.step(
      'a',
      step,
      () =>
        new Promise<{ memory: typeof memory }>((resolve) => {
          release = () => resolve({ memory });
        }),
    );
    await Promise.resolve();
    const late = code(sessions.step('a', { ...step, timeoutMs: Number.MIN_VALUE }, answer));
    const waiting = Array.from({ length: 63 }, () => sessions.step('a', step, answer));
    expect(await code(sessions.step('a', step, answer))).toBe('SERVE_QUEUE_FULL');
    release();
    expect(await late).toBe('SERVE_TIMEOUT');
    await Promise.all([first, ...waiting]);
    expect(sessions.count).toBe(1);
  });
});
