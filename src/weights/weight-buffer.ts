/**
 * Published weights: a double buffer in the arena, with a version.
 *
 * The main thread writes slot (version mod 2) and then stores the version; workers read the slot of the version
 * they were told to act with. A slot is not written again before the version after next, and by then every worker
 * has finished with it (collect() of version v resolves before v + 2 is published).
 *
 * A slot holds the flat parameters, then observation mean and inverse standard deviation (each padded to 16 elements).
 */
import type { ArenaPlanner, Region } from '../memory/arena.ts';

export interface WeightBuffer {
  /** Byte address of the slot that holds `version`. */
  slotAddress(version: number): number;
  /** Version published last; -1 before the first. */
  readonly version: number;
  /** Main thread only. Copies into the other slot and makes it current; returns the new version. */
  publish(parameters: Float32Array, mean: Float32Array | null, inverseStd: Float32Array | null): number;
}

export interface WeightBufferLayout {
  readonly versionAddress: number; // i32
  readonly slotAddresses: readonly [number, number];
  readonly parameterCount: number; // elements, padded (ParameterLayout.size)
  readonly observationSize: number;
  readonly slotBytes: number;
}

const padded = (elements: number) => Math.ceil(elements / 16) * 16;

export function reserveWeightBuffer(
  planner: ArenaPlanner,
  parameterCount: number,
  observationSize: number,
): WeightBufferLayout {
  const slotBytes = 4 * (padded(parameterCount) + 2 * padded(observationSize));
  const version: Region = planner.reserve(4);
  const slots = [planner.reserve(slotBytes).offset, planner.reserve(slotBytes).offset] as const;
  return { versionAddress: version.offset, slotAddresses: slots, parameterCount, observationSize, slotBytes };
}

/** Byte offset of the observation mean inside a slot; the inverse standard deviation follows at `+ 4 * padded(obsSize)`. */
export function statisticsOffset(layout: WeightBufferLayout): { mean: number; inverseStd: number } {
  const mean = 4 * padded(layout.parameterCount);
  return { mean, inverseStd: mean + 4 * padded(layout.observationSize) };
}

export function openWeightBuffer(buffer: ArrayBufferLike, layout: WeightBufferLayout): WeightBuffer {
  const versionWord = new Int32Array(buffer, layout.versionAddress, 1);
  const { mean: meanOffset, inverseStd: inverseStdOffset } = statisticsOffset(layout);
  const slotAddress = (version: number) => layout.slotAddresses[version % 2];
  return {
    slotAddress,
    get version() {
      return Atomics.load(versionWord, 0) - 1;
    },
    publish(parameters, mean, inverseStd) {
      const version = Atomics.load(versionWord, 0);
      const slot = slotAddress(version);
      new Float32Array(buffer, slot, parameters.length).set(parameters);
      const size = layout.observationSize;
      const means = new Float32Array(buffer, slot + meanOffset, size);
      const inverseStds = new Float32Array(buffer, slot + inverseStdOffset, size);
      if (mean === null) means.fill(0);
      else means.set(mean);
      if (inverseStd === null) inverseStds.fill(1);
      else inverseStds.set(inverseStd);
      Atomics.store(versionWord, 0, version + 1);
      return version;
    },
  };
}
