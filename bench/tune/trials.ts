/** Eight trials of CartPole, two at a time: the commands from a bare pool, as a study, and under Ray Tune. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const RATES = [1e-4, 2e-4, 3e-4, 4e-4, 5e-4, 6e-4, 7e-4, 8e-4];
export const NUM_TRIALS = RATES.length;
const SHARED = ['--env', 'CartPole', '--no-tuned', '--num-env-runners', '0'];

/** Seconds, with those of all processes that have ended. */
export interface Cost {
  readonly elapsed: number;
  readonly cpu: number;
}

/** @param cli arguments of node that are `operant`. @param numSteps of a trial. @param folder of their run folders. */
export function trialCommands(cli: readonly string[], numSteps: number, folder: string): readonly string[][] {
  return RATES.map((rate, k) => [
    ...[process.execPath, ...cli, 'train', ...SHARED, '--stop-steps', String(numSteps)],
    ...['--no-csv', '--learning-rate', String(rate), '--quiet', '--json', '--out', join(folder, String(k))],
  ]);
}

/** The commands from a pool of two. */
export function runPool(commands: readonly string[][]): Promise<Cost> {
  const waiting = [...commands];
  let cpu = 0;
  const work = async () => {
    for (let command = waiting.shift(); command !== undefined; command = waiting.shift()) {
      const own = await run(command); // before `cpu` is read: two of these run side by side
      cpu += own.cpu;
    }
  };
  return costOf(async () => {
    await Promise.all([work(), work()]);
    return cpu;
  });
}

/** The same trials as a study. */
export function runStudy(cli: readonly string[], numSteps: number, out: string): Promise<Cost> {
  const space = JSON.stringify({ learningRate: { choice: RATES } });
  const study = ['tune', ...SHARED, '--stop-steps', String(numSteps), '--space', space, '--searcher', 'grid'];
  const rest = ['--final-seeds', '0', '--suggestion-lag', '7', '--parallel', '2', '--quiet', '--out', out];
  return costOf(async () => (await run([process.execPath, ...cli, ...study, ...rest])).cpu);
}

/** Ray Tune's cost of running the commands, without `ray.init`. */
export type RayCost = Cost & { readonly init: number; readonly version: string };

/** @param python one that may have ray[tune]. @returns null where it has none. */
export async function runUnderRay(
  python: string,
  commands: readonly string[][],
  storage: string,
): Promise<RayCost | null> {
  const script = fileURLToPath(new URL('ray_trials.py', import.meta.url));
  const done = await run([python, script, JSON.stringify(commands), storage]).catch(() => null);
  if (done === null) return null;
  const told = done.stdout.split('\n').find((line) => line.startsWith('{"version"')) ?? '';
  const { version, init, fit } = JSON.parse(told) as { version: string; init: number; fit: number };
  return { version, init, elapsed: fit, cpu: done.cpu };
}

/** @param work returns its processor time. */
async function costOf(work: () => Promise<number>): Promise<Cost> {
  const begin = performance.now();
  const cpu = await work();
  return { elapsed: (performance.now() - begin) / 1000, cpu };
}

/** A shell says what its children took, and theirs. */
const TIMED = '"$@"; code=$?; times; exit $code';

async function run(command: readonly string[]): Promise<{ readonly cpu: number; readonly stdout: string }> {
  const child = spawn('sh', ['-c', TIMED, 'sh', ...command], { stdio: ['ignore', 'pipe', 'ignore'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${command.join(' ')}: exit ${code}`);
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  const cpu = [...last.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, m, s]) => sum + 60 * Number(m) + Number(s),
    0,
  );
  return { cpu, stdout };
}
