/** Web Workers that help PPO's learner: the browser's counterpart of the borrowed rollout workers. */
import { createOutputGradient } from '../algorithms/ppo/gradient.ts';
import { ConfigError } from '../src/errors.ts';
import { createSimdHelper, type SimdHelperStart } from '../src/learner/simd/participate.ts';
import type { ThreadTeam } from '../src/learner/simd/thread-team.ts';
import type { WasmMemory } from '../src/memory/web-assembly.ts';
import type { KernelModule } from '../src/simd/kernels.ts';
import { nextTurn } from '../src/threads/next-turn.ts';

/** What is needed of a `Worker`. */
export interface HelperWorker {
  postMessage(message: unknown): void;
  addEventListener(type: string, listener: (event: { readonly message?: string }) => void): void;
}

export interface PageHelpers {
  readonly numHelpers: number;
  /** Makes a worker whose script calls `serveAsHelper()`: `() => new Worker(new URL('./helper.ts', import.meta.url), { type: 'module' })`. */
  readonly createWorker: () => HelperWorker;
}

interface HelperStart {
  readonly start: SimdHelperStart;
  readonly kernels: KernelModule;
  readonly memory: WasmMemory;
  /** Where the team's words lie. */
  readonly words: number;
}

type HelperMessage = HelperStart & { readonly threadIndex: number };

/** Word 0 counts updates, and helpers sleep on it; word t is 1 while helper t takes part. */
const ROUND = 0;

export const teamBytes = (numThreads: number) => 4 * numThreads;

/** Starts the helpers and resolves when all are ready. A helper that is lost later costs speed and nothing else. */
export async function startHelpers(
  { numHelpers, createWorker }: PageHelpers,
  start: HelperStart,
): Promise<ThreadTeam | null> {
  if (!start.kernels.shared && numHelpers > 0) {
    throw new ConfigError(
      'CONFIG_CONFLICT',
      `numHelpers (${numHelpers}) needs kernels for shared memory, in a page that is cross-origin isolated: load them with { shared: true }, or leave helpers out.`,
    );
  }
  if (numHelpers === 0) return null;
  const numThreads = 1 + numHelpers;
  const words = new Int32Array(start.memory.buffer, start.words, numThreads);
  const alive = new Array<boolean>(numThreads).fill(true);
  await Promise.all(
    Array.from({ length: numHelpers }, (_, k) => {
      const threadIndex = k + 1;
      return new Promise<void>((resolve, reject) => {
        const worker = createWorker();
        worker.addEventListener('message', () => resolve());
        worker.addEventListener('error', ({ message = 'it ended' }) => {
          alive[threadIndex] = false;
          reject(new ConfigError('CONFIG_HELPER', `Helper thread ${threadIndex} failed: ${message}`));
        });
        worker.postMessage({ ...start, threadIndex } satisfies HelperMessage);
      });
    }),
  );
  return {
    numHelpers,
    start() {
      Atomics.add(words, ROUND, 1);
      Atomics.notify(words, ROUND);
    },
    async finish() {
      for (let t = 1; t < numThreads; t++) {
        while (alive[t] && Atomics.load(words, t) !== 0) await nextTurn();
      }
    },
    isAlive: (threadIndex) => alive[threadIndex],
  };
}

/** What a worker's scope is, as far as a helper uses it. */
interface HelperScope {
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  postMessage(message: unknown): void;
  reportError?(error: unknown): void;
}

/** The whole script of a helper: waits for its start, then sleeps until an update begins, takes part, sleeps again. The page ends the thread. */
export function serveAsHelper(scope: HelperScope = globalThis as unknown as HelperScope): void {
  scope.addEventListener('message', ({ data }) => {
    // As an error event of this worker, which a rejected promise is not.
    help(data as HelperMessage, scope).catch((error: unknown) => scope.reportError?.(error));
  });
}

async function help(
  { start, kernels, memory, threadIndex, words }: HelperMessage,
  scope: HelperScope,
): Promise<never> {
  const arena = { memory, buffer: memory.buffer };
  const gradient = createOutputGradient(start.spec, start.options.outputGradient.options);
  const helper = await createSimdHelper(start, kernels, arena, gradient);
  const team = new Int32Array(memory.buffer, words, start.layout.maxThreads);
  scope.postMessage('ready');
  for (let round = 0; ; ) {
    Atomics.wait(team, ROUND, round);
    round = Atomics.load(team, ROUND);
    Atomics.store(team, threadIndex, 1);
    helper.participate(threadIndex);
    Atomics.store(team, threadIndex, 0);
  }
}
