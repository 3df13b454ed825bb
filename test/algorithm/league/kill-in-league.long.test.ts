/** Self-play that is killed in mid-league: weights, ratings, past versions, exploiters and opponents are those of a run that nobody killed. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { killAndResume } from '../../../bench/faults/kill-and-resume.ts';
import { leagueSchema } from '../../../src/algorithm/league/league-table.ts';
import { loadCheckpoint } from '../../../src/checkpoint/load-checkpoint.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

test('self-play killed with SIGKILL four times ends as the undisturbed run, bit for bit, league and log included', async () => {
  const folder = join(temporaryFolder(), 'run');
  const report = await killAndResume(folder, 4, 3, { task: 'league' });
  expect(report.problems).toEqual([]);
  expect(report.numExact).toBe(4);
  // What the hashes were of: a league in which past versions have been met, and have made room for others.
  const { content } = await loadCheckpoint(folder);
  const league = leagueSchema.parse(content.json['league.json']);
  const past = league.members.filter(({ slot }) => slot !== null);
  expect(past).toHaveLength(4);
  expect(past[0].iteration).toBeGreaterThan(2);
  expect(past.some(({ total }) => total.games > 0)).toBe(true);
}, 240_000);

test('and so does a league with exploiters, some of them kept and begun anew before a kill', async () => {
  const folder = join(temporaryFolder(), 'run');
  const report = await killAndResume(folder, 4, 7, { task: 'exploiters' });
  expect(report.problems).toEqual([]);
  expect(report.numExact).toBe(4);
  const { content } = await loadCheckpoint(folder);
  const { exploiters, members } = leagueSchema.parse(content.json['league.json']);
  expect(exploiters.map(({ kind }) => kind)).toEqual(['main', 'league']);
  // the main exploiter begins anew each time that it is kept: several generations, and the last of them in the bank
  expect(exploiters[0].generation).toBeGreaterThan(2);
  expect(exploiters.every(({ total }) => total.games > 0)).toBe(true);
  const kept = members.filter(({ name }) => /exploiter@/.test(name));
  expect(kept.length).toBeGreaterThan(0);
  expect(Object.keys(content.tensors)).toEqual(
    expect.arrayContaining(['policies/main-exploiter/optimizer.safetensors']),
  );
}, 240_000);
