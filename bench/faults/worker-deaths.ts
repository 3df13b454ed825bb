/** Kills rollout workers in every way and at every place, and compares the run with an undisturbed one. */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { type Algorithm, PPOConfig, type TrainResult } from '../../src/index.ts';
import { openStream, type Stream } from '../../src/random/streams.ts';
import type { FaultKind, FaultPlace } from './faulty-env.ts';

const MAX_TRIES = 50;
const ENV = fileURLToPath(new URL('./faulty-env.ts', import.meta.url));

/** `terminate` ends the thread from outside, as a crash of the thread would, at a random moment of the phase named. */
export type Fault =
  | { readonly kind: FaultKind; readonly place: FaultPlace }
  | { readonly kind: 'terminate'; readonly place: 'sampling' | 'learning' | 'evaluation' };

export const FAULTS: readonly Fault[] = [
  ...(['throw', 'exit', 'hang', 'memory'] as const).flatMap((kind) => [
    { kind, place: 'reset' } as const,
    { kind, place: 'step' } as const,
  ]),
  ...(['sampling', 'learning', 'evaluation'] as const).map(
    (place) => ({ kind: 'terminate', place }) as const,
  ),
];

export interface DeathReport {
  readonly fault: Fault;
  readonly numInjected: number;
  readonly numRecovered: number;
  /** Iterations with a fault after which weights and rollout statistics were those of the undisturbed run. */
  readonly numExact: number;
  /** From the failure to full strength, in seconds. */
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
  orderFile: string,
  { rolloutLength, numEpochs }: Phases,
  numEnvRunners: number,
): Promise<Algorithm> {
  return new PPOConfig()
    .environment(ENV, { orderFile })
    .envRunners({ numEnvRunners, numEnvs: 4, rolloutLength, workerMemoryMb: 48 })
    .learners({ engine: 'simd' })
    .training({ numEpochs, minibatchSize: 32 })
    .evaluation({ evaluationEpisodes: 20 })
    .faultTolerance({ maxWorkerRestarts: 1_000_000, workerDeadlineSeconds: 3 })
    .debugging({ seed: 9 })
    .build();
}

/** Injects `numFaults` of one kind, one per iteration. */
export async function injectDeaths(fault: Fault, numFaults: number, seed: number): Promise<DeathReport> {
  const folder = mkdtempSync(join(tmpdir(), 'operant-faults-'));
  const orderFile = join(folder, 'order.json');
  const moments = openStream(seed, 'deaths', fault.kind, fault.place);
  const phases = phasesFor(fault);
  // First, because the one in the main thread may start Node's thread for module hooks, which stays.
  const undisturbed = await build(join(folder, 'never'), phases, 0);
  const threads = watchThreads();
  const disturbed = await build(orderFile, phases, 2);
  const recoverySeconds: number[] = [];
  const problems: string[] = [];
  let [numInjected, numExact] = [0, 0];
  try {
    const keepRecoveries = ({ workerFailures = [] }: TrainResult) => {
      const recovered = workerFailures.filter(({ isRecovered }) => isRecovered);
      recoverySeconds.push(...recovered.map(({ seconds }) => seconds));
    };
    // A quick iteration may be over before its fault is due: then it is tried again.
    for (let tries = 0; numInjected < numFaults && tries < MAX_TRIES * numFaults; tries++) {
      const injection =
        fault.kind === 'terminate'
          ? await terminateAt(fault.place, disturbed, threads, moments)
          : order(orderFile, fault, moments);
      const result = await disturbed.train();
      const isInjected = await injection();
      if (isInjected) numInjected += 1;
      keepRecoveries(result);
      await undisturbed.train();
      const isExact = (await weightsOf(disturbed)) === (await weightsOf(undisturbed));
      if (isInjected && isExact) numExact += 1;
      if (!isExact) problems.push(`iteration ${result.iteration} differs from the undisturbed run`);
    }
    keepRecoveries(await disturbed.train()); // a thread that was lost at the very end is missed in the next iteration
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
  return { fault, numInjected, numRecovered: recoverySeconds.length, numExact, recoverySeconds, problems };
}

async function weightsOf(algorithm: Algorithm): Promise<string> {
  const { tensors, json } = await algorithm.getState();
  const arrays = Object.values(tensors).flatMap((named) => Object.values(named));
  const bytes = arrays.map(({ data }) =>
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
  );
  return JSON.stringify([bytes, json['state.json'], json['environments.json']]);
}

/** Writes the order at a random moment of the coming iteration; whether it was taken is known afterwards. */
function order(orderFile: string, fault: Fault, moments: Stream): () => Promise<boolean> {
  const write = () => {
    writeFileSync(`${orderFile}.new`, JSON.stringify(fault));
    renameSync(`${orderFile}.new`, orderFile);
  };
  const timer = setTimeout(write, moments.uniform() * 4);
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

/** Ends a thread while evaluating, right away, or within the coming iteration. */
async function terminateAt(
  place: 'sampling' | 'learning' | 'evaluation',
  algorithm: Algorithm,
  { workers }: ThreadWatch,
  moments: Stream,
): Promise<() => Promise<boolean>> {
  const victim = [...workers][moments.integer(workers.size)];
  if (place === 'evaluation') {
    const evaluation = algorithm.evaluate();
    await victim.terminate();
    await evaluation;
    return async () => true;
  }
  let isDone = false;
  const timer = setTimeout(() => {
    isDone = true;
    void victim.terminate();
  }, moments.uniform() * 8);
  return async () => {
    clearTimeout(timer);
    return isDone;
  };
}
