/** Simulators as processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const loader = fileURLToPath(new URL('../../../.ci/typescript.mjs', import.meta.url));
export const FIXTURE = fileURLToPath(new URL('./fixtures/serve-counting.ts', import.meta.url));

/** Of a node that runs TypeScript. */
export const NODE = [process.execPath, '--import', loader];

export interface Simulator {
  readonly child: ChildProcess;
  /** What it printed. */
  output(): string;
  /** Its exit code. */
  ended: Promise<number | null>;
}

/** Killed when the test ends. */
export function start(command: readonly string[]): Simulator {
  const [program, ...given] = command;
  const child = spawn(program, given, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      text += String(chunk);
    });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, output: () => text, ended };
}

export const startCounting = (port: number, options: object = {}): Simulator =>
  start([...NODE, FIXTURE, `ws://127.0.0.1:${port}`, JSON.stringify(options)]);

/** One that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Whether somebody listens there. */
export async function isOpen(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return false;
  } catch {
    return true;
  }
}
