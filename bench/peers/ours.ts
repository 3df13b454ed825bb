/**
 * Operant as a contestant, on the built package. `main.ts` strips the types into a plain module, so that what is timed is
 * plain Node: `node ours.mjs TASK PACKAGE`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import type { Settings } from './settings.ts';
import type {
  AgentsTask,
  Answer,
  AppoTask,
  InferTask,
  MemoryTask,
  OffPolicyTask,
  Task,
  TrainTask,
  TuneTask,
  UpdateTask,
} from './task.ts';

type Package = typeof import('../../src/index.ts');
type Algorithm = Awaited<ReturnType<InstanceType<Package['PPOConfig']>['build']>>;

const FRESH = 1_000_000;
const task = JSON.parse(process.argv[2]) as Exclude<Task, OffPolicyTask | AppoTask | TuneTask> & {
  readonly startedMs: number;
};
const sinceStart = () => (Date.now() - task.startedMs) / 1000;
const { PPOConfig, loadPolicy } = (await import(pathToFileURL(process.argv[3]).href)) as Package;

const ramp = ({ from, to }: Settings['learningRate']) =>
  from === to ? from : ({ schedule: 'linear', from, to } as const);

function configure(settings: Settings, steps: number, seed: number, numWorkers: number | undefined) {
  const { env, numEnvs, rolloutLength, learningRate, clipRange, logStdInit, normalized, ...training } =
    settings;
  const envRunners = {
    numEnvs,
    rolloutLength,
    ...(numWorkers === undefined ? {} : { numEnvRunners: numWorkers }),
    ...(normalized === true && { normalizeObservations: true, normalizeRewards: true }),
  };
  return new PPOConfig()
    .environment(env)
    .envRunners(envRunners)
    .training({
      ...training,
      hiddenSizes: [...training.hiddenSizes],
      learningRate: ramp(learningRate),
      clipRange: ramp(clipRange),
      ...(logStdInit === 0 ? {} : { logStdInit }),
      scheduleSteps: steps,
    })
    .debugging({ seed });
}

const build = (asked: TrainTask) =>
  asked.tuned === true
    ? new PPOConfig().tuned().environment(asked.settings.env).debugging({ seed: asked.seed }).build()
    : configure(asked.settings, asked.steps, asked.seed, asked.numWorkers).build();

async function train(asked: TrainTask): Promise<Answer> {
  const algorithm = await build(asked);
  const ready = sinceStart();
  const begin = performance.now();
  const cpu = process.cpuUsage();
  const { limitSeconds = Infinity } = asked;
  let reached: Answer['reached'] = null;
  while (algorithm.numEnvSteps < asked.steps && sinceStart() < limitSeconds) {
    const { episodeReturnMean } = await algorithm.train();
    if (asked.stopReturn !== undefined && (episodeReturnMean ?? -Infinity) >= asked.stopReturn) {
      reached = { seconds: sinceStart(), envSteps: algorithm.numEnvSteps };
      break;
    }
  }
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const cpuSeconds = (user + system) / 1e6;
  const done = sinceStart();
  const returns = asked.evaluate ? await greedy(algorithm, asked.evaluationSeed) : [];
  return { seconds, cpuSeconds, ready, sinceStart: done, envSteps: algorithm.numEnvSteps, returns, reached };
}

async function greedy(algorithm: Algorithm, seed: number): Promise<readonly number[]> {
  return (await algorithm.evaluate({ numEpisodes: 100, deterministic: true, seed })).returns;
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The rule of `Solve` in python/task.py. */
async function solve(asked: TrainTask): Promise<Answer> {
  const { target = 475, checkAbove = 0, checkEvery = 0 } = asked;
  const algorithm = await build(asked);
  let lastCheck = -checkEvery;
  while (algorithm.numEnvSteps < asked.steps) {
    const { episodeReturnMean, numEnvSteps } = await algorithm.train();
    if ((episodeReturnMean ?? -Infinity) < checkAbove || numEnvSteps - lastCheck < checkEvery) continue;
    lastCheck = numEnvSteps;
    if (meanOf(await greedy(algorithm, 0)) < target) continue;
    const confirmed = meanOf(await greedy(algorithm, FRESH));
    if (confirmed >= target) return { seconds: sinceStart(), envSteps: numEnvSteps, confirmed, solved: true };
  }
  return { seconds: sinceStart(), envSteps: algorithm.numEnvSteps, confirmed: null, solved: false };
}

