/**
 * Twice as many requests as a model can take, most of them of low priority and a few of high: what each waits, and what becomes of the rest. The model, not the parsing of
 * requests, is the narrow place: a wide network on kernels, or convolutions that TensorFlow runs, and frames of WebSockets. Requests are sent by the clock, whether or not
 * answers come. A batch that runs is not broken off: who is urgent waits for the rest of it.
 */
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { WebSocket } from 'ws';
import { Box, Discrete, type Env, PPOConfig } from '../../src/index.ts';
import { quantile } from '../statistics.ts';
import { loadServer, socketClient } from './load.ts';
import { type Served, startServed } from './served.ts';

const MAX_BATCH_ROWS = 4;
const MAX_QUEUED = 64;
const [HIGH, LOW] = [1, 2];
const HIGH_PER_SECOND = 50;
const NUM_LOW_SOCKETS = 8;
const ALONE_MS = 5_000;
/** What overload may add to the 99th percentile of high priority. */
const MAX_ADDED_MS = 5;

interface Outcome {
  /** Of those that were served, ms. */
  readonly latencies: number[];
  readonly statuses: Record<number, number>;
  numSent: number;
}

/** A model that is slow enough to be the narrow place. */
interface Slow {
  readonly name: string;
  readonly observationBytes: number;
  make(folder: string): Promise<string>;
}

const HIDDEN = [1024, 1024, 1024, 1024, 1024];
const IMAGE = [24, 24, 3] as const;

export const SLOW: Readonly<Record<'kernels' | 'tensorflow', Slow>> = {
  kernels: { name: `A network of ${HIDDEN.join(' x ')}`, observationBytes: 16, make: makeWidePolicy },
  tensorflow: {
    name: `Convolutions over ${IMAGE.join(' x ')}, which TensorFlow runs`,
    observationBytes: IMAGE.reduce((size, n) => size * n, 1),
    make: makeConvPolicy,
  },
};

/** @returns whether high priority kept its latency, low was served and refused, and nothing grew. */
export async function measureOverload(folder: string, seconds: number, slow: Slow): Promise<boolean> {
  const path = await slow.make(folder);
  const frameBytes = 8 + slow.observationBytes;
  const server = await startServed({
    kind: 'operant',
    options: {
      policies: [{ name: 'slow', path }],
      port: 0,
      maxBatchRows: MAX_BATCH_ROWS,
      maxQueued: MAX_QUEUED,
      timeoutMs: 10_000,
      reloadMs: 0,
    },
  });
  try {
    const [alone] = await sendByClock(
      server,
      frameBytes,
      [{ priority: HIGH, perSecond: HIGH_PER_SECOND, numSockets: 1 }],
      ALONE_MS,
    );
    const { requestsPerSecond: capacity } = await loadServer(
      socketClient(server.port, frameBytes),
      server.pid,
      {
        ...{ numConnections: 4 * MAX_BATCH_ROWS, ms: ALONE_MS },
      },
    );
    const before = await server.holdings();
    const late = monitorEventLoopDelay({ resolution: 1 });
    late.enable();
    const [high, low] = await sendByClock(
      server,
      frameBytes,
      [
        { priority: HIGH, perSecond: HIGH_PER_SECOND, numSockets: 1 },
        { priority: LOW, perSecond: 2 * capacity, numSockets: NUM_LOW_SOCKETS },
      ],
      seconds * 1000,
    );
    late.disable();
    const after = await server.holdings();
    // Its 99th percentile, over 1 ms of a timer: answers are read as late as that.
    console.log(
      `The clients' own event loop was late by ${(late.percentile(99) / 1e6 - 1).toFixed(2)} ms (99th percentile).`,
    );
    return tell(slow.name, { seconds, capacity, alone, high, low, heapMib: [before.heapMib, after.heapMib] });
  } finally {
    await server.stop();
  }
}

interface Sender {
  readonly priority: number;
  readonly perSecond: number;
  readonly numSockets: number;
}

async function sendByClock(
  { port }: Served,
  frameBytes: number,
  senders: readonly Sender[],
  ms: number,
): Promise<Outcome[]> {
  return Promise.all(
    senders.map(async ({ priority, perSecond, numSockets }) => {
      const outcome: Outcome = { latencies: [], statuses: {}, numSent: 0 };
      const sockets = await Promise.all(
        Array.from({ length: numSockets }, () => openSocket(port, frameBytes, outcome)),
      );
      const began = performance.now();
      await new Promise<void>((resolve) => {
        const timer = setInterval(() => {
          const now = performance.now() - began;
          const due = Math.floor((Math.min(now, ms) / 1000) * perSecond);
          for (; outcome.numSent < due; outcome.numSent++)
            sockets[outcome.numSent % numSockets].send(priority, outcome.numSent);
          if (now < ms) return;
          clearInterval(timer);
          resolve();
        }, 1);
      });
      await Promise.all(sockets.map((socket) => socket.finish()));
      return outcome;
    }),
  );
}

