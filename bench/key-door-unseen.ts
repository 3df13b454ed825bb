/**
 * The share of KeyDoor layouts that a policy solves among those that training left out (`split: 'train'`).
 *
 *     npx tsx bench/key-door-unseen.ts RUN_OR_CHECKPOINT [--episodes 400] [--seed 7]
 */
import { argv } from 'node:process';
import { Algorithm } from '../algorithms/from-checkpoint.ts';
import { registerShippedEnvs } from '../envs/index.ts';
import { resolveCheckpoint } from '../src/checkpoint/load-checkpoint.ts';
import { option, printTable } from './harness.ts';

/** The key and the door give 0.5 at most, the goal 1, and all steps cost 0.5: above this the goal was reached. */
const SOLVED_RETURN = 0.5;

registerShippedEnvs();
const numEpisodes = Number(option('episodes', '400'));
const seed = Number(option('seed', '7'));
const algorithm = await Algorithm.fromCheckpoint(await resolveCheckpoint(argv[2] ?? '.'), {
  environment: { envOptions: { split: 'test' } },
  envRunners: { numEnvRunners: 0 },
});
const rows: string[][] = [];
for (const deterministic of [true, false]) {
  const { returns, lengthMean } = await algorithm.evaluate({ numEpisodes, seed, deterministic });
  const numSolved = returns.filter((episodeReturn) => episodeReturn > SOLVED_RETURN).length;
  rows.push([
    deterministic ? 'deterministic' : 'stochastic',
    `${((100 * numSolved) / numEpisodes).toFixed(1)}%`,
    lengthMean.toFixed(1),
  ]);
}
await algorithm.stop();
printTable(['actions', 'solved', 'mean length'], rows);
