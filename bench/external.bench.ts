/**
 * Steps per second of a simulator in a Node process of its own that connects over a WebSocket: environments alone, and under PPO with a policy of 2x64.
 *
 *     npm run bench:external -- [--rows 16] [--rounds 7]
 *
 * Both ends share the machine. `cpu us` is this process's processor time a step; the client's own is not in it.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { resolveEnv } from '../src/env/env-source.ts';
import { makeVectorEnv } from '../src/env/load-env.ts';
import { PPOConfig } from '../src/index.ts';
import { makeRows } from '../test/env/step-rows.ts';
import { option, printHeader, printTable } from './harness.ts';
import { median } from './statistics.ts';

const NUM_ROWS = Number(option('rows', '16'));
const NUM_ROUNDS = Number(option('rounds', '7'));
const NUM_STEPS = 1000;
const PORT = 11_098;

/** CartPoles of ours, served. */
function startClient() {
  const loader = fileURLToPath(new URL('../.ci/typescript.mjs', import.meta.url));
  const file = fileURLToPath(new URL('./external-client.ts', import.meta.url));
  const given = ['--import', loader, file, `ws://127.0.0.1:${PORT}`, String(NUM_ROWS)];
  return spawn(process.execPath, given, { stdio: ['ignore', 'ignore', 'inherit'] });
}

interface Sample {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

async function measure(numSteps: number, run: () => Promise<unknown>): Promise<Sample> {
  const cpu = process.cpuUsage();
  const begin = performance.now();
  await run();
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: numSteps / seconds, cpuMicros: (user + system) / numSteps };
}

async function environmentsAlone(): Promise<Sample[]> {
  const client = startClient();
  const env = await makeVectorEnv(resolveEnv('external:CartPole', { port: PORT }), NUM_ROWS);
  const { deferred } = env;
  if (deferred === undefined) throw new Error('Expected an environment that answers later.');
  const rows = makeRows(env);
  const seeds = Uint32Array.from({ length: NUM_ROWS }, (_, n) => n);
  const actions = new Int32Array(NUM_ROWS);
  await Promise.all([...seeds].map((seed, n) => deferred.reset(n, seed)));
  env.reset(seeds, rows);
  const playRow = async (n: number) => {
    for (let t = 0; t < NUM_STEPS; t++) {
      actions[n] = (t >> 2) % 2;
      await deferred.step(n, actions, seeds[n]);
      deferred.stepRow(n, actions, seeds, rows);
    }
  };
  const samples = [];
  for (let k = 0; k <= NUM_ROUNDS; k++)
    samples.push(await measure(NUM_ROWS * NUM_STEPS, () => Promise.all([...seeds.keys()].map(playRow))));
  env.close?.();
  client.kill();
  return samples.slice(1);
}

async function underPpo(): Promise<Sample[]> {
  const client = startClient();
  const algorithm = await new PPOConfig()
    .environment('external:CartPole', { port: PORT })
    .envRunners({ numEnvs: NUM_ROWS, rolloutLength: NUM_STEPS })
    .training({ numEpochs: 1, minibatchSize: NUM_ROWS * NUM_STEPS })
    .build();
  const samples = [];
  for (let k = 0; k <= NUM_ROUNDS; k++) {
    const cpu = process.cpuUsage();
    const { metrics } = await algorithm.train();
    const { user, system } = process.cpuUsage(cpu);
    const numSteps = NUM_ROWS * NUM_STEPS;
    samples.push({
      perSecond: (1000 * numSteps) / metrics['time/rolloutMs'],
      cpuMicros: (user + system) / numSteps,
    });
  }
  await algorithm.stop();
  client.kill();
  return samples.slice(1);
}

printHeader(`A Node client with ${NUM_ROWS} environments over a WebSocket`);
const cells = [];
for (const [name, run] of [
  ['environments alone', environmentsAlone],
  ["PPO's rollouts (cpu with its update)", underPpo],
] as const) {
  const samples = await run();
  const rates = samples.map(({ perSecond }) => perSecond);
  const show = (x: number) => Math.round(x).toLocaleString('en');
  cells.push([
    name,
    show(median(rates)),
    `${show(Math.min(...rates))}-${show(Math.max(...rates))}`,
    median(samples.map(({ cpuMicros }) => cpuMicros)).toFixed(1),
  ]);
}
printTable(['what', 'steps/s', 'range', 'cpu us'], cells);