interface Sending {
  send(priority: number, id: number): void;
  /** When every frame has its answer. */
  finish(): Promise<void>;
}

function openSocket(port: number, frameBytes: number, { latencies, statuses }: Outcome): Promise<Sending> {
  const sentAt = new Map<number, number>();
  let finished = (): void => undefined;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/act`, { perMessageDeflate: false });
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) return;
    const [id, status] = [data.readUInt32LE(0), data.readUInt16LE(4)];
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (status === 200) latencies.push(performance.now() - (sentAt.get(id) ?? 0));
    sentAt.delete(id);
    if (sentAt.size === 0) finished();
  });
  const sending: Sending = {
    send(priority, id) {
      const frame = Buffer.alloc(frameBytes);
      frame.writeUInt32LE(id, 0);
      frame.writeUInt16LE(1, 4);
      frame[6] = priority;
      sentAt.set(id, performance.now());
      socket.send(frame);
    },
    async finish() {
      if (sentAt.size > 0)
        await new Promise<void>((resolve) => {
          finished = resolve;
        });
      socket.close();
    },
  };
  return new Promise((resolve, reject) => {
    socket.on('error', reject).on('open', () => resolve(sending));
    socket.on('close', () => {
      if (sentAt.size > 0) statuses[0] = (statuses[0] ?? 0) + sentAt.size; // cut off without an answer
      sentAt.clear();
      finished();
    });
  });
}

async function makeWidePolicy(folder: string): Promise<string> {
  const algorithm = await new PPOConfig()
    .environment('CartPole-v1')
    .envRunners({ numEnvRunners: 0 })
    .training({ hiddenSizes: HIDDEN })
    .learners({ engine: 'simd' })
    .build();
  const path = await algorithm.save(join(folder, 'wide'));
  await algorithm.stop();
  return path;
}

async function makeConvPolicy(folder: string): Promise<string> {
  const env = (): Env => ({
    observationSpace: new Box(0, 255, IMAGE, 'uint8'),
    actionSpace: new Discrete(4),
    reset: () => ({ observation: new Uint8Array(24 * 24 * 3), info: {} }),
    step: () => ({
      ...{ observation: new Uint8Array(24 * 24 * 3), reward: 0, terminated: false },
      ...{ truncated: true, info: {} },
    }),
  });
  const algorithm = await new PPOConfig()
    .environment(env)
    .envRunners({ numEnvRunners: 0 })
    .training({ network: 'conv' })
    .build();
  const path = await algorithm.save(join(folder, 'conv'));
  await algorithm.stop();
  return path;
}

interface Measured {
  readonly seconds: number;
  readonly capacity: number;
  readonly alone: Outcome;
  readonly high: Outcome;
  readonly low: Outcome;
  readonly heapMib: readonly [number, number];
}

function tell(name: string, { seconds, capacity, alone, high, low, heapMib }: Measured): boolean {
  const row = (name: string, { latencies, statuses, numSent }: Outcome) => {
    const at = (share: number) => (latencies.length === 0 ? '-' : quantile(latencies, share).toFixed(2));
    const refused = Object.entries(statuses)
      .filter(([status]) => status !== '200')
      .map(([status, number]) => `${number} x ${status}`);
    return `| ${name} | ${numSent} | ${latencies.length} | ${refused.join(', ') || 'none'} | ${at(0.5)} | ${at(0.99)} |`;
  };
  console.log(
    `${name}, batches of ${MAX_BATCH_ROWS}, ${MAX_QUEUED} may wait a level; it takes ${capacity.toFixed(0)} requests/s, and gets twice that for ${seconds} s.\n`,
  );
  console.log('| | sent | served | refused | p50, ms | p99, ms |\n| --- | --- | --- | --- | --- | --- |');
  console.log(row('high, alone', alone));
  console.log(row('high, under overload', high));
  console.log(row('low, under overload', low));
  const added = quantile(high.latencies, 0.99) - quantile(alone.latencies, 0.99);
  const numAnswered = Object.values(low.statuses).reduce((sum, number) => sum + number, 0);
  console.log(
    `\nOverload adds ${added.toFixed(2)} ms to the 99th percentile of high priority (bound ${MAX_ADDED_MS}); heap ${heapMib[0].toFixed(1)} -> ${heapMib[1].toFixed(1)} MiB.`,
  );
  const isServed =
    high.latencies.length === high.numSent && low.latencies.length > 0 && numAnswered === low.numSent;
  return added < MAX_ADDED_MS && isServed && heapMib[1] - heapMib[0] < 4;
}
