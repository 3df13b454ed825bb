/** The processes of a server that are up to date, and how a new one comes to be one of them. */
import type { Log } from './log.ts';
import type { ServerSettings } from './server-settings.ts';
import type { WorkerMemory } from './worker-memory.ts';
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts';

export interface Membership {
  /** Those that know all models, and listen where the server does. */
  readonly members: ReadonlySet<WorkerProcess>;
  /** @throws what keeps any of them from starting; none is left then. */
  begin(numProcesses: number): Promise<void>;
  /** Whoever joins from now on listens. */
  listen(): void;
  close(): Promise<void>;
}

/** A process that cannot even start is not started again at once. */
const RESPAWN_MS = 100;
const MAX_RESPAWN_MS = 5_000;
const CLOSE_MS = 10_000;

/** @param oneAtATime what is done about models, and joining, wait for each other. */
export function createMembership(
  settings: ServerSettings,
  log: Log,
  memory: WorkerMemory,
  oneAtATime: <T>(task: () => Promise<T>) => Promise<T>,
): Membership {
  const started = new Set<WorkerProcess>();
  const members = new Set<WorkerProcess>();
  let isClosing = false;
  let isListening = false;
  let numFailures = 0;
  const join = async (): Promise<void> => {
    const member = startWorkerProcess(settings, log);
    started.add(member);
    void member.ended.then(() => {
      started.delete(member);
      members.delete(member);
      rejoinLater();
    });
    await member.ready;
    // Nothing is done about models in between, so nothing is missed.
    await oneAtATime(async () => {
      try {
        await memory.replay((method, ...args) => member.call(method, ...args));
        if (isListening) await member.call('listen');
        members.add(member);
      } catch (error) {
        member.kill();
        throw error;
      }
    });
    numFailures = 0;
  };
  const rejoinLater = (): void => {
    if (isClosing) return;
    const delay = Math.min(RESPAWN_MS * 2 ** numFailures, MAX_RESPAWN_MS);
    numFailures += 1;
    setTimeout(() => {
      if (isClosing) return;
      join().then(
        () => log('info', 'process replaced', { processes: members.size }),
        (error: unknown) => log('error', 'process not replaced', { reason: String(error) }),
      );
    }, delay);
  };
  const killAll = (): void => {
    for (const member of started) member.kill();
  };
  const close = async (): Promise<void> => {
    isClosing = true;
    const timer = setTimeout(killAll, CLOSE_MS);
    await Promise.allSettled([...members].map((member) => member.call('close')));
    clearTimeout(timer);
    for (const member of started) if (!members.has(member)) member.kill();
  };
  return {
    members,
    async begin(numProcesses) {
      try {
        await Promise.all(Array.from({ length: numProcesses }, join));
      } catch (error) {
        isClosing = true;
        killAll();
        throw error;
      }
    },
    listen() {
      isListening = true;
    },
    close,
  };
}
