/** Ray's own calls beside a rollout's: as many bytes with as many calls, arguments and values, and nothing of ours in between. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { callEnvironment } from '../../src/cluster/direct-calls.ts';
import type { RayCluster } from '../../test/cluster/ray-cluster.ts';
import { NUM_HOSTS } from './build-run.ts';

const PYTHON = process.env.OPERANT_RAY_PYTHON ?? 'python3';

/** Of one call: bytes that go to a host and come from it. */
interface Journey {
  readonly sent: number;
  readonly received: number;
}

export interface BareCalls {
  /** Driver and actors. */
  readonly pids: readonly number[];
  /** Calls every actor once. ms */
  round(journey: Journey): Promise<number>;
  stop(): Promise<void>;
}

export async function startBareCalls(cluster: RayCluster): Promise<BareCalls> {
  const script = fileURLToPath(new URL('./bare_calls.py', import.meta.url));
  const environment = callEnvironment();
  const child = spawn(PYTHON, [script, cluster.address, `${NUM_HOSTS}`, JSON.stringify(environment)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async <T>(): Promise<T> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('The bare calls ended.');
    return JSON.parse(value) as T;
  };
  const pids = await next<number[]>();
  return {
    pids,
    async round({ sent, received }) {
      const asked = { arguments: [sent], answer: received, rounds: 1 };
      child.stdin.write(`${JSON.stringify(asked)}\n`);
      return (await next<number[]>())[0];
    },
    async stop() {
      const ended = new Promise((resolve) => child.on('close', resolve));
      child.stdin.end();
      await ended;
    },
  };
}
