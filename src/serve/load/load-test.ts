/**
 * A load test of a policy server. In a closed loop every connection asks again as soon as it has its answer: what the server can take. At a rate, requests are due by the
 * clock whether or not answers come, and latency counts from when a request was due: what its clients would wait.
 */
import { createHistogram, performance, type RecordableHistogram } from 'node:perf_hooks';
import { ConfigError } from '../../errors.ts';
import type { Lane } from './lane.ts';

export interface LoadPlan {
  readonly seconds: number;
  /** Requests a second; null = a closed loop. */
  readonly rate: number | null;
}

export interface LoadOutcome {
  readonly seconds: number;
  readonly requestsPerSecond: number;
  /** Of requests that were answered with 200, ms; null = none was. */
  readonly latencyMs: Readonly<Record<'mean' | 'p50' | 'p90' | 'p99' | 'p999' | 'max', number>> | null;
  /** By status. */
  readonly answers: Readonly<Record<string, number>>;
  /** Their connection ended, or time was up. */
  readonly numLost: number;
  /** Due, and never sent: every connection was busy. */
  readonly numUnsent: number;
  /** Processor time of this process beside the clock's: near 1 it is not the server that was measured. */
  readonly clientLoad: number;
}

const OK = 200;
const NS_PER_MS = 1e6;

/** @param lanes connections that are open. @throws ConfigError `CONFIG_SERVE` where none of them is answered before the test begins. */
export async function runLoadTest(lanes: readonly Lane[], plan: LoadPlan): Promise<LoadOutcome> {
  await warmUp(lanes);
  const tally: Tally = { latencies: createHistogram({ figures: 3 }), answers: new Map() };
  const [cpu, began] = [process.cpuUsage(), performance.now()];
  const { rate } = plan;
  const numUnsent =
    rate === null
      ? await askAgain(lanes, began + plan.seconds * 1000, tally)
      : await askByClock(lanes, began, { seconds: plan.seconds, rate }, tally);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const { 0: numLost = 0, ...answers } = Object.fromEntries(tally.answers);
  const numAnswers = Object.values(answers).reduce((sum, number) => sum + number, 0);
  return {
    seconds,
    requestsPerSecond: numAnswers / seconds,
    latencyMs: latencyOf(tally.latencies),
    answers,
    numLost,
    numUnsent,
    clientLoad: (user + system) / 1e6 / seconds,
  };
}

interface Tally {
  readonly latencies: RecordableHistogram; // ns
  readonly answers: Map<number, number>;
}

/** Once over every connection, so that none is opened while the clock runs. */
async function warmUp(lanes: readonly Lane[]): Promise<void> {
  const statuses = await Promise.all(lanes.map((lane) => lane.ask()));
  if (statuses.some((status) => status === OK || status === 429 || status >= 500)) return;
  const message =
    statuses[0] === 0
      ? 'The server did not answer.'
      : `The server answered ${statuses[0]} to a request of zeros: give --observation as its environment has them.`;
  throw new ConfigError('CONFIG_SERVE', message);
}

async function askOnce(lane: Lane, dueAt: number, { latencies, answers }: Tally): Promise<void> {
  const status = await lane.ask();
  answers.set(status, (answers.get(status) ?? 0) + 1);
  if (status === OK) latencies.record(Math.max(1, Math.round((performance.now() - dueAt) * NS_PER_MS)));
}

async function askAgain(lanes: readonly Lane[], end: number, tally: Tally): Promise<number> {
  const go = async (lane: Lane): Promise<void> => {
    for (let now = performance.now(); now < end; now = performance.now()) await askOnce(lane, now, tally);
  };
  await Promise.all(lanes.map(go));
  return 0;
}

/** @returns how many were due and not sent. */
async function askByClock(
  lanes: readonly Lane[],
  began: number,
  { seconds, rate }: { readonly seconds: number; readonly rate: number },
  tally: Tally,
): Promise<number> {
  const numDue = Math.round(seconds * rate);
  const end = began + seconds * 1000;
  const idle = [...lanes];
  const asked = new Set<Promise<void>>();
  let numSent = 0;
  let isOver = false; // what is not sent by then is not sent any more
  const dueAt = (k: number): number => began + (1000 * k) / rate;
  const sendDue = (): void => {
    const now = performance.now();
    while (!isOver && idle.length > 0 && numSent < numDue && dueAt(numSent) <= now) {
      const lane = idle.shift() as Lane;
      const asking = askOnce(lane, dueAt(numSent), tally).then(() => {
        asked.delete(asking);
        if (lane.canPipeline) return;
        idle.push(lane);
        sendDue();
      });
      if (lane.canPipeline) idle.push(lane);
      asked.add(asking);
      numSent += 1;
    }
  };
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      sendDue();
      if (performance.now() < end) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  isOver = true;
  await Promise.all(asked);
  return numDue - numSent;
}

function latencyOf(latencies: RecordableHistogram): LoadOutcome['latencyMs'] {
  if (latencies.count === 0) return null;
  const at = (percentile: number): number => latencies.percentile(percentile) / NS_PER_MS;
  return {
    mean: latencies.mean / NS_PER_MS,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: latencies.max / NS_PER_MS,
  };
}
