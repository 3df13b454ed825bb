/** Recorded episodes in one safetensors file, which other programs can write and read as well. */
import { readFile, writeFile } from 'node:fs/promises';
import type { NamedTensor } from '../checkpoint/content.ts';
import { decodeSafetensors, encodeSafetensors } from '../checkpoint/safetensors.ts';
import { CheckpointError } from '../errors.ts';
import type { RecordedEpisode } from './recorded-episodes.ts';

/**
 * Writes E episodes of S steps in all: `observations` [S + E, obsSize] (each episode's true last one included), `actions` [S, A] as the
 * environment got them, `rewards` f32 [S], `lengths` i32 [E], `terminated` u8 [E], and `masks` u8 [S + E, maskSize] where there are some.
 */
export async function saveEpisodes(path: string, episodes: readonly RecordedEpisode[]): Promise<void> {
  const S = episodes.reduce((sum, { rewards }) => sum + rewards.length, 0);
  const E = episodes.length;
  const joined = <T extends NamedTensor['data']>(rows: number, parts: readonly T[]): NamedTensor => {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const [first] = parts;
    const data =
      first instanceof Int32Array
        ? new Int32Array(length)
        : first instanceof Uint8Array
          ? new Uint8Array(length)
          : new Float32Array(length);
    let at = 0;
    for (const part of parts) {
      data.set(part, at);
      at += part.length;
    }
    const dtype = data instanceof Int32Array ? 'int32' : data instanceof Uint8Array ? 'uint8' : 'float32';
    return { dtype, shape: [rows, length / rows], data };
  };
  const masks = episodes.flatMap((episode) => episode.masks ?? []);
  const tensors: Record<string, NamedTensor> = {
    observations: joined(
      S + E,
      episodes.map(({ observations }) => observations),
    ),
    actions: joined(
      S,
      episodes.map(({ actions }) => actions),
    ),
    rewards: {
      ...joined(
        S,
        episodes.map(({ rewards }) => rewards),
      ),
      shape: [S],
    },
    lengths: { dtype: 'int32', shape: [E], data: Int32Array.from(episodes, ({ rewards }) => rewards.length) },
    terminated: {
      dtype: 'uint8',
      shape: [E],
      data: Uint8Array.from(episodes, ({ terminated }) => (terminated ? 1 : 0)),
    },
    ...(masks.length === E && E > 0 ? { masks: joined(S + E, masks) } : {}),
  };
  await writeFile(path, encodeSafetensors(tensors, { format: 'operant episodes 1' }));
}

/** @throws CheckpointError `CHECKPOINT_TENSORS` when the file cannot be read or is not what {@link saveEpisodes} writes. */
export async function loadEpisodes(path: string): Promise<RecordedEpisode[]> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw refused(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
  const { tensors } = decodeSafetensors(bytes, path);
  const { observations, actions, rewards, lengths, terminated, masks } = tensors;
  if (!isNumbers(observations) || !isNumbers(actions) || !(rewards?.data instanceof Float32Array))
    throw refused(path, 'observations, actions or f32 rewards are missing');
  if (!(lengths?.data instanceof Int32Array) || !(terminated?.data instanceof Uint8Array))
    throw refused(path, 'i32 lengths or u8 terminated are missing');
  if (masks !== undefined && !(masks.data instanceof Uint8Array)) throw refused(path, 'masks are not u8');
  const S = lengths.data.reduce((sum, length) => sum + length, 0);
  const E = lengths.data.length;
  const rows = [
    observations.shape[0],
    actions.shape[0],
    rewards.data.length,
    terminated.data.length,
    masks?.shape[0] ?? S + E,
  ];
  if (lengths.data.some((length) => length < 1) || rows.join() !== [S + E, S, S, E, S + E].join())
    throw refused(path, `the lengths of its ${E} episodes (${S} steps) do not fit its other tensors`);
  let step = 0;
  return Array.from(lengths.data, (length, k) => {
    const part = <T extends NamedTensor['data']>(
      { data, shape }: { data: T; shape: readonly number[] },
      first: number,
      count: number,
    ) => data.slice(first * (shape[1] ?? 1), (first + count) * (shape[1] ?? 1)) as T;
    const episode: RecordedEpisode = {
      observations: part(
        observations as { data: Float32Array; shape: readonly number[] },
        step + k,
        length + 1,
      ),
      actions: part(actions as { data: Float32Array; shape: readonly number[] }, step, length),
      rewards: (rewards.data as Float32Array).slice(step, step + length),
      terminated: terminated.data[k] !== 0,
      ...(masks !== undefined && {
        masks: part(masks as { data: Uint8Array; shape: readonly number[] }, step + k, length + 1),
      }),
    };
    step += length;
    return episode;
  });
}

function isNumbers(tensor: NamedTensor | undefined): tensor is NamedTensor {
  return tensor !== undefined && tensor.shape.length === 2;
}

function refused(path: string, problem: string, cause?: unknown): CheckpointError {
  return new CheckpointError('CHECKPOINT_TENSORS', `Cannot read episodes from \`${path}\`: ${problem}.`, {
    cause,
  });
}
