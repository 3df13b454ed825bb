/** An empty project with the packed package installed in it, as a user gets it. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end without a terminal or input; `what failed` reads well in an assertion's message. */
export function runCommand(
  command: string,
  args: readonly string[],
  cwd: string,
  environment: NodeJS.ProcessEnv = {},
): Finished {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
    shell: process.platform === 'win32',
    maxBuffer: 64 * 2 ** 20,
  });
  if (error) throw error;
  return { status, stdout, stderr };
}

/** The same for tests that run beside each other: most of such a command's time is that of one processor. */
export function runBeside(
  command: string,
  args: readonly string[],
  cwd: string,
  environment: NodeJS.ProcessEnv = {},
): Promise<Finished> {
  const child = spawn(command, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
    shell: process.platform === 'win32',
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, ...said }));
  });
}

export function temporaryProject(name: string): string {
  return realpathSync(mkdtempSync(join(tmpdir(), `operant-${name}-`)));
}

/** The tarball that CI made, or one that is made once for a file; packing builds dist/ first. */
export function packedTarball(): string {
  const given = process.env.OPERANT_TARBALL;
  if (given !== undefined && given !== '') return given;
  made ??= pack();
  return made;
}

let made: string | null = null;

function pack(): string {
  const folder = temporaryProject('tarball');
  const packed = runCommand('npm', ['pack', '--silent', '--pack-destination', folder], REPOSITORY);
  if (packed.status !== 0) throw new Error(`npm pack failed:\n${packed.stdout}\n${packed.stderr}`);
  return join(folder, readdirSync(folder)[0]);
}

/** `npm install <tarball> <flags>` in a new project; throws with npm's words when it fails. */
export function installInEmptyProject(tarball: string, flags: readonly string[] = []): InstalledProject {
  const folder = temporaryProject('project');
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  mkdirSync(join(folder, 'src'));
  const installed = runCommand('npm', ['install', '--no-audit', '--no-fund', ...flags, tarball], folder);
  if (installed.status !== 0) throw new Error(`npm install failed:\n${installed.stderr}`);
  return { folder, stdout: installed.stdout, stderr: installed.stderr };
}

export interface InstalledProject {
  readonly folder: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Node binaries to test with: this one, and those that CI fetched. */
export function nodeBinaries(): readonly string[] {
  const others = (process.env.OPERANT_NODES ?? '').split(delimiter).filter((path) => path !== '');
  return [process.execPath, ...others];
}
