/**
 * Twice as many requests as a model can take, most of them of low priority and a few of high: what each waits, and what becomes of the rest. The model, not the parsing of
 * requests, is the narrow place: a wide network on kernels, or convolutions that TensorFlow runs, and frames of WebSockets. Requests are sent by the clock, whether or not
 * answers come. A batch that runs is not broken off: who is urgent waits for the rest of it.
 */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Box, Discrete, type Env, PPOConfig } from '../../src/index.ts';
import { quantile } from '../statistics.ts';
import { loadServer, socketClient } from './load.ts';
import type { Outcome, SendingPlan } from './sender-process.ts';
import { startServed } from './served.ts';

const MAX_BATCH_ROWS = 4;
const MAX_QUEUED = 64;
const [HIGH, LOW] = [1, 2];
const HIGH_PER_SECOND = 50;
const NUM_LOW_SOCKETS = 8;
const ALONE_MS = 20_000;
/** What overload may add to the 99th percentile of high priority. */
const MAX_ADDED_MS = 5;

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
    const { port, pid } = server;
    const urgent = { port, frameBytes, priority: HIGH, perSecond: HIGH_PER_SECOND, numSockets: 1, nice: 0 };
    const [alone] = await sendByClock([{ ...urgent, ms: ALONE_MS }]);
    const { requestsPerSecond: capacity } = await loadServer(socketClient(port, frameBytes), pid, {
      numConnections: 4 * MAX_BATCH_ROWS,
      ms: ALONE_MS,
    });
    const before = await server.holdings();
    const ms = seconds * 1000;
    const many = { priority: LOW, perSecond: 2 * capacity, numSockets: NUM_LOW_SOCKETS, nice: LOW_NICE };
    const [high, low] = await sendByClock([
      { ...urgent, ms },
      { ...urgent, ...many, ms },
    ]);
    const after = await server.holdings();
    return tell(slow.name, { seconds, capacity, alone, high, low, heapMib: [before.heapMib, after.heapMib] });
  } finally {
    await server.stop();
  }
}

/** Of clients that compute: whoever measures on the machine that serves must not take the processors from what is measured. */
const LOW_NICE = 10;
const ENTRY = fileURLToPath(new URL('./sender-process.ts', import.meta.url));

/** Each in a process of its own: one that sends thousands a second reads its answers late, and would tell that of all. */
function sendByClock(plans: readonly SendingPlan[]): Promise<Outcome[]> {
  return Promise.all(
    plans.map(
      (plan) =>
        new Promise<Outcome>((resolve, reject) => {
          const execArgv = ['--import', import.meta.resolve('tsx')];
          const child = fork(ENTRY, [JSON.stringify(plan)], { execArgv, serialization: 'advanced' });
          child.once('exit', (code) => reject(new Error(`A client ended with ${code}.`)));
          child.once('message', (outcome) => resolve(outcome as Outcome));
        }),
    ),
  );
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
  const row = (name: string, { latencies, statuses, numSent, lateMs }: Outcome) => {
    const at = (share: number) => (latencies.length === 0 ? '-' : quantile(latencies, share).toFixed(2));
    const refused = Object.entries(statuses)
      .filter(([status]) => status !== '200')
      .map(([status, number]) => `${number} x ${status}`);
    return `| ${name} | ${numSent} | ${latencies.length} | ${refused.join(', ') || 'none'} | ${at(0.5)} | ${at(0.99)} | ${lateMs.toFixed(2)} |`;
  };
  console.log(
    `${name}, batches of ${MAX_BATCH_ROWS}, ${MAX_QUEUED} may wait a level; it takes ${capacity.toFixed(0)} requests/s, and gets twice that for ${seconds} s.\n`,
  );
  console.log(
    '| | sent | served | refused | p50, ms | p99, ms | client late, p99, ms |\n| --- | --- | --- | --- | --- | --- | --- |',
  );
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
