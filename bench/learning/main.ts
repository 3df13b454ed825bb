/**
 * `npm run bench:learning`: every environment that an algorithm has tuned settings for, over several seeds.
 *
 *     npm run bench:learning -- [--only CartPole-v1,ppo/Pendulum-v1] [--seeds 5 | --seeds 3,4,5 | --seeds 4,] [--missing] [--jobs 2]
 *                               [--out DIR] [--smoke] [--report]
 *
 * Names of `--only` are those of environments, algorithms, both (`dqn/CartPole-v1`), or variants (`rainbow`; `variants` = all of them).
 * Results are kept per algorithm, environment and seed in DIR/learning.json as they come, so that parts can be run again; `--missing`
 * runs only what this commit has not measured. The table is DIR/learning.md and the curves are
 * DIR/learning-<algorithm>-<environment>.svg; `--report` only writes those anew. Every run is a process of one thread; as many as
 * there are cores run side by side (`--jobs`).
 */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { algorithms } from '../../algorithms/registry.ts';
import { listEnvs } from '../../src/index.ts';
import { describeMachine } from '../machine.ts';
import { learningCurve } from './curve.ts';
import { barOf, titleOf } from './reference.ts';
import { REFERENCES } from './references.ts';
import { hasCurve, learningReport } from './report.ts';
import { isSameRow, keepRun, type Row, readResults } from './results.ts';
import { runSeed, type SeedRun } from './run-seed.ts';
import { VARIANTS } from './variants.ts';

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    seeds: { type: 'string', default: '5' },
    missing: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(availableParallelism()) },
    out: { type: 'string', default: fileURLToPath(new URL('../results', import.meta.url)) },
    smoke: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    /** Of a child process: the one run that it makes, as JSON. */
    run: { type: 'string' },
  },
});
const resultsPath = join(flags.out, 'learning.json');
const only = flags.only?.split(',').map((name) => name.toLowerCase()) ?? null;
/** `--seeds 5`: so many from the row's first one; `--seeds 3,4,5`: these; `--seeds 4,`: that one. */
function seedsOf(firstSeed = 0): readonly number[] {
  if (!/^\d+$/.test(flags.seeds)) return flags.seeds.split(',').filter(Boolean).map(Number);
  return Array.from({ length: Number(flags.seeds) }, (_, k) => firstSeed + k);
}
const SMOKE_STEPS = 5000;
const THIS_COMMIT = describeMachine().commit;

interface Task {
  readonly row: Omit<Row, 'runs'>;
  readonly seed: number;
}

function isWanted(algorithm: string, env: string): boolean {
  if (only === null) return true;
  const names = [env, env.replace(/-v\d+$/, ''), `${algorithm}/${env}`, algorithm].map((name) =>
    name.toLowerCase(),
  );
  return only.some((name) => names.includes(name));
}

const isWantedVariant = (name: string): boolean =>
  only === null || only.includes('variants') || only.includes(name.toLowerCase());

type Tuned = { readonly stopping?: { readonly stopSteps?: number } } | undefined;

/** Rows of `variants.ts`: as long, and over as many seeds, as the tuned settings' row. */
async function listVariants(): Promise<Task[]> {
  const wanted = VARIANTS.filter(({ name }) => isWantedVariant(name));
  const tasks = wanted.map(async ({ algorithm, env, name, own, ...given }) => {
    const { tunedDefaults } = await algorithms[algorithm]();
    const tuned = (tunedDefaults[env] as Tuned)?.stopping?.stopSteps ?? 0;
    const budget = own?.budget ?? given.budget ?? tuned;
    const row = {
      ...{ algorithm, env, variant: name, threshold: own?.threshold ?? thresholdOf(algorithm, env) },
      budget: flags.smoke ? SMOKE_STEPS : budget,
    };
    return seedsOf().map((seed) => ({ row, seed }));
  });
  return (await Promise.all(tasks)).flat();
}

async function listTuned(): Promise<Pick<Row, 'algorithm' | 'env' | 'budget'>[]> {
  const found = await Promise.all(Object.values(algorithms).map((find) => find()));
  return found.flatMap(({ name: algorithm, tunedDefaults }) =>
    Object.entries(tunedDefaults).flatMap(([env, tuned]) => {
      const budget = (tuned as Tuned)?.stopping?.stopSteps;
      return budget === undefined ? [] : [{ algorithm, env, budget }];
    }),
  );
}

