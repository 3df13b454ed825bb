/** A headless Chromium, driven over its DevTools pipe: no driver package, no port, no browser download. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--remote-debugging-pipe',
];

/** `OPERANT_CHROMIUM`, or where Debian's package puts it; null = there is none. */
export function findChromium(): string | null {
  const path = process.env.OPERANT_CHROMIUM || '/usr/bin/chromium';
  return existsSync(path) ? path : null;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

export interface Page {
  navigate(url: string): Promise<void>;
  /** The value of an expression; promises are awaited. */
  evaluate<T>(expression: string): Promise<T>;
  setColorScheme(scheme: 'light' | 'dark'): Promise<void>;
  screenshot(): Promise<Buffer>;
  /** Uncaught exceptions and error logs so far, of the page and its workers. */
  readonly errors: readonly string[];
  readonly close: () => Promise<void>;
}

type Send = (method: string, params?: object, sessionId?: string) => Promise<Record<string, unknown>>;

/** Commands end in a zero byte, and so do answers. */
function openPipe(child: ChildProcess, onEvent: (message: Message) => void): Send {
  const input = child.stdio[3] as Writable;
  const output = child.stdio[4] as Readable;
  const waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  let text = '';
  let lastId = 0;
  input.on('error', () => undefined); // it has ended: `exit` says so below
  output.setEncoding('utf8').on('data', (chunk: string) => {
    const messages = (text + chunk).split('\0');
    text = messages.pop() ?? '';
    for (const message of messages.map((part) => JSON.parse(part) as Message)) {
      const call = waiting.get(message.id ?? -1);
      if (call === undefined) onEvent(message);
      else if (message.error) call.reject(new Error(message.error.message));
      else call.resolve(message.result as never);
    }
  });
  child.once('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`Chromium ended with ${code}.`));
  });
  return (method, params = {}, sessionId) => {
    const id = ++lastId;
    input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise<Record<string, unknown>>((resolve, reject) => {
      waiting.set(id, { resolve, reject });
    }).finally(() => waiting.delete(id));
  };
}

/** Notes what goes wrong in a page. */
function errorOf({ method, params }: Message): string | undefined {
  if (method === 'Runtime.exceptionThrown') {
    const { exceptionDetails } = params as { exceptionDetails: { text: string; exception?: object } };
    return `${exceptionDetails.text} ${JSON.stringify(exceptionDetails.exception)}`;
  }
  if (method !== 'Log.entryAdded') return undefined;
  const { entry } = params as { entry: { level: string; text: string; url?: string } };
  return entry.level === 'error' ? `${entry.text} ${entry.url ?? ''}` : undefined;
}

/** Starts the browser with a profile of its own and opens an empty page of 1200 x 900. */
export async function openPage(executable: string): Promise<Page> {
  const profile = await mkdtemp(join(tmpdir(), 'operant-chromium-'));
  const child = spawn(executable, [...FLAGS, `--user-data-dir=${profile}`, '--window-size=1200,900'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const errors: string[] = [];
  const send = openPipe(child, (message) => {
    const error = errorOf(message);
    if (error !== undefined) errors.push(error);
  });
  const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
  const call = (method: string, params?: object) => send(method, params, sessionId as string);
  await Promise.all([call('Runtime.enable'), call('Log.enable'), call('Page.enable')]);
  return {
    errors,
    async navigate(url) {
      const { errorText } = await call('Page.navigate', { url });
      if (errorText !== undefined) throw new Error(`Cannot open ${url}: ${errorText}`);
    },
    async evaluate<T>(expression: string) {
      const answer = await call('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
      if (answer.exceptionDetails) throw new Error(JSON.stringify(answer.exceptionDetails));
      return (answer.result as { value: T }).value;
    },
    async setColorScheme(value) {
      await call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] });
    },
    async screenshot() {
      const { data } = await call('Page.captureScreenshot', { format: 'png' });
      return Buffer.from(data as string, 'base64');
    },
    async close() {
      const ended = child.exitCode === null ? once(child, 'exit') : null;
      const patience = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await send('Browser.close').catch(() => undefined);
      await ended;
      clearTimeout(patience);
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
