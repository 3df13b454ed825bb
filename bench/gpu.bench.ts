/**
 * The TensorFlow engine on a CUDA GPU, one command: gradients against the CPU, training of CartPole and of an image
 * environment, update times, session calls per iteration. Writes `bench/results/gpu.md`.
 *
 *     npm run bench:gpu -- [--device gpu|cpu] [--rounds 20] [--train-seconds 120] [--out bench/results/gpu.md]
 *
 * `--device cpu` tries the script itself on a machine without a GPU; its file says so.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type LoadedTensorFlow, loadTensorFlow } from '../src/learner/tensorflow/backend.ts';
import type { DistributionSpec, PolicySpec } from '../src/policy/policy-spec.ts';
import { interleave, option, printHeader, type Timing } from './harness.ts';
import { describeMachine, machineLine } from './machine.ts';
import {
  makeTensorLearner,
  NATURE_CNN,
  planOf,
  randomTensorRollout,
  SMALL_CNN,
  specOf,
  tensorVariant,
} from './tensor-variants.ts';

const DEVICE = option('device', 'gpu');
const NUM_ROUNDS = Number(option('rounds', '20'));
const TRAIN_SECONDS = option('train-seconds', '120');
const OUT = option('out', DEVICE === 'gpu' ? 'bench/results/gpu.md' : 'bench/results/gpu-script-on-cpu.md');
/** Float32 sums in another order; TF32 on tensor cores would miss this by far. */
const GRADIENT_TOLERANCE = 1e-3;

const bounds = { low: [-1, -1], high: [1, 1] };
const DISTRIBUTIONS: Record<string, DistributionSpec> = {
  categorical: { kind: 'categorical', sizes: [3, 4] },
  bernoulli: { kind: 'bernoulli', size: 3 },
  gaussian: { kind: 'gaussian', size: 2, squash: true, ...bounds },
  gsde: { kind: 'gsde', size: 2, squash: false, sampleFrequency: 4, ...bounds },
};

/** A tenth of the clipped gradient of one minibatch: Adam's first moment after a step of size zero. */
async function gradientOn(tensorflow: LoadedTensorFlow, spec: PolicySpec): Promise<Float32Array> {
  const learner = await makeTensorLearner(tensorflow, spec, true);
  await learner.update(
    randomTensorRollout(spec, 64),
    planOf(spec, 64, { numMinibatches: 1, numEpochs: 1 }, 0),
  );
  const { m } = learner.readOptimizerState();
  await learner.dispose();
  return m;
}

function relativeDistance(a: Float32Array, b: Float32Array): number {
  const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
  return norm(a.map((x, i) => x - b[i])) / norm(b);
}

async function checkGradients(lines: string[]): Promise<boolean> {
  const specs: Record<string, PolicySpec> = {
    'small CNN, 8-bit images': SMALL_CNN,
    ...Object.fromEntries(
      Object.entries(DISTRIBUTIONS).map(([name, distribution]) => [name, specOf([6], distribution)]),
    ),
  };
  const expected: Record<string, Float32Array> = {};
  const reference = await loadTensorFlow({ backend: 'cpu' });
  for (const [name, spec] of Object.entries(specs)) expected[name] = await gradientOn(reference, spec);
  const tensorflow = await loadTensorFlow({ backend: 'node-gpu' });
  let right = true;
  lines.push('## Gradients', '', '| policy | distance from tfjs on the CPU | |', '| --- | --- | --- |');
  for (const [name, spec] of Object.entries(specs)) {
    const distance = relativeDistance(await gradientOn(tensorflow, spec), expected[name]);
    const passed = distance < GRADIENT_TOLERANCE;
    right &&= passed;
    lines.push(`| ${name} | ${distance.toExponential(1)} | ${passed ? 'passed' : 'FAILED'} |`);
  }
  lines.push('');
  return right;
}

