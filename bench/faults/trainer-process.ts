/** A process that trains from the command line, and what it has reported. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Subject } from './subject.ts';

export interface Trainer {
  readonly child: ChildProcess;
  /** The highest iteration it has reported; 0 before the first. */
  readonly reported: number;
  reports(iteration: number): Promise<void>;
  readonly ended: Promise<number | null>;
}

export function startTrainer({ train }: Subject, args: readonly string[]): Trainer {
  const child = spawn(process.execPath, [...train, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr?.on('data', (text) => {
    errors += text;
  });
  let reported = 0;
  let wake = () => {};
  createInterface({ input: child.stdout ?? process.stdin }).on('line', (line) => {
    reported = JSON.parse(line).iteration ?? reported;
    wake();
  });
  const ended = once(child, 'exit').then(([status]) => {
    wake();
    return status;
  });
  return {
    child,
    get reported() {
      return reported;
    },
    async reports(iteration) {
      while (reported < iteration) {
        if (child.exitCode !== null)
          throw new Error(`training ended with status ${child.exitCode}: ${errors}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    ended,
  };
}
