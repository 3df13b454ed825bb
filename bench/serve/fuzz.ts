/** Bodies and frames that nobody should send, from a seed. What comes back is counted; a server that fails, hangs or grows has lost. */
import { WebSocket } from 'ws';
import { openStream, type Stream } from '../../src/random/streams.ts';
import { type Connection, openConnection, postOf } from './connection.ts';

export interface FuzzCounts {
  /** Answers by kind and HTTP status. */
  readonly answers: Record<string, number>;
  /** What must not be: 5xx, answers that are no JSON, connections that end without one. The first few, in words. */
  readonly failures: string[];
  numFailures: number;
}

export interface FuzzTarget {
  readonly port: number;
  readonly token: string;
  /** A model of 4 numbers, two actions. */
  readonly model: string;
  readonly maxBodyBytes: number;
}

type Make = (
  stream: Stream,
  target: FuzzTarget,
) => { readonly body: string | Buffer; readonly token?: string };

const valid = ({ model }: FuzzTarget) => ({ model, observation: [0.1, -0.2, 0.3, 0.4] });
const junk = (stream: Stream, size: number) =>
  Buffer.from(Array.from({ length: size }, () => stream.integer(256)));

/** Something of any type, at most so deep. */
function anything(stream: Stream, depth = 3): unknown {
  const kinds = [
    () => null,
    () => stream.uniform() < 0.5,
    () => (stream.uniform() - 0.5) * 10 ** stream.integer(40),
    () => '\u0000"\\\ud800é'.repeat(stream.integer(20)),
    () => Array.from({ length: stream.integer(6) }, () => anything(stream, depth - 1)),
    () =>
      Object.fromEntries(
        ['__proto__', 'constructor', 'a'].map((name) => [name, anything(stream, depth - 1)]),
      ),
  ];
  return kinds[stream.integer(depth > 0 ? kinds.length : 4)]();
}

const FIELDS = [
  'model',
  'version',
  'session',
  'reset',
  'end',
  'observation',
  'actionMask',
  'priority',
  'timeoutMs',
  'x',
];

const KINDS: Readonly<Record<string, Make>> = {
  'random bytes': (stream) => ({ body: junk(stream, stream.integer(200)) }),
  'cut off': (stream, target) => {
    const text = JSON.stringify(valid(target));
    return { body: text.slice(0, stream.integer(text.length)) };
  },
  'a byte changed': (stream, target) => {
    const bytes = Buffer.from(JSON.stringify(valid(target)));
    bytes[stream.integer(bytes.length)] = stream.integer(256);
    return { body: bytes };
  },
  'another field': (stream, target) => ({
    body: JSON.stringify({ ...valid(target), [FIELDS[stream.integer(FIELDS.length)]]: anything(stream) }),
  }),
  'any JSON': (stream) => ({ body: JSON.stringify(anything(stream, 5)) }),
  'not finite': (stream, { model }) => {
    const values = ['1e999', '-1e999', 'NaN', 'Infinity', 'null', '"NaN"'];
    const rows = [values[stream.integer(values.length)], 0, 0, 0].join();
    return { body: `{"model": "${model}", "observation": [${rows}]}` };
  },
  'wrong shape': (stream, { model }) => {
    const observation = new Array(stream.integer(40)).fill(0);
    return {
      body: JSON.stringify({
        model,
        observation:
          observation.length === 4
            ? [
                [0, 0],
                [0, 0],
              ]
            : observation,
      }),
    };
  },
  'nested deeply': (stream) => ({ body: '['.repeat(1 + stream.integer(2000)) }),
  oversize: (stream, { maxBodyBytes }) => ({
    body: Buffer.alloc(maxBodyBytes + 1 + stream.integer(1000), ' '),
  }),
  'wrong token': (stream, target) => ({
    body: JSON.stringify(valid(target)),
    token: target.token.slice(0, stream.integer(target.token.length)),
  }),
};

