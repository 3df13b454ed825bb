/** The bank of weights: a slot for each past version, read by workers, written between rollouts alone. */
import { createHash } from 'node:crypto';
import { type GroupViews, RowField } from '../../rollout/agents/agents-layout.ts';
import type { ObservationStatistics } from '../../weights/observation-statistics.ts';
import { openWeightBuffer, type WeightBufferLayout } from '../../weights/weight-buffer.ts';
import { dropMember, type League } from './league-table.ts';

export type Slot = ReturnType<typeof openSlot>;

/** Parameters, mean and inverse deviation one behind the other, as they act. */
export function openSlot(buffer: ArrayBufferLike, layout: WeightBufferLayout) {
  const weights = openWeightBuffer(buffer, layout);
  const { parameterCount, observationSize } = layout;
  const vector = new Float32Array(parameterCount + 2 * observationSize); // f32
  const publish = () =>
    void weights.publish(
      vector.subarray(0, parameterCount),
      vector.subarray(parameterCount, parameterCount + observationSize),
      vector.subarray(parameterCount + observationSize),
    );
  return {
    vector,
    publish,
    write(parameters: Float32Array, statistics: ObservationStatistics | null): void {
      vector.set(parameters);
      vector.fill(0, parameterCount, parameterCount + observationSize);
      vector.fill(1, parameterCount + observationSize);
      if (statistics !== null) {
        vector.set(statistics.mean, parameterCount);
        vector.set(statistics.inverseStd, parameterCount + observationSize);
      }
      publish();
    },
  };
}

/** Slots whose versions play an episode that runs. */
export function slotsInPlay(groups: readonly GroupViews[], firstSlot: number): Set<number> {
  const inPlay = new Set<number>();
  for (const { rowStates } of groups)
    for (let at = RowField.POLICY; at < rowStates.length; at += RowField.COUNT)
      inPlay.add(rowStates[at] - firstSlot);
  return inPlay;
}

/** A free slot, or that of the oldest past version, which leaves; null = those who could leave are in play. */
export function takeSlot(league: League, numSlots: number, inPlay: ReadonlySet<number>): number | null {
  const taken = new Set(league.members.map(({ slot }) => slot));
  for (let slot = 0; slot < numSlots; slot++) if (!taken.has(slot) && !inPlay.has(slot)) return slot;
  const leaves = league.members.find(({ slot }) => slot !== null && !inPlay.has(slot));
  if (leaves === undefined) return null;
  dropMember(league, leaves.id);
  return leaves.slot;
}

export function checksumOf(vector: Float32Array): string {
  const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}
