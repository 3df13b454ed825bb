/**
 * Environment steps per second with random actions: the native vector, the same environment singly and vectorized (what a
 * user's environment costs), and Python's Gymnasium where it is found.
 *
 *     npx tsx bench/envs.bench.ts [--rounds 7] [--envs 64] [--only CartPole-v1,Taxi-v4] [--json FILE]
 *
 * OPERANT_GYM_PYTHON names a Python with gymnasium; else python3 is tried.
 */
import { execFileSync } from 'node:child_process';
import { argv, execArgv, execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { registerShippedEnvs, SHIPPED_ENVS } from '../envs/index.ts';
import { resolveEnv } from '../src/env/env-source.ts';
import { flatActionSize, flattenAction } from '../src/env/flatten-action.ts';
import { flattenObservationSpace } from '../src/env/flatten-space.ts';
import { makeVectorEnv } from '../src/env/load-env.ts';
import { sampleSpace } from '../src/env/space-values.ts';
import type { ActionArray, StepRows, VectorEnv } from '../src/env/vector-env.ts';
import { openStream } from '../src/random/streams.ts';
import { interleave, option, printHeader, printTable, type Variant, writeResults } from './harness.ts';

const NUM_ROUNDS = Number(option('rounds', '7'));
const NUM_ENVS = Number(option('envs', '64'));
const ONLY = option('only', '').split(',').filter(Boolean);
const NUM_STEPS = 200; // vector steps per sample
const GYM_SECONDS = 1;

const GYM_SCRIPT = `
import sys, time, json, gymnasium as gym
env = gym.make(sys.argv[1]); env.reset(seed=1); env.action_space.seed(1)
actions = [env.action_space.sample() for _ in range(997)]
rates = []
for _ in range(5):
    n = 0; start = time.perf_counter()
    while time.perf_counter() - start < float(sys.argv[2]) / 5:
        for _ in range(200):
            _, _, terminated, truncated, _ = env.step(actions[n % 997]); n += 1
            if terminated or truncated: env.reset()
    rates.append(n / (time.perf_counter() - start))
print(json.dumps({"rate": sorted(rates)[2], "version": gym.__version__}))
`;

registerShippedEnvs();
if (argv.includes('--row')) console.log(JSON.stringify(await measure(option('only', ''))));
else report();

interface Row {
  readonly env: string;
  readonly native: number;
  readonly wrapped: number;
  readonly spread: string;
  readonly gymnasium: number | null;
}

/** A process per environment, as a rollout worker has only one: V8 compiles its steps for that one. */
function report(): void {
  printHeader('Environment steps per second, random actions, one thread');
  const ids = SHIPPED_ENVS.map(({ id }) => id).filter((id) => ONLY.length === 0 || ONLY.includes(id));
  const rows = ids.map((id): Row => {
    const flags = ['--only', id, '--rounds', String(NUM_ROUNDS), '--envs', String(NUM_ENVS), '--row'];
    const child = [...execArgv, fileURLToPath(import.meta.url), ...flags];
    return JSON.parse(execFileSync(execPath, child, { encoding: 'utf8' })) as Row;
  });
  printTable(
    [
      'environment',
      'native',
      'quartiles',
      'wrapped singles',
      'native/wrapped',
      'Gymnasium',
      'native/Gymnasium',
    ],
    rows.map(({ env, native, wrapped, spread, gymnasium }) => [
      env,
      short(native),
      spread,
      short(wrapped),
      `${(native / wrapped).toFixed(1)}x`,
      gymnasium === null ? '-' : short(gymnasium),
      gymnasium === null ? '-' : `${(native / gymnasium).toFixed(0)}x`,
    ]),
  );
  writeResults({ numEnvs: NUM_ENVS, rows });
}

async function measure(id: string): Promise<Row> {
  const source = resolveEnv(id);
  const variants = [
    stepper('native', await makeVectorEnv(source, NUM_ENVS)),
    stepper('wrapped', await makeVectorEnv({ ...source, vectorExport: null }, NUM_ENVS)),
  ];
  const [native, wrapped] = await interleave(variants, { numRounds: NUM_ROUNDS, numWarmups: 3 });
  const rate = (microseconds: number) => 1e6 / microseconds;
  return {
    env: id,
    native: rate(native.median),
    wrapped: rate(wrapped.median),
    spread: `${short(rate(native.upperQuartile))} to ${short(rate(native.lowerQuartile))}`,
    gymnasium: gymnasiumRate(id),
  };
}

/** One variant: `NUM_STEPS` vector steps with actions drawn beforehand, under the masks where there are some. */
function stepper(name: string, env: VectorEnv): Variant {
  const size = flatActionSize(env.actionSpace);
  const stream = openStream(1, 'bench', name);
  const isBox = env.actionSpace.kind === 'box';
  const batches = Array.from({ length: 31 }, (): ActionArray => {
    const actions = isBox ? new Float32Array(NUM_ENVS * size) : new Int32Array(NUM_ENVS * size);
    for (let n = 0; n < NUM_ENVS; n++) {
      flattenAction(env.actionSpace, sampleSpace(env.actionSpace, stream), actions, n * size);
    }
    return actions;
  });
  const out = denseRows(env);
  const seeds = Uint32Array.from({ length: NUM_ENVS }, (_, n) => n);
  env.reset(seeds, out);
  const run = () => {
    for (let t = 0; t < NUM_STEPS; t++) {
      for (let n = 0; n < NUM_ENVS; n++) seeds[n] += NUM_ENVS;
      env.step(batches[t % batches.length], seeds, out);
    }
  };
  return { name, run, units: NUM_STEPS * NUM_ENVS };
}

function denseRows(env: VectorEnv): StepRows {
  const { size, dtype } = flattenObservationSpace(env.observationSpace);
  const make = () =>
    dtype === 'uint8' ? new Uint8Array(NUM_ENVS * size) : new Float32Array(NUM_ENVS * size);
  return {
    observations: make(), // [numEnvs, obsSize]
    observationOffset: 0,
    observationStride: size,
    rewards: new Float32Array(NUM_ENVS),
    terminated: new Uint8Array(NUM_ENVS),
    truncated: new Uint8Array(NUM_ENVS),
    scalarOffset: 0,
    scalarStride: 1,
    actionMasks: env.actionMaskSize > 0 ? new Uint8Array(NUM_ENVS * env.actionMaskSize) : null,
    maskOffset: 0,
    maskStride: env.actionMaskSize,
    finalObservations: make(), // [numEnvs, obsSize]
    onMetric: null,
  };
}

function gymnasiumRate(id: string): number | null {
  const python = process.env.OPERANT_GYM_PYTHON ?? 'python3';
  try {
    const output = execFileSync(python, ['-c', GYM_SCRIPT, id, String(GYM_SECONDS)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return (JSON.parse(output) as { rate: number }).rate;
  } catch {
    return null;
  }
}

function short(rate: number): string {
  return rate >= 1e6 ? `${(rate / 1e6).toFixed(2)} M` : `${(rate / 1e3).toFixed(1)} k`;
}
