/** Entry of a process that sends frames by the clock, whether or not answers come, and tells what became of them. */
import { setPriority } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { WebSocket } from 'ws';

export interface SendingPlan {
  readonly port: number;
  readonly frameBytes: number;
  readonly priority: number;
  readonly perSecond: number;
  readonly numSockets: number;
  readonly ms: number;
  /** Of the process. */
  readonly nice: number;
}

export interface Outcome {
  /** Of those that were served, ms. */
  readonly latencies: number[];
  readonly statuses: Record<number, number>;
  numSent: number;
  /** How late the client's own event loop was, 99th percentile: answers are read as late as that. */
  lateMs: number;
}

const TIMER_MS = 1;
const plan = JSON.parse(process.argv[2]) as SendingPlan;
setPriority(plan.nice);
process.send?.(await sendAll(plan), () => process.disconnect());

async function sendAll({ perSecond, numSockets, ms }: SendingPlan): Promise<Outcome> {
  const outcome: Outcome = { latencies: [], statuses: {}, numSent: 0, lateMs: 0 };
  const sockets = await Promise.all(Array.from({ length: numSockets }, () => openSocket(outcome)));
  const late = monitorEventLoopDelay({ resolution: TIMER_MS });
  late.enable();
  const began = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const now = performance.now() - began;
      const due = Math.floor((Math.min(now, ms) / 1000) * perSecond);
      for (; outcome.numSent < due; outcome.numSent++)
        sockets[outcome.numSent % numSockets].send(outcome.numSent);
      if (now < ms) return;
      clearInterval(timer);
      resolve();
    }, TIMER_MS);
  });
  await Promise.all(sockets.map((socket) => socket.finish()));
  outcome.lateMs = late.percentile(99) / 1e6 - TIMER_MS;
  return outcome;
}

interface Sending {
  send(id: number): void;
  /** When every frame has its answer. */
  finish(): Promise<void>;
}

function openSocket({ latencies, statuses }: Outcome): Promise<Sending> {
  const sentAt = new Map<number, number>();
  let finished = (): void => undefined;
  const socket = new WebSocket(`ws://127.0.0.1:${plan.port}/act`, { perMessageDeflate: false });
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) return;
    const [id, status] = [data.readUInt32LE(0), data.readUInt16LE(4)];
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (status === 200) latencies.push(performance.now() - (sentAt.get(id) ?? 0));
    sentAt.delete(id);
    if (sentAt.size === 0) finished();
  });
  const sending: Sending = {
    send(id) {
      const frame = Buffer.alloc(plan.frameBytes);
      frame.writeUInt32LE(id, 0);
      frame.writeUInt16LE(1, 4);
      frame[6] = plan.priority;
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
