/**
 * What it is worth not to wait: steps a second of IMPALA and APPO beside PPO in environments whose steps take long, some of them very long, and
 * what arithmetic says that can be had: `npm run bench:asynchrony`.
 *
 *     npm run bench:asynchrony -- [--step-us 10,100,1000,10000] [--seconds 4] [--out FILE.md]
 *
 * Four workers with one environment each, fragments of 16 steps, networks of 2x64; a step takes `step-us` on average by a Pareto law with exponent
 * 1.5, cut at a hundred times the shortest (bench/slow-env.ts): it sleeps, as for a simulator in another process, and turns where sleeping is too coarse. PPO goes
 * over its rollout twice, APPO makes two passes, IMPALA one. In turns, one process, the clock's seconds after a warm-up, at least 96 fragments; all
 * see the same times of steps, which belong to the seeds of episodes.
 *
 * Below 0.2 ms steps turn, so that four workers share the cores; the arithmetic gives each a core of its own and is a bound there.
 *
 * The arithmetic: worker w begins fragment i when it has finished i - 1 and the weights of i - lag are there; the learner takes fragment i when all
 * workers have brought it and i - 1 is learnt. Times of steps are drawn from the same law; learning takes what
 * the run says, acting what PPO's steps take where the environment's take none.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { APPOConfig } from '../algorithms/appo/index.ts';
import { IMPALAConfig } from '../algorithms/impala/index.ts';
import { PPOConfig } from '../algorithms/ppo/index.ts';
import type { Algorithm } from '../src/algorithm/algorithm.ts';
import '../src/index.ts';
import { openStream } from '../src/random/streams.ts';
import { describeMachine, load, machineLine } from './machine.ts';
import { stepTime } from './slow-env.ts';

const ENV = fileURLToPath(new URL('./slow-env.ts', import.meta.url));
const WORKERS = 4;
const STEPS = 16;
const FRAGMENTS = 16;
/** Of each contestant. */
const TURNS = 8;
/** Fewer, and a single long step would weigh too much. */
const MIN_STEPS = 96 * WORKERS * STEPS;

const { values: flags } = parseArgs({
  options: {
    'step-us': { type: 'string', default: '10,100,1000,10000' },
    seconds: { type: 'string', default: '4' },
    out: { type: 'string' },
  },
});

interface Contestant {
  readonly name: string;
  readonly lag: number | 'free';
  build(stepMs: number): Promise<Algorithm>;
}

const runners = { numEnvRunners: WORKERS, numEnvs: WORKERS, rolloutLength: STEPS };
const learners = { engine: 'simd' as const };

const contestants: readonly Contestant[] = [
  {
    name: 'PPO',
    lag: 0,
    build: (stepMs) =>
      new PPOConfig()
        .environment(ENV, { stepMs })
        .envRunners(runners)
        .learners({ ...learners, numLearnerThreads: 1 })
        .training({ numEpochs: 2, minibatchSize: WORKERS * STEPS })
        .build(),
  },
  ...([0, 1, 4, 'free'] as const).map((lag) => ({
    name: `IMPALA, lag ${lag}`,
    lag,
    build: (stepMs: number) =>
      new IMPALAConfig()
        .environment(ENV, { stepMs })
        .envRunners(runners)
        .learners(learners)
        .training({ lag, fragmentsPerIteration: FRAGMENTS })
        .build(),
  })),
  ...([1, 4, 'free'] as const).map((lag) => ({
    name: `APPO, lag ${lag}`,
    lag,
    build: (stepMs: number) =>
      new APPOConfig()
        .environment(ENV, { stepMs })
        .envRunners(runners)
        .learners(learners)
        .training({ lag, fragmentsPerIteration: FRAGMENTS, minibatchSize: WORKERS * STEPS })
        .build(),
  })),
];

/** What a contestant has done so far. */
interface Tally {
  steps: number;
  ms: number;
  learnMs: number;
  waitMs: number;
}

/** Trains for so long, and a turn's part of the fewest steps at least, by whole iterations: one of PPO is a fragment, one of the others `FRAGMENTS`. */
async function turn(algorithm: Algorithm, tally: Tally, ms: number): Promise<void> {
  const begin = performance.now();
  const first = algorithm.numEnvSteps;
  do {
    const { metrics } = await algorithm.train();
    tally.learnMs += metrics['time/learnMs'] + metrics['time/advantageMs'];
    tally.waitMs += metrics['time/rolloutMs'];
  } while (performance.now() - begin < ms || algorithm.numEnvSteps - first < MIN_STEPS / TURNS);
  tally.ms += performance.now() - begin;
  tally.steps += algorithm.numEnvSteps - first;
}

