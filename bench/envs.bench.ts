/**
 * Environment steps per second with random actions: the native vector, the same environment singly and vectorized (what a
 * user's environment costs), and Python's Gymnasium where it is found (`OPERANT_GYM_PYTHON`, the Python of `bench:peers`, or
 * python3). Of tic-tac-toe, connect four and simple_spread steps are those of all agents, beside PettingZoo and mpe2 (`OPERANT_ZOO_PYTHON`, or the Python of
 * `bench:peers`). Samples of the three are taken in turn.
 *
 *     npm run bench:envs -- [--rounds 15] [--envs 64] [--only CartPole-v1,Taxi-v4] [--out DIR]
 *     npm run bench:envs -- --threads 1,2 --only LunarLander-v3,Ant-v5 [--rounds 5]
 *
 * `--threads`: steps per second of so many worker threads at once, each with environments of its own.
 *
 * Writes DIR/envs.md and envs.json, by default to bench/results; with `--only` it prints alone.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, execArgv, execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { registerShippedEnvs, SHIPPED_ENVS } from '../envs/index.ts';
import { resolveEnv } from '../src/env/env-source.ts';
import { makeVectorEnv } from '../src/env/load-env.ts';
import type { VectorEnv } from '../src/env/vector-env.ts';
import { isPeerInstalled, type Peer } from '../src/modules/import-peer.ts';
import { GAMES_ALONE, measureGame } from './agents/games-alone.ts';
import { openRandomSteps } from './env-steps.ts';
import { measureThreads } from './env-threads.ts';
import { findGymnasium, startGymnasium } from './gymnasium-process.ts';
import { interleave, option, printHeader, printTable, type Timing, type Variant } from './harness.ts';
import { describeMachine, load, machineLine } from './machine.ts';
import { median } from './statistics.ts';

const NUM_ROUNDS = Number(option('rounds', '15'));
const NUM_ENVS = Number(option('envs', '64'));
const ONLY = option('only', '').split(',').filter(Boolean);
const OUT = option('out', fileURLToPath(new URL('results', import.meta.url)));
const THREADS = option('threads', '').split(',').filter(Boolean).map(Number);
const NUM_STEPS = 200; // vector steps per sample
const NUM_GYMNASIUM_STEPS = 1000;

interface Row {
  readonly env: string;
  /** Steps per second: median, quartiles. */
  readonly native: number;
  readonly quartiles: readonly [number, number];
  readonly wrapped: number;
  readonly gymnasium: number | null;
  /** Medians of the ratios within a round. */
  readonly nativeOverWrapped: number;
  readonly nativeOverGymnasium: number | null;
}

registerShippedEnvs();
if (THREADS.length > 0) await reportThreads();
else if (argv.includes('--row')) console.log(JSON.stringify(await measure(option('only', ''))));
else report();

/** A process per environment, as a rollout worker has only one: V8 compiles its steps for that one. */
function report(): void {
  printHeader('Environment steps per second, random actions, one thread');
  const firstLoad = load();
  const isThere = (peer: Peer | undefined) => peer === undefined || isPeerInstalled(peer);
  const ids = SHIPPED_ENVS.filter(
    ({ id, peer, agents }) => isThere(peer) && (agents !== true || id in GAMES_ALONE),
  )
    .map(({ id }) => id)
    .filter((id) => ONLY.length === 0 || ONLY.includes(id));
  const rows = ids.map((id): Row => {
    const flags = ['--only', id, '--rounds', String(NUM_ROUNDS), '--envs', String(NUM_ENVS), '--row'];
    const child = [...execArgv, fileURLToPath(import.meta.url), ...flags];
    return JSON.parse(execFileSync(execPath, child, { encoding: 'utf8' })) as Row;
  });
  const gymnasium = findGymnasium();
  const header = [
    'environment',
    'native',
    'quartiles',
    'wrapped singles',
    'native/wrapped',
    gymnasium ? `Gymnasium ${gymnasium.version}` : 'Gymnasium',
    'native/Gymnasium',
  ];
  const cells = rows.map((row) => [
    row.env,
    short(row.native),
    row.quartiles.map(short).join(' to '),
    short(row.wrapped),
    `${row.nativeOverWrapped.toFixed(1)}x`,
    row.gymnasium === null ? '-' : short(row.gymnasium),
    row.nativeOverGymnasium === null ? '-' : `${times(row.nativeOverGymnasium)}x`,
  ]);
  printTable(header, cells);
  if (ONLY.length > 0) return;
  const machine = describeMachine();
  const loads = [firstLoad, load()];
  const lines = [header, header.map(() => '---'), ...cells].map((line) => `| ${line.join(' | ')} |`);
  const text = [
    '# Speed of environments',
    `${machineLine(machine)}. Load average ${loads.join(' to ')}.`,
    `Steps per second with random actions in one thread, medians of ${NUM_ROUNDS} samples that were taken in turn; ratios are medians of the rounds' ratios. Native: the shipped vector environment, ${NUM_ENVS} at a time. Wrapped singles: the same written as single environments and vectorized by Operant, which is what an environment of one's own costs. Gymnasium: \`gym.make\`, one environment. Resets are included. Of games of several agents (${Object.keys(GAMES_ALONE).join(', ')}) steps are those of all agents, with random allowed actions; in Gymnasium's place are PettingZoo and mpe2, one game. Made by \`npm run bench:envs\`.`,
    lines.join('\n'),
    '',
  ];
  writeFileSync(join(OUT, 'envs.md'), text.join('\n\n'));
  writeFileSync(
    join(OUT, 'envs.json'),
    `${JSON.stringify({ machine, loads, numEnvs: NUM_ENVS, rows }, null, 1)}\n`,
  );
}

