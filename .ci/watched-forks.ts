/**
 * Test processes that end when a file takes longer than any does. A thread that is blocked, or runs in a circle, is beyond Vitest's own time limits: whoever waits
 * for such a file learns nothing, not even which it is.
 */
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { ForksPoolWorker, type PoolOptions, type PoolWorker, type TestProject } from 'vitest/node';

/** Several times what the longest file takes on two cores. */
const MAX_MINUTES = 15;

/** A pool of processes with a file each, whichever files Vitest gives it. */
export function watchedForks() {
  const name = 'watched-forks';
  return {
    name,
    createPoolWorker: (options: PoolOptions): PoolWorker => Object.assign(watchedWorker(options), { name }),
  };
}

/** Says what a process does that is at a file for so long, and ends it with all that it has begun: Vitest counts that as an error, and goes on with the next file. */
export function watchedWorker(
  { project, ...options }: PoolOptions,
  maxMinutes = MAX_MINUTES,
): ForksPoolWorker {
  const worker = new ForksPoolWorker({ project, ...options });
  const send = worker.send.bind(worker);
  return Object.assign(worker, {
    send(request: Parameters<typeof send>[0]) {
      if (request.type === 'run') {
        const paths = request.context.files.map(({ filepath }) => filepath);
        const timer = setTimeout(() => endStuck(worker, project, paths), maxMinutes * 60_000);
        const settle = () => {
          clearTimeout(timer);
          worker.off('message', hear);
          worker.off('exit', settle);
        };
        const hear = (message: unknown) => {
          if ((message as { type?: string } | null)?.type === 'testfileFinished') settle();
        };
        worker.on('message', hear);
        worker.on('exit', settle);
      }
      send(request);
    },
  });
}

function endStuck(worker: ForksPoolWorker, { vitest }: TestProject, paths: readonly string[]): void {
  const { pid } = Reflect.get(worker, 'fork') as ChildProcess; // private to TypeScript
  if (pid === undefined) return;
  const tests = vitest.state
    .getTestModules()
    .filter(({ moduleId }) => paths.includes(moduleId))
    .flatMap(({ children }) => [...children.allTests('pending')].map(({ fullName }) => fullName));
  const family = familyOf(pid);
  const lines = [
    `${paths.join(', ')} does not end; its process, and those that it began, are ended`,
    ...tests.map((test) => `  has not ended: ${test}`),
    ...family.flatMap(describeProcess),
  ];
  vitest.logger.error(lines.join('\n'));
  for (const member of family) end(member);
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
}

/** A process and all below it, as Linux lists them; elsewhere it alone. */
function familyOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readOr([], () => readdirSync('/proc'))) {
    const afterName =
      readOr('', () => readFileSync(`/proc/${name}/stat`, 'utf8'))
        .split(') ')
        .at(-1) ?? '';
    parents.set(Number(name), Number(afterName.split(' ')[1]));
  }
  const family = [pid];
  for (const member of family) {
    for (const [child, parent] of parents) if (parent === member) family.push(child);
  }
  return family;
}

/** Its command, and of each kind of thread how many there are: name, state (R runs, S sleeps, T is stopped, Z has ended) and what it waits for in the kernel. */
function describeProcess(pid: number): string[] {
  const command = readOr('', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
  const counts = new Map<string, number>();
  for (const thread of readOr([], () => readdirSync(`/proc/${pid}/task`))) {
    const [, name, state] =
      /\((.*)\) (\S)/.exec(readOr('', () => readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'))) ?? [];
    const waitsFor = readOr('', () => readFileSync(`/proc/${pid}/task/${thread}/wchan`, 'utf8'));
    const kind = `${thread === String(pid) ? 'main thread ' : ''}${name} ${state} ${waitsFor}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const threads = [...counts].map(([kind, count]) => `    ${count} x ${kind}`);
  return [`  ${pid} ${command.slice(0, 300)}`, ...threads];
}

function readOr<Value>(otherwise: Value, read: () => Value): Value {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
