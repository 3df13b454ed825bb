/** Adam's state of another run for parameters that were taken from it. */
import type { NamedTensor } from '../checkpoint/content.ts';
import { readTensor } from '../checkpoint/tensor-rules.ts';
import type { LeftPart } from '../checkpoint/warm-start.ts';
import type { WarmSlot } from './warm-parameters.ts';

export interface WarmGroup {
  readonly name: string;
  /** All that the group steps. */
  readonly slots: readonly WarmSlot[];
  /** Adam's step counter in the checkpoint; null = it has none of that group. */
  readonly step: number | null;
}

export interface WarmOptimizer {
  /** Groups that are taken, with their step counters. */
  readonly groups: readonly { readonly name: string; readonly step: number }[];
  readonly left: readonly LeftPart[];
  /** Writes their moments into vectors that are laid out as the parameters. */
  write(m: Float32Array, v: Float32Array): void;
}

/**
 * A group's state is taken whole or not at all: one step counter serves all its parameters, and fresh moments under an old counter would
 * make steps of several times the learning rate.
 *
 * @param moments `m/<name>` and `v/<name>`.
 * @throws CheckpointError `CHECKPOINT_STATE` for moments that are damaged.
 */
export function readWarmOptimizer(
  moments: Readonly<Record<string, NamedTensor>> | undefined,
  groups: readonly WarmGroup[],
  taken: readonly WarmSlot[],
): WarmOptimizer {
  const left: LeftPart[] = [];
  const kept: (WarmGroup & { readonly step: number })[] = [];
  for (const { name, slots, step } of groups) {
    const isThere = moments !== undefined && slots.every((slot) => `m/${slot.momentName}` in moments);
    const missing = slots.find((slot) => !taken.includes(slot));
    if (step === null || !isThere) left.push({ name: `optimizer of ${name}`, why: 'not in the checkpoint' });
    else if (missing !== undefined)
      left.push({ name: `optimizer of ${name}`, why: `${missing.name}, which it steps, begins anew` });
    else kept.push({ name, slots, step });
  }
  const tensors = moments ?? {};
  for (const { momentName: name, shape } of kept.flatMap(({ slots }) => slots)) {
    readTensor(tensors, 'optimizer', `m/${name}`, { dtype: 'float32', shape, values: 'finite' });
    readTensor(tensors, 'optimizer', `v/${name}`, { dtype: 'float32', shape, values: 'nonNegative' });
  }
  return {
    groups: kept,
    left,
    write(m, v) {
      for (const { momentName: name, offset } of kept.flatMap(({ slots }) => slots)) {
        m.set(tensors[`m/${name}`].data, offset);
        v.set(tensors[`v/${name}`].data, offset);
      }
    },
  };
}
