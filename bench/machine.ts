/** Where and with what a figure was measured. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import process from 'node:process';

export interface Machine {
  readonly cpu: string;
  readonly numCores: number;
  readonly memoryGib: number;
  readonly system: string;
  readonly node: string;
  readonly operant: string;
  readonly commit: string;
  readonly date: string;
}

export function describeMachine(): Machine {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    numCores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    node: process.version,
    operant: manifest.version,
    commit: commit(),
    date: new Date().toISOString().slice(0, 10),
  };
}

/** Load average of the last minute: how busy the machine was with other things before a run. */
export const load = (): number => Math.round(loadavg()[0] * 100) / 100;

export function machineLine(machine: Machine): string {
  const { cpu, numCores, memoryGib, system, node, operant, commit, date } = machine;
  return `${date}, Operant ${operant} (${commit}), Node ${node}, ${cpu}, ${numCores} cores, ${memoryGib} GiB, ${system}`;
}

function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: new URL('..', import.meta.url), encoding: 'utf8' }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', 'src', 'algorithms', 'envs');
    return `${git('rev-parse', '--short', 'HEAD')}${changed === '' ? '' : ', changed'}`;
  } catch {
    return 'no commit';
  }
}
