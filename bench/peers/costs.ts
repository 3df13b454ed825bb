/** Where the time of one of our own runs goes, from a profile of its main thread. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandOf, REPOSITORY } from './contestants.ts';
import { shorten } from './entries.ts';
import { runTask } from './run-task.ts';
import { WORKLOADS } from './workloads.ts';

export interface Cost {
  readonly category: string;
  readonly seconds: number;
}

export interface Costs {
  /** Of the main thread, from the beginning of the profile to the end of the process. */
  readonly seconds: number;
  /** Largest first. */
  readonly costs: readonly Cost[];
}

/** What V8 writes with `--cpu-prof`; times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

type Categorize = (functionName: string, url: string) => string;

const GRADIENT = "the loss' gradient at the outputs, in TypeScript";
const BOOKKEEPING = "the learner's bookkeeping";
const BY_NAME: { readonly [functionName: string]: string } = {
  '(idle)': 'waiting for the workers to sample',
  '(garbage collector)': 'garbage collection',
  waitForPhase: "waiting for the other thread's last work item",
  waitUntilAtLeast: 'waiting for the workers to sample',
  // an addon's time counts for the function that calls it: src/simd/native-kernels.ts
  forward: 'kernels',
  backward: 'kernels',
  reduceSlice: 'kernels',
  adamSlice: 'kernels',
  blendSlice: 'kernels',
  openPhase: 'opening phases and waking the other thread',
  giveCommand: 'opening phases and waking the other thread',
};

/** What a function of the learner belongs to, by its name: the package is bundled, so a profile does not tell its file. */
function learnerFunctions(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const folder of ['src/learner', 'algorithms/ppo'])
    for (const name of readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' })) {
      const isGradient = name.endsWith('gradient.ts');
      if (!name.endsWith('.ts') || (folder === 'algorithms/ppo' && !isGradient)) continue;
      const text = readFileSync(join(REPOSITORY, folder, name), 'utf8');
      for (const [, declared, method] of text.matchAll(
        /(?:function|const) (\w+)|^ +(?:async )?(\w+)\(.*\{$/gm,
      ))
        if (!found.has(declared ?? method) || isGradient)
          found.set(declared ?? method, isGradient ? GRADIENT : BOOKKEEPING);
    }
  return found;
}

/** Training, once everything has started. */
function categorizeTraining(): Categorize {
  const ofLearner = learnerFunctions();
  return (name, url) => {
    if (url.startsWith('wasm://') || name.endsWith('ToWasmWrapper')) return 'kernels';
    const known = BY_NAME[name] ?? (url.includes('/dist/') ? ofLearner.get(name) : undefined);
    if (known !== undefined) return known;
    return url.includes('/dist/') ? 'the rest of an iteration: advantages, episodes, metrics' : "Node's own";
  };
}

const categorizeStart: Categorize = (name, url) => {
  if (url.startsWith('wasm://')) return 'kernels';
  if (name === '(idle)') return 'waiting for the worker threads to start';
  const [, dependency] = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  if (dependency !== undefined) return dependency;
  return url.includes('/dist/') ? 'our own modules' : 'Node: start, finding and compiling modules';
};

/** Self times by category; samples before `startSeconds` (of the profile) are `start-up`. */
export function aggregate(
  { nodes, samples, timeDeltas }: CpuProfile,
  startSeconds: number,
  categorize: Categorize = categorizeTraining(),
): Costs {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const sums = new Map<string, number>();
  let now = 0;
  samples.forEach((id, k) => {
    const seconds = timeDeltas[k] / 1e6;
    now += seconds;
    const { functionName = '', url = '' } = frames.get(id) ?? {};
    const category = now <= startSeconds ? 'start-up' : categorize(functionName, url);
    sums.set(category, (sums.get(category) ?? 0) + seconds);
  });
  const costs = [...sums].map(([category, seconds]) => ({ category, seconds }));
  return { seconds: now, costs: costs.toSorted((a, b) => b.seconds - a.seconds) };
}

/** Runs our first entry of the workload once more, profiled; null where it has none that trains. */
export async function measureCosts(workload: number, isShort: boolean): Promise<Costs | null> {
  const found = WORKLOADS.find(({ id }) => id === workload)
    ?.round(0)
    .find(
      ({ contestant, task }) => contestant === 'operant' && (task.kind === 'train' || task.kind === 'solve'),
    );
  if (found === undefined || workload > 6) return null;
  const entry = isShort ? shorten(found) : found;
  const folder = mkdtempSync(join(tmpdir(), 'operant-costs-'));
  const { program, args, environment } = commandOf('operant', new Map(), 1, 0);
  const profiled = { program, args: ['--cpu-prof', '--cpu-prof-dir', folder, ...args], environment };
  const task = entry.task.kind === 'train' ? { ...entry.task, evaluate: false } : entry.task;
  const { answer } = await runTask(profiled, task, entry.limitSeconds * 1000);
  const [file] = readdirSync(folder);
  const profile =
    file === undefined ? null : (JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile);
  rmSync(folder, { recursive: true, force: true });
  if (profile === null || answer.error !== undefined) return null;
  if (workload === 6) return aggregate(profile, 0, categorizeStart);
  const total = profile.timeDeltas.reduce((sum, delta) => sum + delta, 0) / 1e6;
  const unseen = Math.max(0, (answer.sinceStart ?? total) - total); // before V8 began to sample
  return aggregate(profile, (answer.ready ?? 0) - unseen);
}
