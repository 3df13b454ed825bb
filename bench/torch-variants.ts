/** PyTorch's updates as variants to time, in a Python process that waits for its turn: one unit is one minibatch. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Variant } from './harness.ts';
import { passesOf, unitsOf } from './passes.ts';
import { defaultCache, pythonOf } from './peers/prepare.ts';

export interface TorchNetwork {
  readonly network: 'mlp' | 'cnn' | 'lstm' | 'gru';
  readonly rows: number;
  /** Of a recurrent one: steps of a sequence. */
  readonly length?: number;
}

export interface TorchProcess {
  /** PyTorch's version. */
  readonly version: string;
  /** Makes a network and its data in that process; null with the reason printed when PyTorch cannot. */
  variant(network: TorchNetwork, numThreads: number, compiled: boolean): Promise<Variant | null>;
  stop(): void;
}

interface Reply {
  readonly error?: string;
  readonly version?: string;
  readonly elapsed?: number;
  readonly cpu?: number;
}

/**
 * Starts Python, or says why not.
 *
 * @param python the interpreter; '' = that of the environment which `bench/peers` prepares.
 */
export async function startTorch(python: string): Promise<TorchProcess | string> {
  const program = python === '' ? pythonOf(join(defaultCache(), 'base')) : python;
  if (python === '' && !existsSync(program))
    return 'no PyTorch: give its interpreter with --python PATH, or run `npm run bench:peers`, which installs one';
  const { status, stderr } = spawnSync(program, ['-c', 'import torch'], { encoding: 'utf8' });
  if (status !== 0)
    return `no PyTorch in ${program}: ${stderr?.trim().split('\n').at(-1) ?? 'it does not run'}`;
  const script = fileURLToPath(new URL('./peers/python/torch_server.py', import.meta.url));
  const ask = converse(spawn(program, [script], { stdio: 'pipe' }));
  const { version = 'unknown' } = await ask({ command: 'version' });
  let numMade = 0;
  return {
    version,
    async variant({ network, rows, length }, numThreads, compiled) {
      const id = numMade++;
      const { error } = await ask({
        ...{ command: 'make', id, network, rows, length },
        ...{ threads: numThreads, compiled },
      });
      const name = `PyTorch ${compiled ? 'compiled' : 'eager'}, ${numThreads} thread${numThreads > 1 ? 's' : ''}`;
      if (error !== undefined) {
        console.log(`${name}, ${rows} rows: ${error}`);
        return null;
      }
      const units = unitsOf(passesOf(rows));
      let times = { elapsed: 0, cpu: 0 };
      const run = async () => {
        const { error, elapsed, cpu } = await ask({ command: 'run', id, count: units });
        if (elapsed === undefined || cpu === undefined) throw new Error(`PyTorch: ${error}`);
        times = { elapsed, cpu };
      };
      return { name, units, run, ownTimes: () => times };
    },
    stop: () => void ask({ command: 'stop' }),
  };
}

/** One line of JSON out, one line back. */
function converse(child: ChildProcessWithoutNullStreams): (question: object) => Promise<Reply> {
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stderr.pipe(process.stderr);
  return async (question) => {
    child.stdin.write(`${JSON.stringify(question)}\n`);
    const { value, done } = await lines.next();
    return done ? { error: 'Python has ended' } : JSON.parse(value);
  };
}
