/**
 * Rows per second of Python's own vector environments through the bridge, beside the same loop in Python alone, in turns, and what a call costs more: where both sides look for
 * each other's answers (`pollMicroseconds`), and where they sleep until they come. All begin each round with a reset by the same seeds, since a frame of a game costs more at some
 * points of it than at others. Needs a Python with gymnasium and ale-py (OPERANT_PYTHON, or `operant python install`).
 *
 *     npm run bench:python-envs -- [--rounds 9] [--poll 300]
 */
import { execFileSync } from 'node:child_process';
import { registerShippedEnvs } from '../envs/index.ts';
import { resolveEnv } from '../src/env/env-source.ts';
import { makeVectorEnv } from '../src/env/load-env.ts';
import { findPython } from '../src/env/python/find-python.ts';
import type { AutoresetMode, VectorEnv } from '../src/env/vector-env.ts';
import { makeRows } from '../test/env/step-rows.ts';
import { option, printHeader, printTable } from './harness.ts';
import { median } from './statistics.ts';

const NUM_ROUNDS = Number(option('rounds', '9'));
const POLL_MICROSECONDS = Number(option('poll', '300'));

interface Task {
  readonly id: string;
  readonly numEnvs: number;
  readonly numSteps: number;
  readonly mode: AutoresetMode;
  readonly kwargs: Readonly<Record<string, number>>;
}

const TASKS: readonly Task[] = [
  { id: 'CartPole-v1', numEnvs: 64, numSteps: 3000, mode: 'next-step', kwargs: {} },
  { id: 'ALE/Pong-v5', numEnvs: 8, numSteps: 150, mode: 'same-step', kwargs: { num_threads: 1 } },
];

registerShippedEnvs();
printHeader("Python's vector environments through the bridge, one process");
const cells = [];
for (const task of TASKS) cells.push(await measure(task));
printTable(
  [
    'environment',
    'rows',
    'bridge rows/s',
    'Python rows/s',
    'bridge/Python',
    'us more a call',
    'asleep: bridge/Python',
    'us more a call',
  ],
  cells,
);

async function measure({ id, numEnvs, numSteps, mode, kwargs }: Task): Promise<string[]> {
  const open = async (pollMicroseconds: number) => {
    const options = { vectorization: 'vector', kwargs, infoMetrics: false, pollMicroseconds };
    const env = await makeVectorEnv(resolveEnv(`gymnasium:${id}`, options), numEnvs, mode);
    const play = openPlay(env, numSteps);
    play();
    return { play, close: () => env.close?.() };
  };
  const [looking, asleep] = [await open(POLL_MICROSECONDS), await open(0)];
  const samples = Array.from({ length: NUM_ROUNDS }, () => ({
    here: looking.play(),
    asleep: asleep.play(),
    there: inPython({ id, numEnvs, numSteps, kwargs }),
  }));
  for (const { close } of [looking, asleep]) close();
  const perCall = (name: 'here' | 'there') => median(samples.map((sample) => sample[name]));
  const compared = (name: 'here' | 'asleep') => [
    median(samples.map((sample) => sample.there / sample[name])).toFixed(2),
    median(samples.map((sample) => sample[name] - sample.there)).toFixed(0),
  ];
  const rate = (us: number) => Math.round((numEnvs / us) * 1e6).toLocaleString('en');
  return [
    id,
    String(numEnvs),
    rate(perCall('here')),
    rate(perCall('there')),
    ...compared('here'),
    ...compared('asleep'),
  ];
}

/** Microseconds a call, after a tenth as many that are not counted. */
function openPlay(env: VectorEnv, numSteps: number): () => number {
  const { numEnvs } = env;
  const rows = makeRows(env);
  const actions = new Int32Array(numEnvs);
  const seeds = Uint32Array.from({ length: numEnvs }, (_, n) => n);
  const step = (count: number) => {
    for (let t = 0; t < count; t++) {
      for (let n = 0; n < numEnvs; n++) actions[n] = ((t >> 2) + n) % 2;
      env.step(actions, seeds, rows);
    }
  };
  return () => {
    env.reset(seeds, rows);
    step(Math.floor(numSteps / 10));
    const begin = performance.now();
    step(numSteps);
    return ((performance.now() - begin) / numSteps) * 1000;
  };
}

function inPython({ id, numEnvs, numSteps, kwargs }: Omit<Task, 'mode'>): number {
  const script = `
import json, sys, time
import gymnasium, numpy as np
id, num_envs, num_steps, kwargs = json.loads(sys.argv[1])
if id.startswith("ALE/"):
    import ale_py
    gymnasium.register_envs(ale_py)
env = gymnasium.make_vec(id, num_envs, vectorization_mode="vector_entry_point", **kwargs)
rows = np.arange(num_envs)
env.reset(seed=rows if id.startswith("ALE/") else 0)
for count in (num_steps // 10, num_steps):
    begin = time.perf_counter()
    for t in range(count):
        env.step(((t >> 2) + rows) % 2)
print((time.perf_counter() - begin) / num_steps * 1e6)`;
  const given = JSON.stringify([id, numEnvs, numSteps, kwargs]);
  return Number(execFileSync(findPython(null), ['-c', script, given], { encoding: 'utf8' }));
}