/** Trains by the command line, as a user does. */
function train(lines: string[], title: string, args: readonly string[]): boolean {
  const main = new URL('../src/cli/main.ts', import.meta.url).pathname;
  const always = [
    '--engine',
    'tensorflow',
    '--backend',
    'node-gpu',
    '--seed',
    '0',
    '--json',
    '--stop-seconds',
    TRAIN_SECONDS,
  ];
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', main, 'train', '--algo', 'ppo', ...args, ...always],
    { encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  const summary = stdout.split('\n').flatMap((line) => {
    if (!line.includes('"type":"summary"')) return [];
    return [
      JSON.parse(line) as {
        stopReason: string;
        numEnvSteps: number;
        seconds: number;
        episodeReturnMean: number;
      },
    ];
  })[0];
  if (status !== 0 || summary === undefined) {
    lines.push(`| ${title} | FAILED: ${stderr.trim().split('\n').at(-1)} | | | |`);
    return false;
  }
  const { stopReason, numEnvSteps, seconds, episodeReturnMean } = summary;
  const cells = [title, stopReason, numEnvSteps, seconds.toFixed(0), episodeReturnMean.toFixed(2)];
  lines.push(`| ${cells.join(' | ')} |`);
  return true;
}

async function timeUpdates(tensorflow: LoadedTensorFlow, lines: string[]): Promise<void> {
  lines.push('## Update times', '', 'Microseconds per minibatch; upload of the rollout included.', '');
  lines.push(
    '| network | rows | captured: median (quartiles) | eager: median (quartiles) | ratio | session calls per iteration |',
  );
  lines.push('| --- | --- | --- | --- | --- | --- |');
  const cell = ({ median, lowerQuartile, upperQuartile }: Timing) =>
    `${median.toFixed(0)} (${lowerQuartile.toFixed(0)}-${upperQuartile.toFixed(0)})`;
  const networks: [string, PolicySpec, number[]][] = [
    ['MLP 2x64 + 2x64', specOf([4], { kind: 'categorical', sizes: [2] }), [64, 256, 2048, 8192]],
    ['MLP 2x512 + 2x512', wideSpec(512), [256, 2048]],
    ['small CNN 10x10x4', SMALL_CNN, [256, 1024]],
    ['Nature CNN 84x84x4', NATURE_CNN, DEVICE === 'gpu' ? [32, 256] : [32]],
  ];
  for (const [name, spec, sizes] of networks) {
    for (const rows of sizes) {
      const captured = await tensorVariant(tensorflow, spec, rows, {
        capture: true,
        passes: { numMinibatches: 8, numEpochs: 1 },
      });
      const eager = await tensorVariant(tensorflow, spec, rows, {
        capture: false,
        passes: { numMinibatches: 1, numEpochs: 1 },
      });
      const variants = [captured.variant, eager.variant];
      const [one, two] = await interleave(variants, { numRounds: NUM_ROUNDS, numWarmups: 3 });
      const before = captured.learner.numSessionCalls;
      await captured.variant.run();
      const calls = captured.learner.numSessionCalls - before;
      const ratio = (two.median / one.median).toFixed(1);
      lines.push(
        `| ${name} | ${rows} | ${cell(one)} | ${cell(two)} | ${ratio} | ${calls} for 8 minibatches |`,
      );
      console.log(lines.at(-1));
      await captured.learner.dispose();
      await eager.learner.dispose();
    }
  }
  lines.push('');
}

function wideSpec(width: number): PolicySpec {
  const spec = specOf([64], { kind: 'categorical', sizes: [8] });
  return {
    ...spec,
    network: { kind: 'mlp', hiddenSizes: [width, width], activation: 'tanh', shared: false },
  };
}

async function main(): Promise<number> {
  printHeader(`TensorFlow engine on the ${DEVICE === 'gpu' ? 'GPU' : 'CPU'}`);
  const tensorflow = await loadTensorFlow({ backend: 'node-gpu' }).catch((error: Error) => error);
  if (tensorflow instanceof Error) {
    process.stderr.write(`${tensorflow.message}\n`);
    return 1;
  }
  if (DEVICE === 'gpu' && !tensorflow.gpu) {
    process.stderr.write(
      'TensorFlow found no CUDA GPU. Run `operant install-tensorflow --gpu`, look at `operant doctor`, or try the script with --device cpu.\n',
    );
    return 1;
  }
  console.log(`${tensorflow.reason}\n`);
  const lines = [
    '# TensorFlow engine, native binding',
    '',
    `${machineLine(describeMachine())}. ${tensorflow.reason}.`,
    '',
  ];
  if (!tensorflow.gpu) lines.push('NOT A GPU: this run only tried the script on a CPU.', '');
  const passed = [await checkGradients(lines)];
  await timeUpdates(await loadTensorFlow({ backend: 'node-gpu' }), lines);
  lines.push(
    '## Training',
    '',
    '| run | stopped by | steps | seconds | mean return |',
    '| --- | --- | --- | --- | --- |',
  );
  const image = JSON.stringify({ observation: 'image', size: 10 });
  passed.push(train(lines, 'PPO on CartPole-v1', ['--env', 'CartPole']));
  passed.push(
    train(lines, 'PPO on Snake-v1, 10 x 10 x 3 images', [
      '--env',
      'Snake',
      '--env-options',
      image,
      '--network',
      'conv',
    ]),
  );
  mkdirSync(dirname(OUT), { recursive: true });
  writeFileSync(OUT, `${lines.join('\n')}\n`);
  console.log(`${lines.slice(4).join('\n')}\nWritten to ${OUT}.`);
  return passed.every(Boolean) ? 0 : 1;
}

process.exitCode = await main();
