/**
 * How long until something is learned: from the start of the process to the first environment step, to the end of the first
 * iteration, and to the end of a run of one iteration. CartPole, 8 environments x 32 steps, two worker threads.
 *
 *     npm run build && npm run bench:startup -- [--rounds 15] [--json FILE] [--only builds] [--beside FOLDER]
 *
 * `--beside` is another checkout with a dist/ of its own, whose builds are timed in turn with these.
 *
 * And how long a build takes, the first of a process and the ones after a `stop()`, by the clock and in processor time of all its threads.
 *
 * Variants are interleaved. `Node alone`, `operant --version` and `train --help` (everything up to the configuration) are the parts
 * that come before. Certificates that NODE_EXTRA_CA_CERTS names are left out: reading them costs Node up to 50 ms that are not ours.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { option, printHeader, printTable, writeResults } from './harness.ts';
import { median } from './statistics.ts';

const NUM_BUILDS = 3;
const NUM_ROUNDS = Number(option('rounds', '15'));
const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const url = (path: string) => new URL(`../${path}`, import.meta.url).href;
const PROBE = `${at('bench/startup-env.mjs')}#firstStep`;
const ENV_RUNNERS = { numEnvRunners: 2, numEnvs: 8, rolloutLength: 32 };
const TRAINING = { minibatchSize: 256, numEpochs: 20 };

/** Milliseconds since the process was started; absent = it does not do that. */
interface Marks {
  readonly firstStep?: number;
  readonly firstIteration?: number;
  readonly end: number;
}

interface Variant {
  readonly name: string;
  readonly args: (runFolder: string) => readonly string[];
  /** The module whose environment is stepped. */
  readonly cartPole?: string;
}

const flags = (folder: string) => [
  ...['--env', PROBE, '--num-env-runners', '2', '--num-envs', '8', '--rollout-length', '32'],
  ...['--minibatch-size', '256', '--num-epochs', '20', '--stop-iterations', '1', '--json', '--out', folder],
];
const library = `
import { PPOConfig } from '${url('dist/src/index.js')}';
const algorithm = await new PPOConfig().environment('${PROBE}').envRunners(${JSON.stringify(ENV_RUNNERS)})
  .training(${JSON.stringify(TRAINING)}).build();
await algorithm.train();
console.log('trained');
await algorithm.stop();`;

/** Prints milliseconds by the clock and of processor time, build by build. */
const builds = (root: string, numEnvRunners: number) => `
import { PPOConfig } from '${root}/dist/src/index.js';
const told = [];
for (let k = 0; k < ${NUM_BUILDS}; k++) {
  const [time, cpu] = [performance.now(), process.cpuUsage()];
  const algorithm = await new PPOConfig().environment('CartPole-v1')
    .envRunners(${JSON.stringify({ ...ENV_RUNNERS, numEnvRunners: 0 })}).envRunners({ numEnvRunners: ${numEnvRunners} })
    .training(${JSON.stringify(TRAINING)}).build();
  const { user, system } = process.cpuUsage(cpu);
  told.push([performance.now() - time, (user + system) / 1000]);
  await algorithm.train();
  await algorithm.stop();
}
console.log(JSON.stringify(told));`;

/** By checkout and number of workers; [build][clock, processor time], ms. */
async function timeBuilds(): Promise<void> {
  const beside = option('beside', '');
  const roots = [at('.').replace(/\/$/, ''), ...(beside === '' ? [] : [beside])];
  const variants = roots.flatMap((root) => [0, 2].map((numEnvRunners) => ({ root, numEnvRunners })));
  const times = variants.map((): number[][][] => []);
  for (let round = -1; round < NUM_ROUNDS; round++) {
    for (const [k, { root, numEnvRunners }] of variants.entries()) {
      const code = builds(pathToFileURL(root).href, numEnvRunners);
      const stdout = execFileSync(execPath, ['--input-type=module', '-e', code], {
        cwd: at('.'),
        encoding: 'utf8',
      });
      if (round >= 0) times[k].push(JSON.parse(stdout));
    }
  }
  const column = (k: number, build: number) =>
    [0, 1].map((which) => spread(times[k].map((told) => told[build][which]))).join('; ');
  printTable(
    [
      'build: clock; processor time, ms',
      ...Array.from({ length: NUM_BUILDS }, (_, build) => `build ${build + 1}`),
    ],
    variants.map(({ root, numEnvRunners }, k) => [
      `${numEnvRunners} workers, ${root}`,
      ...Array.from({ length: NUM_BUILDS }, (_, build) => column(k, build)),
    ]),
  );
}