/** All that is to be run, shortest budgets first: most of the table is there soon. */
async function listTasks(): Promise<Task[]> {
  const wanted = (await listTuned()).filter(({ algorithm, env }) => isWanted(algorithm, env));
  const tasks = wanted.flatMap(({ algorithm, env, budget }) => {
    const row = {
      algorithm,
      env,
      threshold: thresholdOf(algorithm, env),
      budget: flags.smoke ? SMOKE_STEPS : budget,
    };
    const { firstSeed } = REFERENCES[algorithm]?.[env] ?? {};
    return seedsOf(firstSeed).map((seed) => ({ row, seed }));
  });
  return [...tasks, ...(await listVariants())]
    .filter((task) => !flags.missing || !isMeasured(task))
    .toSorted((a, b) => a.row.budget - b.row.budget);
}

/** The environment's own; where it has none, the bar less its margin. */
function thresholdOf(algorithm: string, env: string): number | null {
  const own = listEnvs().find(({ id }) => id === env)?.rewardThreshold;
  const reference = REFERENCES[algorithm]?.[env];
  return own ?? (reference ? barOf(reference).mean - reference.margin : null);
}

function isMeasured({ row, seed }: Task): boolean {
  const kept = readResults(resultsPath).rows.find((other) => isSameRow(other, row));
  return (
    kept?.budget === row.budget && kept.runs.some((run) => run.seed === seed && run.commit === THIS_COMMIT)
  );
}

async function runAll(): Promise<void> {
  const waiting = await listTasks();
  const total = waiting.length;
  let numDone = 0;
  const work = async () => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
      const { row, seed } = task;
      const run = await runInChild(task);
      keepRun(resultsPath, row, run);
      numDone += 1;
      process.stderr.write(
        `${numDone}/${total} ${row.algorithm} ${row.env} ${row.variant ?? ''} seed ${seed}: ${run.final.mean.toFixed(3)}, ` +
          `${run.seconds.toFixed(1)} s (processor ${run.cpuSeconds.toFixed(1)} s, load ${run.load.join(' to ')})\n`,
      );
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Number(flags.jobs)) }, work));
}

function runInChild(task: Task): Promise<SeedRun> {
  const args = [...process.execArgv, fileURLToPath(import.meta.url), '--run', JSON.stringify(task)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output) as SeedRun);
      else reject(new Error(`${task.row.env} seed ${task.seed} ended with exit code ${code}.`));
    });
  });
}

async function runOne({ row, seed }: Task): Promise<SeedRun> {
  const definition = await algorithms[row.algorithm]();
  const reference = REFERENCES[row.algorithm]?.[row.env];
  const variant = VARIANTS.find((other) => isSameRow({ ...row, ...other, variant: other.name }, row));
  const hasThreads = 'numLearnerThreads' in (definition.options.learners ?? {});
  const config = variant?.own
    ? new definition.Config().environment(variant.own.make).learners({ engine: 'tensorflow' })
    : new definition.Config()
        .tuned()
        .environment(row.env, reference?.envOptions)
        .learners(hasThreads ? { numLearnerThreads: 1 } : {});
  const algorithm = await config
    .envRunners({ numEnvRunners: 0, ...variant?.envRunners })
    .evaluation({ evaluationNumEnvs: 64 })
    .training(variant?.training ?? {})
    .debugging({ seed })
    .build();
  const run = await runSeed(algorithm, { seed, budget: row.budget, threshold: row.threshold, reference });
  return { ...run, commit: THIS_COMMIT };
}

async function writeReport(): Promise<string> {
  const results = readResults(resultsPath);
  for (const { algorithm, env, threshold, runs } of results.rows.filter(hasCurve)) {
    const length = Math.min(...runs.map(({ curve }) => curve.length));
    const points = Array.from({ length }, (_, k) => ({
      steps: runs[0].curve[k].steps,
      values: runs.map(({ curve }) => curve[k].evaluation),
    }));
    const title = `${titleOf(algorithm)} on ${env}, ${runs.length} seeds`;
    const { numEpisodes = 100, numCurveEpisodes = numEpisodes } = REFERENCES[algorithm]?.[env] ?? {};
    const svg = learningCurve(title, points, threshold, numCurveEpisodes);
    writeFileSync(join(flags.out, `learning-${algorithm}-${env}.svg`), svg);
  }
  const report = learningReport(results, await listTuned());
  writeFileSync(join(flags.out, 'learning.md'), report);
  return report;
}

if (flags.run !== undefined) {
  process.stdout.write(JSON.stringify(await runOne(JSON.parse(flags.run) as Task)));
} else {
  mkdirSync(flags.out, { recursive: true });
  if (!flags.report) await runAll();
  process.stdout.write(await writeReport());
}
