/** Clients that do what no client may: each is told why, and none takes the others with it. */
import { once } from 'node:events';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { registerShippedEnvs } from '../../../envs/index.ts';
import { resolveEnv } from '../../../src/env/env-source.ts';
import { serveEnvs } from '../../../src/env/external/client/operant-client.ts';
import { makeVectorEnv } from '../../../src/env/load-env.ts';
import type { VectorEnv } from '../../../src/env/vector-env.ts';
import { makeRows } from '../step-rows.ts';
import { freePort } from './programs.ts';

beforeAll(registerShippedEnvs);

const HELLO = {
  operant: 1,
  name: 'Walk',
  numEnvs: 1,
  observationSpace: { kind: 'box', low: -10, high: 10, shape: [1], dtype: 'float32' },
  actionSpace: { kind: 'discrete', n: 2, start: 0 },
};

interface Opened {
  readonly port: number;
  /** When the first good client is there. */
  readonly env: Promise<VectorEnv>;
}

async function listen(options: object = {}): Promise<Opened> {
  const port = await freePort();
  const env = makeVectorEnv(resolveEnv('external:Walk', { port, connectSeconds: 20, ...options }), 1);
  onTestFinished(
    () =>
      void env.then(
        (made) => made.close?.(),
        () => undefined,
      ),
  );
  return { port, env };
}

/** Connects, retrying until somebody listens; sends, and gives what it was told and with which code the connection ended. */
async function converse(
  port: number,
  messages: readonly (object | string | Uint8Array)[],
  headers: Record<string, string> = {},
): Promise<{ told: string[]; code: number; status?: number }> {
  for (;;) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers });
    onTestFinished(() => socket.terminate());
    const told: string[] = [];
    socket.on('message', (data, isBinary) => {
      if (!isBinary) told.push(String(data));
    });
    const [what, status] = await new Promise<readonly [string, number]>((resolve) => {
      socket.once('open', () => resolve(['open', 0]));
      socket.once('unexpected-response', (_, { statusCode = 0 }) => resolve(['status', statusCode]));
      socket.once('error', () => resolve(['error', 0]));
    });
    if (what === 'status') return { told, code: 0, status };
    if (what === 'error') {
      await new Promise((resolve) => setTimeout(resolve, 20)); // nobody listens yet
      continue;
    }
    for (const message of messages)
      socket.send(
        typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message),
      );
    const [code] = (await once(socket, 'close')) as [number];
    return { told, code };
  }
}

it.each<[string, readonly (object | string | Uint8Array)[], number, RegExp]>([
  ['text that is no JSON', ['hello'], 4400, /JSON object/],
  ['a frame first', [new Uint8Array(8)], 4400, /hello before the first frame/],
  ['another version', [{ ...HELLO, operant: 2 }], 4400, /protocol's version/],
  ['another name', [{ ...HELLO, name: 'Run' }], 4400, /trains in Walk, and the client is Run/],
  ['no spaces', [{ operant: 1 }], 4400, /observationSpace/],
  ['a space of no kind', [{ ...HELLO, actionSpace: { kind: 'x' } }], 4400, /actionSpace/],
  ['too many environments', [{ ...HELLO, numEnvs: 1e9 }], 4400, /\[1, 4096\]/],
  ['an answer to nothing', [HELLO, new Uint8Array(20)], 4400, /frame of answers/],
  ['a failure of nothing', [HELLO, { failed: { env: 0 } }], 4400, /that was asked/],
])('%s', async (_, messages, code, message) => {
  const { port } = await listen();
  const end = await converse(port, messages);
  expect(end.code).toBe(code);
  expect(end.told.at(-1)).toMatch(message);
});

it('a wrong token is refused, the right one is not; without any, pages of other sites are', async () => {
  const guarded = await listen({ token: 'long enough' });
  const wrong = await converse(guarded.port, [{ ...HELLO, token: 'long enough?' }]);
  expect([wrong.code, wrong.told[0]]).toEqual([4401, expect.stringContaining('Expected the `token`')]);
  const open = await listen();
  expect(await converse(open.port, [], { Origin: 'https://elsewhere.example' })).toMatchObject({
    status: 401,
  });
  const served = walk(guarded.port, { token: 'long enough' });
  const env = await guarded.env;
  await env.deferred?.reset(0, 1);
  env.close?.();
  await served;
});

it('other spaces than those of the first client are refused, and name the space', async () => {
  const { port, env } = await listen();
  const served = walk(port);
  const made = await env;
  const end = await converse(port, [{ ...HELLO, actionSpace: { kind: 'discrete', n: 3, start: 0 } }]);
  expect(end.told[0]).toMatch(/`actionSpace` to be that of the first client/);
  await made.deferred?.reset(0, 1);
  made.close?.();
  await served;
});

/** A client of the simplest world, in this thread. */
function walk(port: number, options: object = {}): Promise<void> {
  const { operant: _, ...hello } = HELLO;
  let position = 0;
  return serveEnvs(`ws://127.0.0.1:${port}`, {
    ...hello,
    ...options,
    makeEnv: () => ({
      reset() {
        position = 0;
        return { observation: [position] };
      },
      step(action) {
        position += action === 1 ? 1 : -1;
        return { observation: [position], reward: position, terminated: position === 3 };
      },
    }),
  });
}

it('garbage in the middle of a run ends that client, whose row goes on with another', async () => {
  const faults: string[] = [];
  const port = await freePort();
  const env = makeVectorEnv(resolveEnv('external:Walk', { port, connectSeconds: 20 }), 1, 'same-step', {
    restartFailedEnvs: 'replay',
    nonFinite: 'stop',
    onFault: ({ error }) => void faults.push(error.message),
  });
  const bad = await new Promise<WebSocket>((resolve) => {
    const connect = () => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}`);
      socket.once('open', () => resolve(socket));
      socket.once('error', () => setTimeout(connect, 20));
    };
    connect();
  });
  bad.send(JSON.stringify(HELLO));
  bad.on('message', (_, isBinary) => {
    if (isBinary) bad.send(new Uint8Array(3)); // as an answer to its reset
  });
  const made = await env;
  const served = walk(port);
  await made.deferred?.reset(0, 1);
  const rows = makeRows(made);
  made.reset(Uint32Array.of(1), rows);
  await made.deferred?.step(0, Int32Array.of(1), 2);
  made.step(Int32Array.of(1), Uint32Array.of(2), rows);
  expect([...rows.observations, ...rows.rewards]).toEqual([1, 1]);
  expect(faults).toEqual([expect.stringContaining('frame of answers of 4 bytes')]);
  made.close?.();
  await served;
});