const PATHS = ['/act', '/v2/models/cart/infer', '/v2/models/%ff/infer', '/v2/models/cart/versions/1/infer'];
const NUM_CONNECTIONS = 8;
const MAX_TOLD = 10;

/** @param numBodies shared out among some connections; the same ones for the same seed. */
export async function fuzzBodies(target: FuzzTarget, numBodies: number, seed: number): Promise<FuzzCounts> {
  const counts: FuzzCounts = { answers: {}, failures: [], numFailures: 0 };
  const kinds = Object.entries(KINDS);
  await Promise.all(
    Array.from({ length: NUM_CONNECTIONS }, async (_, k) => {
      const stream = openStream(seed, 'fuzz', String(k));
      let connection: Connection | null = null;
      for (let n = k; n < numBodies; n += NUM_CONNECTIONS) {
        const [kind, make] = kinds[n % kinds.length];
        const { body, token = target.token } = make(stream, target);
        const path = PATHS[stream.integer(3) === 0 ? stream.integer(PATHS.length) : 0];
        if (connection === null || !connection.isOpen) connection = openConnection(target.port);
        await askOnce(connection, postOf(path, body, `authorization: Bearer ${token}\r\n`), kind, counts);
      }
      connection?.close();
    }),
  );
  return counts;
}

async function askOnce(
  connection: Connection,
  request: Buffer,
  kind: string,
  counts: FuzzCounts,
): Promise<void> {
  try {
    const { status, body } = await connection.ask(request);
    const key = `${kind}: ${status}`;
    counts.answers[key] = (counts.answers[key] ?? 0) + 1;
    const answer = JSON.parse(body) as { code?: unknown; action?: unknown };
    // A timeout that the body asked for is no failure.
    const isFine =
      answer.code === 'SERVE_TIMEOUT' ||
      (status < 500 && (status === 200 || typeof answer.code === 'string'));
    if (!isFine) fail(counts, `${kind}: ${status} ${body}`);
    if (status === 413) connection.close(); // what was not read of the body would be taken for a request
  } catch (error) {
    fail(counts, `${kind}: ${String(error)}`);
    connection.close();
  }
}

function fail(counts: FuzzCounts, what: string): void {
  counts.numFailures += 1;
  if (counts.failures.length < MAX_TOLD) counts.failures.push(what);
}

/** Frames of a WebSocket: random bytes, wrong sizes, NaN. Every one has an answer, and the connection goes on. */
export async function fuzzFrames(
  { port, token, model }: FuzzTarget,
  numFrames: number,
  seed: number,
): Promise<FuzzCounts> {
  const counts: FuzzCounts = { answers: {}, failures: [], numFailures: 0 };
  const stream = openStream(seed, 'frames');
  const socket = new WebSocket(`ws://127.0.0.1:${port}/act?model=${model}`, [
    'operant.act.v1',
    `operant.token.${token}`,
  ]);
  let numAnswers = 0;
  await new Promise<void>((resolve) => {
    const next = (): void => {
      if (numAnswers === numFrames) {
        socket.close();
        return;
      }
      const frame = junk(stream, stream.integer(60));
      if (frame.length >= 24 && stream.uniform() < 0.5) Buffer.from([0, 0, 0, 0, 1, 0, 0, 0]).copy(frame);
      socket.send(stream.uniform() < 0.05 ? 'text' : frame);
    };
    socket.on('open', next).on('error', (error) => fail(counts, String(error)));
    socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) return; // the greeting
      const status = data.readUInt16LE(4);
      counts.answers[`frame: ${status}`] = (counts.answers[`frame: ${status}`] ?? 0) + 1;
      if (status >= 500) fail(counts, `frame: ${status} ${data.toString('utf8', 8)}`);
      numAnswers += 1;
      next();
    });
    socket.on('close', () => resolve());
  });
  if (numAnswers < numFrames) fail(counts, `the connection ended after ${numAnswers} of ${numFrames} frames`);
  return counts;
}