const DIST = 'dist/envs/cart-pole.js';
const VARIANTS: readonly Variant[] = [
  { name: 'Node alone', args: () => ['-e', '0'] },
  { name: 'operant --version', args: () => [at('dist/src/cli/main.js'), '--version'] },
  { name: 'train --help', args: () => [at('dist/src/cli/train.js'), '--help'] },
  {
    name: 'train, compiled',
    args: (folder) => [at('dist/src/cli/train.js'), ...flags(folder)],
    cartPole: DIST,
  },
  { name: 'as a library, compiled', args: () => ['--input-type=module', '-e', library], cartPole: DIST },
  {
    name: 'train, from sources',
    args: (folder) => ['--import', 'tsx', at('src/cli/train.ts'), ...flags(folder)],
    cartPole: 'envs/cart-pole.ts',
  },
];

function run({ args, cartPole = '' }: Variant): Promise<Marks> {
  const folder = mkdtempSync(join(tmpdir(), 'operant-startup-'));
  const now = () => performance.timeOrigin + performance.now();
  const start = now();
  const child = spawn(execPath, args(join(folder, 'run')), {
    cwd: at('.'),
    env: { ...process.env, NODE_EXTRA_CA_CERTS: '', STARTUP_CART_POLE: cartPole && url(cartPole) },
  });
  let firstIteration: number | undefined;
  let stderr = '';
  child.stdout.once('data', () => {
    firstIteration = now() - start;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('close', (code) => {
      const end = now() - start;
      rmSync(folder, { recursive: true });
      const steps = [...stderr.matchAll(/first step ([\d.]+)/g)].map(([, time]) => Number(time) - start);
      if (code !== 0) reject(new Error(stderr));
      else if (steps.length === 0) resolve({ end });
      else resolve({ firstStep: Math.min(...steps), ...(firstIteration && { firstIteration }), end });
    });
  });
}

/** Median / least / greatest. */
function spread(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return '';
  return [median(known), Math.min(...known), Math.max(...known)].map((ms) => ms.toFixed(0)).join(' / ');
}

async function timeStarts(): Promise<void> {
  printHeader('From the start of the process, ms');
  const marks = VARIANTS.map((): Marks[] => []);
  for (let round = -1; round < NUM_ROUNDS; round++) {
    for (const [k, variant] of VARIANTS.entries()) {
      const measured = await run(variant);
      if (round >= 0) marks[k].push(measured); // the first round fills the disk's cache
    }
  }
  printTable(
    ['median / least / greatest', 'first environment step', 'first iteration done', 'process ended'],
    VARIANTS.map(({ name }, k) => [
      name,
      spread(marks[k].map((mark) => mark.firstStep)),
      spread(marks[k].map((mark) => mark.firstIteration)),
      spread(marks[k].map((mark) => mark.end)),
    ]),
  );
  writeResults({ bench: 'startup', variants: VARIANTS.map(({ name }, k) => ({ name, marks: marks[k] })) });
}

if (!existsSync(at('dist'))) throw new Error('There is no dist/: npm run build comes first.');
if (option('only', 'starts') === 'starts') await timeStarts();
printHeader('Builds of one process, ms: median / least / greatest');
await timeBuilds();
