/** The thread that stands by takes a lost worker's place; that the rows are the same is what worker-team.test.ts is about. */
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { episodeSeed } from '../../src/random/streams.ts';
import { Command, Word } from '../../src/rollout/control-words.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { fixture, openGroup, play } from './open-group.ts';

afterEach(() => vi.restoreAllMocks());

it.each([
  [1, 0], // the thread is started when the first worker has been replaced
  [3, 2],
])('of %i lost workers %i are replaced by it', async (numLosses, numAssigned) => {
  const size = { numEnvs: 6, rolloutLength: 6 };
  const expected = await play(await openGroup({ ...size, source: fixture('troubled-env') }), 2);
  const store = vi.spyOn(Atomics, 'store');
  const marker = join(temporaryFolder(), 'marker');
  const when = { atStep: 3, atSeed: episodeSeed(7, 4, 0), marker, times: numLosses };
  const source = fixture('troubled-env', { trouble: 'exit', ...when });
  const opened = await openGroup({ ...size, numEnvRunners: 2, source });
  expect(await play(opened, 2)).toEqual(expected);
  const failures = opened.group.takeFailures();
  expect(failures.map(({ isRecovered }) => isRecovered)).toEqual(new Array(numLosses).fill(true));
  const assigned = store.mock.calls.filter(
    ([, word, value]) => word === Word.COMMAND && Number(value) === Command.ASSIGN,
  );
  expect(assigned).toHaveLength(numAssigned);
});
