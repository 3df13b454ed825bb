/** Rows of `bench:envs` for games of several agents: steps of all agents, the shipped kernel beside the same written singly, and PettingZoo or mpe2. */
import { resolveEnv } from '../../src/env/env-source.ts';
import { median, quantile } from '../statistics.ts';
import { playAlone } from './play-alone.ts';
import { findZoo, sampleZoo } from './zoo-process.ts';

/** Games that have a counterpart in Python, by what zoo_peer.py calls it. */
export const GAMES_ALONE: Readonly<Record<string, string>> = {
  'TicTacToe-v0': 'tic-tac-toe',
  'ConnectFour-v0': 'connect-four',
  'SimpleSpread-v3': 'simple-spread',
};

const NUM_STEPS = 200;
const NUM_ZOO_STEPS = 6000;
const NUM_WARMUPS = 5;
/** A process begins for each. */
const MAX_ZOO_SAMPLES = 5;

export interface GameRates {
  readonly native: number;
  readonly quartiles: readonly [number, number];
  readonly wrapped: number;
  readonly zoo: number | null;
  readonly nativeOverWrapped: number;
  readonly nativeOverZoo: number | null;
}

/** Steps of agents per second by the clock; samples are taken in turn. */
export async function measureGame(id: string, numEnvs: number, numRounds: number): Promise<GameRates> {
  const source = resolveEnv(id);
  const python = findZoo();
  const native = await playAlone(source, numEnvs, NUM_STEPS);
  const wrapped = await playAlone({ ...source, vectorExport: null } as typeof source, numEnvs, NUM_STEPS);
  const rates: { native: number[]; wrapped: number[]; zoo: number[] } = { native: [], wrapped: [], zoo: [] };
  for (let round = -NUM_WARMUPS; round < numRounds; round++) {
    const sample = [timed(native), timed(wrapped)];
    if (round < 0) continue;
    rates.native.push(sample[0]);
    rates.wrapped.push(sample[1]);
    if (python === '' || round >= MAX_ZOO_SAMPLES) continue;
    const { steps, seconds } = sampleZoo(python, 'alone', GAMES_ALONE[id], NUM_ZOO_STEPS);
    rates.zoo.push(steps / seconds);
  }
  const over = (others: readonly number[]) => median(others.map((other, k) => rates.native[k] / other));
  const hasZoo = rates.zoo.length > 0;
  return {
    native: median(rates.native),
    quartiles: [quantile(rates.native, 0.25), quantile(rates.native, 0.75)],
    wrapped: median(rates.wrapped),
    zoo: hasZoo ? median(rates.zoo) : null,
    nativeOverWrapped: over(rates.wrapped),
    nativeOverZoo: hasZoo ? over(rates.zoo) : null,
  };
}

function timed(run: () => number): number {
  const begin = performance.now();
  const steps = run();
  return (1000 * steps) / (performance.now() - begin);
}