/** All contestants in turns, each for so many seconds in all and `MIN_STEPS` at least. */
async function measure(all: readonly Contestant[], stepMs: number, seconds: number): Promise<Tally[]> {
  const tallies = all.map((): Tally => ({ steps: 0, ms: 0, learnMs: 0, waitMs: 0 }));
  const algorithms: Algorithm[] = [];
  try {
    for (const { build } of all) algorithms.push(await build(stepMs));
    for (const algorithm of algorithms) await algorithm.train();
    while (tallies.some(({ steps, ms }) => steps < MIN_STEPS || ms < 1000 * seconds))
      for (const [k, algorithm] of algorithms.entries())
        await turn(algorithm, tallies[k], (1000 * seconds) / TURNS);
    return tallies;
  } finally {
    for (const algorithm of algorithms) await algorithm.stop();
  }
}

const fragmentsOf = ({ steps }: Tally) => steps / (WORKERS * STEPS);

/** Steps a second that the schedule of the head of this file gives. `free`: whoever is done goes on, and all that is collected is learnt from. */
function predict(lag: number | 'free', stepMs: number, overheadMs: number, learnMs: number): number {
  const stream = openStream(1, 'arithmetic');
  const fragmentMs = () => {
    let sum = 0;
    for (let t = 0; t < STEPS; t++) sum += overheadMs + stepMs * stepTime(stream.uniform());
    return sum;
  };
  const fragments = 4000;
  const finished = new Float64Array(WORKERS);
  if (lag === 'free') {
    let total = 0;
    for (let i = 0; i < fragments; i++) total += fragmentMs();
    return (1000 * WORKERS * STEPS) / Math.max(total / fragments, learnMs);
  }
  const learnt: number[] = [];
  for (let i = 0; i < fragments; i++) {
    const k = i % FRAGMENTS; // an iteration begins with nothing in flight
    const mayBegin = learnt[i - k + Math.max(0, k - lag) - 1] ?? 0;
    for (let w = 0; w < WORKERS; w++) finished[w] = Math.max(finished[w], mayBegin) + fragmentMs();
    learnt.push(Math.max(learnt[i - 1] ?? 0, ...finished) + learnMs);
  }
  return (1000 * fragments * WORKERS * STEPS) / learnt[fragments - 1];
}

const lines: string[] = [];
const tell = (line: string) => {
  console.log(line);
  lines.push(line);
};

const short = (rate: number) => (rate >= 1000 ? `${(rate / 1000).toFixed(1)}k` : rate.toFixed(0));

tell('# Asynchrony: steps a second where steps take long');
tell('');
tell(
  `${machineLine(describeMachine())}; load ${load()}. \`npm run bench:asynchrony\`; its head says what is measured.`,
);
const [idle] = await measure(contestants.slice(0, 1), 0, Number(flags.seconds));
/** What a step costs besides its own time: acting, and waking the workers. */
const overheadMs = idle.waitMs / fragmentsOf(idle) / STEPS;
for (const stepUs of flags['step-us'].split(',').map(Number)) {
  const stepMs = stepUs / 1000;
  tell('');
  tell(`## Steps of ${stepUs} us`);
  tell('');
  tell(
    '| | steps/s | beside PPO | by arithmetic, steps/s | by arithmetic, beside PPO | learner busy, ms a fragment |',
  );
  tell('|---|---:|---:|---:|---:|---:|');
  const tallies = await measure(contestants, stepMs, Number(flags.seconds));
  const rows = tallies.map((tally, k) => {
    const learnMs = tally.learnMs / fragmentsOf(tally);
    const { name, lag } = contestants[k];
    return {
      name,
      learnMs,
      rate: (1000 * tally.steps) / tally.ms,
      predicted: predict(lag, stepMs, overheadMs, learnMs),
    };
  });
  for (const { name, rate, predicted, learnMs } of rows) {
    const beside = [rate / rows[0].rate, predicted / rows[0].predicted].map((ratio) => ratio.toFixed(2));
    tell(
      `| ${name} | ${short(rate)} | ${beside[0]} | ${short(predicted)} | ${beside[1]} | ${learnMs.toFixed(2)} |`,
    );
  }
}
if (flags.out !== undefined) writeFileSync(flags.out, `${lines.join('\n')}\n`);
