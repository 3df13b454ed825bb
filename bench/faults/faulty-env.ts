/** An environment that fails once, in a way and at a place that a file names. */
import { readFileSync, renameSync, statSync } from 'node:fs';
import type { Env } from '../../src/env/env.ts';
import { Box, Discrete } from '../../src/env/spaces.ts';
import type { JsonObject } from '../../src/json.ts';

export type FaultKind = 'throw' | 'exit' | 'hang' | 'memory';
export type FaultPlace = 'reset' | 'step';

/**
 * A walk on a line: the action moves it, the seed says where it starts; 8 to 15 steps an episode.
 *
 * @param options.orderFile when this file appears, the first environment that comes to the place it names takes it
 *   (by renaming it, so that only one can) and fails.
 */
export default function createFaultyEnv(options: JsonObject = {}): Env {
  const orderFile = String(options.orderFile);
  let position = 0;
  let step = 0;
  let length = 0;
  const observation = () => Float32Array.of(position / 10, step / 16);
  return {
    observationSpace: new Box(-4, 4, [2]),
    actionSpace: new Discrete(2),
    reset: ({ seed = 0 } = {}) => {
      failIfOrdered(orderFile, 'reset');
      position = (seed % 9) - 4;
      step = 0;
      length = 8 + (seed % 8);
      return { observation: observation() };
    },
    step: (action) => {
      failIfOrdered(orderFile, 'step');
      position += action === 1 ? 1 : -1;
      step += 1;
      return {
        observation: observation(),
        reward: -Math.abs(position),
        terminated: step >= length,
        truncated: false,
      };
    },
  };
}

function failIfOrdered(orderFile: string, place: FaultPlace): void {
  if (statSync(orderFile, { throwIfNoEntry: false }) === undefined) return;
  const taken = `${orderFile}.taken`;
  try {
    if (JSON.parse(readFileSync(orderFile, 'utf8')).place !== place) return;
    renameSync(orderFile, taken);
  } catch {
    // Another environment was faster.
    return;
  }
  fail(JSON.parse(readFileSync(taken, 'utf8')).kind);
}

function fail(kind: FaultKind): void {
  if (kind === 'throw') throw new Error('ordered to throw');
  if (kind === 'exit') process.exit(3);
  if (kind === 'memory') {
    const hoard: number[][] = [];
    for (;;) hoard.push(new Array<number>(500_000).fill(hoard.length + 0.5));
  }
  for (;;);
}
