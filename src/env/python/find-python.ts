/** Which Python runs environments, and the one that Operant keeps for that. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../../errors.ts';
import { pythonCommand } from '../../machine/python.ts';

/** Where the managed virtual environment lies: OPERANT_PYTHON_HOME, else operant/python in the platform's cache folder. */
export function managedFolder(): string {
  const { OPERANT_PYTHON_HOME: own, XDG_CACHE_HOME: cache } = process.env;
  if (own) return own;
  if (process.platform === 'darwin') return join(homedir(), 'Library/Caches/operant/python');
  return join(cache || join(homedir(), '.cache'), 'operant/python');
}

/** The interpreter of a virtual environment. */
export function pythonOf(folder: string): string {
  return join(folder, 'bin/python');
}

/**
 * The Python to start: the given one, OPERANT_PYTHON, the managed one (`operant python install`), that of an active virtual environment, `python3`.
 *
 * @param given a path, or a name that is looked for in PATH; null = none.
 */
export function findPython(given: string | null): string {
  if (given !== null) return given;
  const managed = pythonOf(managedFolder());
  return !process.env.OPERANT_PYTHON && existsSync(managed) ? managed : pythonCommand();
}

/**
 * Makes the managed virtual environment where there is none, and installs packages into it: with `uv` where that is found, else with
 * venv and pip. Their output goes to stderr.
 *
 * @param python what the virtual environment is made from.
 * @throws ConfigError `CONFIG_PYTHON_INSTALL` when one of the programs fails.
 */
export function installPackages(packages: readonly string[], python = 'python3'): string {
  const folder = managedFolder();
  const interpreter = pythonOf(folder);
  const hasUv = canRun('uv');
  if (!existsSync(interpreter)) {
    if (hasUv) runProgram('uv', ['venv', '--python', python, folder]);
    else runProgram(python, ['-m', 'venv', folder]);
  }
  if (hasUv) runProgram('uv', ['pip', 'install', '--python', interpreter, ...packages]);
  else runProgram(interpreter, ['-m', 'pip', 'install', '--disable-pip-version-check', ...packages]);
  return interpreter;
}

function canRun(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function runProgram(program: string, given: readonly string[]): void {
  try {
    execFileSync(program, given, { stdio: ['ignore', 2, 2] });
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new ConfigError('CONFIG_PYTHON_INSTALL', `${reason}. Its own words stand above.`, { cause: error });
  }
}
