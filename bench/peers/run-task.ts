/** Runs one contestant on one task in a process of its own. */
import { spawn, spawnSync } from 'node:child_process';
import { cpus, tmpdir } from 'node:os';
import process from 'node:process';
import { load } from '../machine.ts';
import type { Answer, Task } from './task.ts';

export interface Command {
  readonly program: string;
  /** `{}` stands for the task as JSON. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface Run {
  readonly answer: Answer;
  /** Load average when it started. */
  readonly load: number;
  /** Of the whole process. */
  readonly wallSeconds: number;
}

/** Held to the last core by `taskset`, where that is: libraries find threads that no variable of theirs bounds. */
export function onOneCore(command: Command): Command {
  const hasTaskset = process.platform === 'linux' && spawnSync('taskset', ['-V']).status === 0;
  if (!hasTaskset) return command;
  const core = String(cpus().length - 1);
  return { ...command, program: 'taskset', args: ['-c', core, command.program, ...command.args] };
}

const GRACE_MS = 60_000;

/** Never throws: a contestant that fails answers with an `error`. Runs past `limitMs` are ended. */
export function runTask({ program, args, environment }: Command, task: Task, limitMs: number): Promise<Run> {
  const startLoad = load();
  const startedMs = Date.now();
  const text = JSON.stringify({ ...task, startedMs });
  return new Promise((resolve) => {
    const child = spawn(
      program,
      args.map((arg) => (arg === '{}' ? text : arg)),
      {
        cwd: tmpdir(),
        env: { ...process.env, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: process.platform !== 'win32', // a group of its own, so that what it started ends with it
      },
    );
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr = `${stderr}${chunk}`.slice(-4000)));
    const timer = setTimeout(() => endGroup(child.pid), limitMs + GRACE_MS);
    const finish = (error: string | null) => {
      clearTimeout(timer);
      const wallSeconds = (Date.now() - startedMs) / 1000;
      endGroup(child.pid);
      resolve({ answer: readAnswer(stdout, error ?? stderr), load: startLoad, wallSeconds });
    };
    child.once('error', (error) => finish(error.message));
    child.once('close', () => finish(null));
  });
}

function readAnswer(stdout: string, complaint: string): Answer {
  const line = stdout
    .trim()
    .split('\n')
    .findLast((text) => text.startsWith('{'));
  if (line === undefined) return { error: cellOf(complaint.trim().split('\n').at(-1) || 'no answer') };
  try {
    const answer = JSON.parse(line) as Answer;
    return answer.error === undefined ? answer : { ...answer, error: cellOf(answer.error) };
  } catch {
    return { error: cellOf(`not JSON: ${line}`) };
  }
}

const MAX_ERROR_LENGTH = 160;

/** An error as a table's cell can hold it: its first line, without the folders of this machine. */
const cellOf = (error: string): string =>
  error
    .trim()
    .split('\n')[0]
    .replace(/(?<![\w:/])\/(?:[\w.@+-]+\/)+/g, '')
    .replaceAll('|', '/')
    .slice(0, MAX_ERROR_LENGTH);

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}
