/** Makes rollout workers and environments fail in every way and at every place, and compares the run with an undisturbed one. */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { Algorithm, TrainResult } from '../../src/index.ts';
import { openStream, type Stream } from '../../src/random/streams.ts';
import type { FaultKind, FaultPlace } from './faulty-env.ts';
import { SOURCES, type Subject } from './subject.ts';

const MAX_TRIES = 50;
const NUM_RUNNERS = 2;
/** Longer than a loaded machine may keep a thread from the processor. */
const DEADLINE_SECONDS = 1.5;

/**
 * `throw`, `exit`, `hang` and `memory` happen inside an environment; `terminate` ends the thread from outside, as a crash of the
 * thread would, at a random moment of the phase named. `learning` is where helpers meet at the gradient barrier.
 */
export type Fault =
  | { readonly kind: FaultKind; readonly place: FaultPlace | 'evaluation' }
  | { readonly kind: 'terminate'; readonly place: 'sampling' | 'learning' | 'evaluation' };

export const FAULTS: readonly Fault[] = [
  ...(['throw', 'exit', 'hang', 'memory'] as const).flatMap((kind) =>
    (['reset', 'step', 'evaluation'] as const).map((place) => ({ kind, place }) as const),
  ),
  ...(['sampling', 'learning', 'evaluation'] as const).map(
    (place) => ({ kind: 'terminate', place }) as const,
  ),
];

export interface DeathReport {
  readonly fault: Fault;
  readonly numInjected: number;
  /** Workers that were replaced. */
  readonly numReplaced: number;
  /** Environments that were restarted alone. */
  readonly numRestarted: number;
  /** Iterations with a fault after which weights, environments and episodes were those of the undisturbed run. */
  readonly numExact: number;
  /** From the failure of a worker to full strength, in seconds. */
  readonly recoverySeconds: readonly number[];
  readonly problems: readonly string[];
}

interface Phases {
  readonly rolloutLength: number;
  readonly numEpochs: number;
}

/** Long in the phase to be hit, short in the others. */
function phasesFor({ place }: Fault): Phases {
  return place === 'learning' ? { rolloutLength: 16, numEpochs: 60 } : { rolloutLength: 128, numEpochs: 1 };
}

function build(
  { PPOConfig, env }: Subject,
  orderFile: string,
  { rolloutLength, numEpochs }: Phases,
  numEnvRunners: number,
): Promise<Algorithm> {
  return new PPOConfig()
    .environment(env, { orderFile })
    .envRunners({ numEnvRunners, numEnvs: 4, rolloutLength, workerMemoryMb: 48 })
    .learners({ engine: 'simd' })
    .training({ numEpochs, minibatchSize: 32 })
    .evaluation({ evaluationEpisodes: 20 })
    .faultTolerance({
      maxWorkerRestarts: 1_000_000,
      maxEnvRestarts: 1_000_000,
      workerDeadlineSeconds: DEADLINE_SECONDS,
    })
    .debugging({ seed: 9 })
    .build();
}

/**
 * Injects `numFaults` of one kind, one per iteration, each of which is compared with the undisturbed run.
 *
 * @param pauseMs between faults; without, the next one comes before another thread is ready to stand by.
 */
