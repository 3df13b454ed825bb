import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NamedTensor } from '../../src/checkpoint/content.ts';
import { encodeSafetensors } from '../../src/checkpoint/safetensors.ts';
import { loadEpisodes, saveEpisodes } from '../../src/replay/episode-file.ts';
import { appendEpisodes, type RecordedEpisode } from '../../src/replay/recorded-episodes.ts';
import { createReplay } from '../../src/replay/replay.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** Observations count up from `first`; masks forbid action 0 in odd states. */
function episode(first: number, length: number, terminated: boolean, masks = true): RecordedEpisode {
  const states = Array.from({ length: length + 1 }, (_, k) => first + k);
  return {
    observations: Float32Array.from(states),
    actions: Int32Array.from({ length }, (_, k) => k % 2),
    rewards: Float32Array.from({ length }, (_, k) => 10 * (first + k)),
    terminated,
    ...(masks && { masks: Uint8Array.from(states.flatMap((state) => [state % 2 === 0 ? 1 : 0, 1])) }),
  };
}

const SPEC = {
  numRows: 2,
  capacity: 3000,
  observationSize: 1,
  observationDtype: 'float32',
  actionSize: 1,
  actionDtype: 'int32',
  maskSize: 2,
} as const;

const copyAction = (from: ArrayLike<number>, at: number, to: { [k: number]: number }, toAt: number) => {
  to[toAt] = from[at];
};

/** [observation, action, reward, discount, next observation, mask, next mask] of a slot, gamma 0.5. */
function read(replay: ReturnType<typeof createReplay>, slot: number) {
  const batch = {
    observations: new Float32Array(1),
    actions: new Int32Array(1),
    rewards: new Float32Array(1),
    discounts: new Float32Array(1),
    nextObservations: new Float32Array(1),
    masks: new Uint8Array(2),
    nextMasks: new Uint8Array(2),
  };
  replay.gather(Int32Array.of(slot), 1, 0.5, batch);
  const { observations, actions, rewards, discounts, nextObservations, masks, nextMasks } = batch;
  return [
    observations[0],
    actions[0],
    rewards[0],
    discounts[0],
    nextObservations[0],
    [...masks],
    [...nextMasks],
  ];
}

describe('appendEpisodes', () => {
  it('deals the steps out over the rows, and cuts the episode in which a row ends', () => {
    const replay = createReplay(SPEC);
    // 3 + 4 + 2 = 9 steps in 2 rows of 4: [0 1 2 | 100] and [101 102 103 | 200]; the last step is left out
    const episodes = [episode(0, 3, true), episode(100, 4, false), episode(200, 2, true)];
    expect(appendEpisodes(replay, episodes, copyAction)).toBe(8);
    expect(replay.size).toBe(8);
    const even = [1, 1];
    const odd = [0, 1];
    const second = replay.ring.plan.rowSlots;
    expect(read(replay, 0)).toEqual([0, 0, 0, 0.5, 1, even, odd]);
    expect(read(replay, 1)).toEqual([1, 1, 10, 0.5, 2, odd, even]);
    expect(read(replay, 2).slice(0, 4)).toEqual([2, 0, 20, 0]); // terminated
    expect(read(replay, 3)).toEqual([100, 0, 1000, 0.5, 101, even, odd]); // cut: bootstraps from its own next state
    expect(read(replay, second)).toEqual([101, 1, 1010, 0.5, 102, odd, even]);
    expect(read(replay, second + 2)).toEqual([103, 1, 1030, 0.5, 104, odd, even]); // truncated by the recording
    expect(read(replay, second + 3)).toEqual([200, 0, 2000, 0.5, 201, even, odd]);
  });

  it('is the same in one piece and in several', () => {
    const replay = createReplay(SPEC);
    const seen: number[] = [];
    const lengths = Array.from({ length: 500 }, (_, k) => episode(10 * k, 5, k % 3 === 0));
    expect(appendEpisodes(replay, lengths, copyAction, ({ rolloutLength }) => seen.push(rolloutLength))).toBe(
      2500,
    );
    expect(seen).toEqual([1024, 226]);
    // across the border of the pieces: step 1023 of row 0 is step 3 of episode 204
    expect(read(replay, 1023)).toEqual([2043, 1, 20430, 0.5, 2044, [0, 1], [1, 1]]);
    expect(read(replay, 1024).slice(0, 4)).toEqual([2044, 0, 20440, 0]);
  });

  it('refuses what does not fit', () => {
    const append =
      (spec: object, ...episodes: RecordedEpisode[]) =>
      () =>
        appendEpisodes(createReplay({ ...SPEC, ...spec }), episodes, copyAction);
    expect(append({ observationSize: 2 }, episode(0, 3, true))).toThrow(
      /`observations` of an episode of 3 steps/,
    );
    expect(append({ observationDtype: 'uint8' }, episode(0, 3, true))).toThrow(/observations are not uint8/);
    expect(append({ maskSize: 3 }, episode(0, 3, true))).toThrow(/`masks` of an episode/);
    expect(append({ numRows: 4 }, episode(0, 3, true))).toThrow(/3 steps, and there are 4 environments/);
    expect(append({ actionDtype: 'float32' }, episode(0, 3, true))).toThrow(
      expect.objectContaining({ code: 'CONFIG_PREFILL' }),
    );
  });
});

describe('a file of episodes', () => {
  it.each([true, false])('gives back what was saved, masks %s', async (masks) => {
    const path = join(temporaryFolder(), 'episodes.safetensors');
    const episodes = [episode(0, 3, true, masks), episode(7, 1, false, masks), episode(20, 6, true, masks)];
    await saveEpisodes(path, episodes);
    expect(await loadEpisodes(path)).toEqual(episodes);
  });

  it('names what is wrong with another file', async () => {
    const folder = temporaryFolder();
    await expect(loadEpisodes(join(folder, 'none'))).rejects.toMatchObject({ code: 'CHECKPOINT_TENSORS' });
    await writeFile(join(folder, 'bytes'), 'not tensors');
    await expect(loadEpisodes(join(folder, 'bytes'))).rejects.toMatchObject({ code: 'CHECKPOINT_TENSORS' });
  });

  const f32 = (length: number, ...shape: number[]): NamedTensor => ({
    dtype: 'float32',
    shape: [length, ...shape],
    data: new Float32Array([length, ...shape].reduce((product, size) => product * size)),
  });
  const i32 = (values: number[], ...shape: number[]): NamedTensor => ({
    dtype: 'int32',
    shape: [values.length, ...shape],
    data: Int32Array.from(values),
  });
  const good = {
    observations: f32(4, 1),
    actions: i32([0, 0, 0], 1),
    rewards: f32(3),
    lengths: i32([3]),
    terminated: { dtype: 'uint8', shape: [1], data: Uint8Array.of(1) },
    masks: { dtype: 'uint8', shape: [4, 2], data: new Uint8Array(8).fill(1) },
  } as const;

  it.each([
    ['a reward too many', { rewards: f32(4) }, /do not fit/],
    ['an episode of no steps', { lengths: i32([3, 0]) }, /do not fit/],
    ['masks of f32', { masks: f32(4, 2) }, /masks are not u8/],
    ['rewards of i32', { rewards: i32([0, 0, 0]) }, /f32 rewards are missing/],
    ['no change', {}, null],
  ])('with %s', async (_, change, message) => {
    const path = join(temporaryFolder(), 'episodes');
    await writeFile(path, encodeSafetensors({ ...good, ...change }));
    const loading = loadEpisodes(path);
    if (message === null) expect(await loading).toHaveLength(1);
    else await expect(loading).rejects.toThrow(message);
  });
});
