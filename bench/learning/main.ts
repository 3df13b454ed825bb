/**
 * `npm run bench:learning`: every environment that an algorithm has tuned settings for, over several seeds.
 *
 *     npm run bench:learning -- [--only CartPole-v1,ppo/Pendulum-v1] [--seeds 5 | --seeds 3,4,5] [--out DIR] [--smoke] [--report]
 *
 * Results are kept per algorithm, environment and seed in DIR/learning.json, so that parts can be run again; the table is
 * DIR/learning.md and the curves are DIR/learning-<algorithm>-<environment>.svg. `--report` only writes those anew.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { algorithms } from '../../algorithms/registry.ts';
import { listEnvs } from '../../src/index.ts';
import { describeMachine, load } from '../machine.ts';
import { learningCurve } from './curve.ts';
import { type LearningResults, learningReport, type Row } from './report.ts';
import { runSeed } from './run-seed.ts';

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    seeds: { type: 'string', default: '5' },
    out: { type: 'string', default: fileURLToPath(new URL('../results', import.meta.url)) },
    smoke: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
  },
});
const resultsPath = join(flags.out, 'learning.json');
const only = flags.only?.split(',').map((name) => name.toLowerCase()) ?? null;
const seeds = /^\d+$/.test(flags.seeds)
  ? Array.from({ length: Number(flags.seeds) }, (_, seed) => seed)
  : flags.seeds.split(',').map(Number);
const SMOKE_STEPS = 5000;

interface Tuned {
  readonly stopping?: { readonly stopSteps?: number };
}

function readResults(): LearningResults {
  const rows = existsSync(resultsPath)
    ? (JSON.parse(readFileSync(resultsPath, 'utf8')) as LearningResults).rows
    : [];
  return { machine: describeMachine(), rows };
}

function isWanted(algorithm: string, env: string): boolean {
  if (only === null) return true;
  const names = [env, env.replace(/-v\d+$/, ''), `${algorithm}/${env}`, algorithm].map((name) =>
    name.toLowerCase(),
  );
  return only.some((name) => names.includes(name));
}

async function measure(): Promise<void> {
  for (const find of Object.values(algorithms)) {
    const definition = await find();
    for (const [env, tuned] of Object.entries(definition.tunedDefaults)) {
      const budget = (tuned as Tuned).stopping?.stopSteps;
      if (budget === undefined || !isWanted(definition.name, env)) continue;
      const threshold = listEnvs().find(({ id }) => id === env)?.rewardThreshold ?? null;
      for (const seed of seeds) {
        const startLoad = load();
        const algorithm = await new definition.Config().tuned().environment(env).debugging({ seed }).build();
        const run = await runSeed(algorithm, seed, flags.smoke ? SMOKE_STEPS : budget, threshold);
        await algorithm.stop();
        keep({ algorithm: definition.name, env, threshold, budget, runs: [{ ...run, load: startLoad }] });
        const last = run.curve.at(-1)?.evaluation.toFixed(1);
        process.stderr.write(
          `${definition.name} ${env} seed ${seed}: ${last}, ${run.seconds.toFixed(1)} s (load ${startLoad})\n`,
        );
      }
    }
  }
}

/** Adds one seed's run to what is on disk. */
function keep(row: Row): void {
  const { machine, rows } = readResults();
  const isSame = (other: Row) => other.algorithm === row.algorithm && other.env === row.env;
  const earlier = rows.find(isSame)?.runs.filter(({ seed }) => seed !== row.runs[0].seed) ?? [];
  const runs = [...earlier, ...row.runs].toSorted((a, b) => a.seed - b.seed);
  const kept = rows.some(isSame)
    ? rows.map((other) => (isSame(other) ? { ...row, runs } : other))
    : [...rows, row];
  writeFileSync(resultsPath, `${JSON.stringify({ machine, rows: kept })}\n`);
}

function writeReport(): string {
  const results = readResults();
  for (const { algorithm, env, threshold, runs } of results.rows) {
    const length = Math.min(...runs.map(({ curve }) => curve.length));
    const points = Array.from({ length }, (_, k) => ({
      steps: runs[0].curve[k].steps,
      values: runs.map(({ curve }) => curve[k].evaluation),
    }));
    const svg = learningCurve(
      `${algorithm.toUpperCase()} on ${env}, ${runs.length} seeds`,
      points,
      threshold,
    );
    writeFileSync(join(flags.out, `learning-${algorithm}-${env}.svg`), svg);
  }
  const report = learningReport(results);
  writeFileSync(join(flags.out, 'learning.md'), report);
  return report;
}

mkdirSync(flags.out, { recursive: true });
if (!flags.report) await measure();
process.stdout.write(writeReport());