export async function injectDeaths(
  fault: Fault,
  numFaults: number,
  seed: number,
  subject: Subject = SOURCES,
  pauseMs = 0,
): Promise<DeathReport> {
  const folder = mkdtempSync(join(tmpdir(), 'operant-faults-'));
  const orderFile = join(folder, 'order.json');
  const moments = openStream(seed, 'deaths', fault.kind, fault.place);
  const phases = phasesFor(fault);
  // First, because the one in the main thread may start Node's thread for module hooks, which stays.
  const undisturbed = await build(subject, join(folder, 'never'), phases, 0);
  const threads = watchThreads();
  const disturbed = await build(subject, orderFile, phases, NUM_RUNNERS);
  const recoverySeconds: number[] = [];
  const problems: string[] = [];
  let [numInjected, numExact, numRestarted] = [0, 0, 0];
  const trainBoth = async (): Promise<boolean> => {
    const result = await disturbed.train();
    recoverySeconds.push(...recoveriesOf(result));
    numRestarted += result.metrics['rollout/numEnvsRestarted'];
    await undisturbed.train();
    return (await stateOf(disturbed)) === (await stateOf(undisturbed));
  };
  const evaluateBoth = async (): Promise<boolean> => {
    const { returns } = await disturbed.evaluate();
    return `${returns}` === `${(await undisturbed.evaluate()).returns}`;
  };
  try {
    // A quick iteration may be over before its fault is due: then it is tried again.
    for (let tries = 0; numInjected < numFaults && tries < MAX_TRIES * numFaults; tries++) {
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      const injection = inject(fault, { orderFile, threads, moments });
      const isSameEvaluation = fault.place !== 'evaluation' || (await evaluateBoth());
      const isSame = fault.place === 'evaluation' || (await trainBoth());
      const isInjected = await injection();
      // Who was lost in an evaluation, or at the very end, is missed in the next iteration.
      const isExact = isSameEvaluation && isSame && (fault.place !== 'evaluation' || (await trainBoth()));
      if (isInjected) numInjected += 1;
      if (isInjected && isExact) numExact += 1;
      if (!isExact) problems.push(`iteration ${disturbed.iteration} differs from the undisturbed run`);
    }
    await trainBoth();
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  } finally {
    await disturbed.stop();
    await undisturbed.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  // Threads end a moment after they were told to.
  for (let k = 0; k < 100 && threads.alive() > 0; k++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  if (threads.alive() > 0) problems.push(`${threads.alive()} threads left`);
  threads.stop();
  const numReplaced = recoverySeconds.length;
  return { fault, numInjected, numReplaced, numRestarted, numExact, recoverySeconds, problems };
}

function recoveriesOf({ workerFailures = [] }: TrainResult): number[] {
  return workerFailures.filter(({ isRecovered }) => isRecovered).map(({ seconds }) => seconds);
}

async function stateOf(algorithm: Algorithm): Promise<string> {
  const { tensors, json } = await algorithm.getState();
  const arrays = Object.values(tensors).flatMap((named) => Object.values(named));
  const bytes = arrays.map(({ data }) =>
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
  );
  return JSON.stringify([bytes, json['state.json'], json['environments.json']]);
}

interface Scene {
  readonly orderFile: string;
  readonly threads: ThreadWatch;
  readonly moments: Stream;
}

/** Prepares a fault for what comes next. @returns whether it happened, to be asked afterwards. */
function inject(fault: Fault, { orderFile, threads, moments }: Scene): () => Promise<boolean> {
  const isQuick = fault.place === 'evaluation' || fault.place === 'sampling';
  const delay = moments.uniform() * (isQuick ? 2 : fault.place === 'learning' ? 8 : 4);
  return fault.kind === 'terminate'
    ? terminateLater(threads, moments, delay)
    : orderLater(orderFile, fault, delay);
}

/** Whether the order was taken is known afterwards. */
function orderLater(
  orderFile: string,
  { kind, place }: { readonly kind: string; readonly place: string },
  delay: number,
): () => Promise<boolean> {
  const write = () => {
    const order = { kind, place: place === 'evaluation' ? 'step' : place };
    writeFileSync(`${orderFile}.new`, JSON.stringify(order));
    renameSync(`${orderFile}.new`, orderFile);
  };
  const timer = setTimeout(write, delay);
  return async () => {
    clearTimeout(timer);
    rmSync(orderFile, { force: true });
    const isTaken = readText(`${orderFile}.taken`) !== null;
    rmSync(`${orderFile}.taken`, { force: true });
    return isTaken;
  };
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

interface ThreadWatch {
  readonly workers: ReadonlySet<Worker>;
  alive(): number;
  stop(): void;
}

/** Every worker thread that is started from now on. */
function watchThreads(): ThreadWatch {
  const workers = new Set<Worker>();
  const onWorker = (worker: Worker) => {
    workers.add(worker);
    worker.once('exit', () => workers.delete(worker));
  };
  process.on('worker', onWorker);
  return { workers, alive: () => workers.size, stop: () => void process.off('worker', onWorker) };
}

/** Ends a thread a moment from now, unless the phase is over by then. */
function terminateLater({ workers }: ThreadWatch, moments: Stream, delay: number): () => Promise<boolean> {
  // The youngest of three stands by; nobody would miss it.
  const victim = [...workers][moments.integer(Math.min(NUM_RUNNERS, workers.size))];
  let isDone = false;
  const timer = setTimeout(() => {
    isDone = true;
    void victim.terminate();
  }, delay);
  return async () => {
    clearTimeout(timer);
    return isDone;
  };
}
