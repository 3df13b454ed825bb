/** Entry of one process of a server with several: does what the first process says. */
import process from 'node:process';
import { type Acting, openActing } from './acting.ts';
import type { Log } from './log.ts';
import { type FromWorker, type ToWorker, toSent, type WorkerMethod } from './worker-messages.ts';

const send = (message: FromWorker): void => void process.send?.(message);
let opened: Promise<Acting> | null = null;

process.on('message', (message: ToWorker) => {
  if (message.kind === 'open') {
    const log: Log = (level, event, fields) =>
      send({ kind: 'log', level, event, fields: { ...fields, pid: process.pid } });
    opened = openActing(message.settings, log, true);
    opened.catch(() => undefined); // whoever calls it is told
    return;
  }
  const { id, method, args } = message;
  perform(method, args).then(
    (value) => {
      send({ kind: 'answer', id, value });
      if (method === 'close') process.disconnect();
    },
    (error: unknown) => send({ kind: 'failure', id, error: toSent(error) }),
  );
});
// Whoever cannot be told to close any more closes by itself.
process.on('disconnect', () => process.exit());
// The first process decides when it ends; a terminal sends these to all of them.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
send({ kind: 'ready' });

async function perform(method: WorkerMethod, args: readonly unknown[]): Promise<unknown> {
  if (opened === null) throw new Error('The process has not been opened.');
  const acting = await opened;
  const { models } = acting;
  const methods = { ...models, ...acting } as unknown as Readonly<
    Record<WorkerMethod, (...args: readonly unknown[]) => unknown>
  >;
  return methods[method](...args);
}
