/** PettingZoo and mpe2, and what trains on them, in Python processes of their own. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { defaultCache, pythonOf } from '../peers/prepare.ts';

/** Steps of agents, and seconds by the clock and of the processor. */
export interface ZooSample {
  readonly steps: number;
  readonly seconds: number;
  readonly cpu: number;
}

const SCRIPT = fileURLToPath(new URL('./zoo_peer.py', import.meta.url));

/** The interpreter given, OPERANT_ZOO_PYTHON, or that of `npm run bench:peers`; '' = there is none, or `none` is given. */
export function findZoo(given = ''): string {
  if (given === 'none') return '';
  const installed = pythonOf(join(defaultCache(), 'agents'));
  const named = given === '' ? (process.env.OPERANT_ZOO_PYTHON ?? '') : given;
  return named === '' && existsSync(installed) ? installed : named;
}

/** Begins anew for each sample, with its imports outside the clock. */
export function sampleZoo(
  python: string,
  mode: 'alone' | 'train',
  game: string,
  numSteps: number,
): ZooSample {
  const text = execFileSync(python, [SCRIPT, mode, game, String(numSteps)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(text.trim().split('\n').at(-1) ?? '') as ZooSample;
}
