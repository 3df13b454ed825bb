/** Every kept transition is as likely as every other. */
import type { Stream } from '../random/streams.ts';
import { checkBatch, type Replay } from './replay.ts';
import { firstPosition } from './ring.ts';

/**
 * Draws transitions uniformly, with replacement: one draw each, so results depend on the stream's seed and the buffer alone.
 *
 * @param indices i32 [B], receives slots.
 * @throws ConfigError `CONFIG_REPLAY_BATCH` when fewer than B transitions can be sampled.
 */
export function sampleUniform(replay: Replay, numSteps: number, stream: Stream, indices: Int32Array): void {
  checkBatch(replay, numSteps, indices.length);
  const { rowSlots, numRows } = replay.ring.plan;
  const total = replay.numSampleable(numSteps);
  const perRow = total / numRows;
  const first = firstPosition(replay.ring);
  for (let b = 0; b < indices.length; b++) {
    const drawn = stream.integer(total);
    const row = Math.floor(drawn / perRow);
    indices[b] = row * rowSlots + ((first + drawn - row * perRow) % rowSlots);
  }
}