async function reportThreads(): Promise<void> {
  printHeader('Environment steps per second of several worker threads at once, random actions');
  const cells = [];
  for (const id of ONLY)
    for (const { numThreads, rate, perProcessor, overOne, perProcessorOverOne } of await measureThreads(
      id,
      THREADS,
      { numEnvs: NUM_ENVS, numRounds: NUM_ROUNDS },
    ))
      cells.push([
        id,
        String(numThreads),
        short(rate),
        overOne.toFixed(2),
        short(perProcessor),
        perProcessorOverOne.toFixed(2),
      ]);
  printTable(
    ['environment', 'threads', 'steps/s', 'of one thread', 'steps a processor second', 'of one thread'],
    cells,
  );
}

async function measure(id: string): Promise<Row> {
  if (id in GAMES_ALONE) {
    const { zoo, nativeOverZoo, ...rates } = await measureGame(id, NUM_ENVS, NUM_ROUNDS);
    return { env: id, ...rates, gymnasium: zoo, nativeOverGymnasium: nativeOverZoo };
  }
  const source = resolveEnv(id);
  const found = findGymnasium();
  const gymnasium = found && (await startGymnasium(found.python, id));
  const variants = [
    stepper('native', await makeVectorEnv(source, NUM_ENVS)),
    stepper('wrapped', await makeVectorEnv({ ...source, vectorExport: null }, NUM_ENVS)),
  ];
  if (gymnasium) {
    const run = () => gymnasium.step(NUM_GYMNASIUM_STEPS);
    variants.push({ name: 'gymnasium', run, units: NUM_GYMNASIUM_STEPS });
  }
  const timings = await interleave(variants, { numRounds: NUM_ROUNDS, numWarmups: 5 });
  gymnasium?.close();
  const [native, wrapped, other] = timings as [Timing, Timing, Timing | undefined];
  const rate = (microseconds: number) => 1e6 / microseconds;
  const ratio = (slower: Timing) => median(slower.samples.map((sample, k) => sample / native.samples[k]));
  return {
    env: id,
    native: rate(native.median),
    quartiles: [rate(native.upperQuartile), rate(native.lowerQuartile)],
    wrapped: rate(wrapped.median),
    gymnasium: other ? rate(other.median) : null,
    nativeOverWrapped: ratio(wrapped),
    nativeOverGymnasium: other ? ratio(other) : null,
  };
}

function stepper(name: string, env: VectorEnv): Variant {
  const step = openRandomSteps(env);
  return { name, run: () => step(NUM_STEPS), units: NUM_STEPS * NUM_ENVS };
}

function times(ratio: number): string {
  return ratio.toFixed(ratio < 9.95 ? 1 : 0);
}

function short(rate: number): string {
  return rate >= 1e6 ? `${(rate / 1e6).toFixed(2)} M` : `${(rate / 1e3).toFixed(1)} k`;
}
