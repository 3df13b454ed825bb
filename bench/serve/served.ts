/** A server in a process of its own, which may be asked how much it holds and how long it has computed. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { PolicyServerOptions } from '../../src/serve/server-settings.ts';

export interface Holdings {
  readonly rssMib: number;
  /** After a full garbage collection. */
  readonly heapMib: number;
  readonly arrayBuffersMib: number;
  /** What keeps the event loop alive. */
  readonly numResources: number;
  readonly numFiles: number;
  /** Processor time of the process so far, both user and system, us. */
  readonly cpuUs: number;
}

export interface Served {
  readonly port: number;
  /** 0 = none. */
  readonly adminPort: number;
  readonly pid: number;
  holdings(): Promise<Holdings>;
  stop(): Promise<void>;
}

/** `bare` parses a request and answers; `operant` is the server with these options. */
export type Role =
  | { readonly kind: 'bare' }
  | { readonly kind: 'operant'; readonly options: PolicyServerOptions };

const ENTRY = fileURLToPath(new URL('./server-process.ts', import.meta.url));

export function startServed(role: Role): Promise<Served> {
  const child = fork(ENTRY, [JSON.stringify(role)], {
    execArgv: ['--import', import.meta.resolve('tsx'), '--expose-gc'],
    serialization: 'advanced',
  });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`The server ended with ${code}.`)));
    child.once('message', (ports) => {
      const { port, adminPort } = ports as { port: number; adminPort: number };
      const stop = () => stopChild(child);
      resolve({ port, adminPort, pid: child.pid ?? 0, holdings: () => askHoldings(child), stop });
    });
  });
}

function askHoldings(child: ChildProcess): Promise<Holdings> {
  return new Promise((resolve, reject) => {
    child.once('message', (holdings) => resolve(holdings as Holdings));
    child.send('holdings', (error) => error !== null && reject(error));
  });
}

function stopChild(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill();
  });
}