/** The whole update of an iteration, gathers and bookkeeping included, divided by its minibatches. */
async function update({ network, rows, seconds, seed }: UpdateTask): Promise<Answer> {
  const numEpochs = 8;
  const pixels = network === 'conv';
  const numSamples = Math.max(pixels ? 1024 : 2048, rows);
  const env = pixels ? new URL('./pixels.mjs', import.meta.url).pathname : 'CartPole-v1';
  const algorithm = await new PPOConfig()
    .environment(env)
    .envRunners({ numEnvs: 16, rolloutLength: numSamples / 16 })
    .training({ numEpochs, minibatchSize: rows, learningRate: 1e-6 })
    .training(
      pixels
        ? {
            network: 'conv',
            convLayers: [
              [16, 8, 4],
              [32, 4, 2],
            ],
            hiddenSizes: [128],
          }
        : {},
    )
    .debugging({ seed })
    .build();
  const numMinibatches = (numEpochs * numSamples) / rows;
  const times: number[] = [];
  const begin = performance.now();
  for (let iteration = 0; performance.now() - begin < seconds * 1000 || times.length < 5; iteration += 1) {
    const { metrics } = await algorithm.train();
    if (iteration > 1) times.push(metrics['time/learnMs'] / numMinibatches);
  }
  const note = algorithm.banner.filter((line) => line.trim().startsWith('engine')).join(' ');
  return { times, note };
}

/** An actor's call with one observation; "batch" is 64 such calls, since a program asks for one action at a time. */
async function infer({ settings, seed }: InferTask): Promise<Answer> {
  const folder = mkdtempSync(join(tmpdir(), 'operant-peer-'));
  const algorithm = await configure(settings, 100_000, seed, 0).build();
  await algorithm.train();
  const actor = (await loadPolicy(await algorithm.save(join(folder, 'checkpoint')))).actor();
  rmSync(folder, { recursive: true, force: true });
  const observation = Float32Array.of(0.01, -0.02, 0.03, 0.04);
  const measure = (rows: number, calls: number) =>
    Array.from({ length: calls }, () => {
      const begin = performance.now();
      for (let row = 0; row < rows; row += 1) actor.act(observation);
      return (performance.now() - begin) * 1000;
    });
  measure(64, 300);
  return { single: measure(1, 2000), batch: measure(64, 2000) };
}

async function memory({ settings, marks, seed }: MemoryTask): Promise<Answer> {
  const algorithm = await configure(settings, marks.at(-1) ?? 0, seed, undefined).build();
  const residentMib: number[] = [];
  for (const mark of marks) {
    while (algorithm.numEnvSteps < mark) await algorithm.train();
    residentMib.push(Math.round((process.memoryUsage().rss / 2 ** 20) * 10) / 10);
  }
  return { residentMib };
}

/** In this process alone; a tenth of the steps is for V8 to compile, outside of the clock. */
async function agents({ env, numEnvs, rolloutLength, numActing, steps, seed }: AgentsTask): Promise<Answer> {
  const algorithm = await new PPOConfig()
    .environment(env)
    .envRunners({ numEnvRunners: 0, numEnvs, rolloutLength })
    .training({ hiddenSizes: [64, 64], minibatchSize: 256, numEpochs: 4 })
    .learners({ numLearnerThreads: 1 })
    .debugging({ seed })
    .build();
  const until = async (count: number) => {
    while (algorithm.numEnvSteps * numActing < count) await algorithm.train();
    return algorithm.numEnvSteps * numActing;
  };
  const first = await until(steps / 10);
  const ready = sinceStart();
  const begin = performance.now();
  const cpu = process.cpuUsage();
  const envSteps = (await until(first + steps)) - first;
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpuSeconds: (user + system) / 1e6, ready, sinceStart: sinceStart(), envSteps };
}

async function run(): Promise<Answer> {
  switch (task.kind) {
    case 'agents':
      return agents(task);
    case 'train':
      return train(task);
    case 'solve':
      return solve(task);
    case 'update':
      return update(task);
    case 'infer':
      return infer(task);
    case 'memory':
      return memory(task);
  }
}

const peakMib = () => Math.round((process.resourceUsage().maxRSS / 1024) * 10) / 10;
const answer = await run();
process.stdout.write(`${JSON.stringify({ ...answer, peakMib: peakMib() })}\n`, () => process.exit(0));
