/**
 * Published weights: a double buffer in the arena, with a version. Where workers collect ahead it has more slots than two.
 *
 * The main thread writes slot (version mod slots) and then stores the version; workers read the slot of the version
 * they were told to act with. Of two slots one is not written again before the version after next, and by then every worker
 * has finished with it (collect() of version v resolves before v + 2 is published).
 *
 * A slot holds the flat parameters, then observation mean and inverse standard deviation (each padded to 16 elements), then how far
 * actions may stray: epsilon, noiseStd, isRandom (see policy/distributions/exploration.ts).
 */
import type { ArenaPlanner, Region } from '../memory/arena.ts';
import { type Exploration, NO_EXPLORATION } from './exploration.ts';
import type { ObservationStatistics } from './observation-statistics.ts';

export interface WeightBuffer {
  /** Byte address of the slot that holds `version`. */
  slotAddress(version: number): number;
  /** Version published last; -1 before the first. */
  readonly version: number;
  /** Main thread only. Copies into the other slot and makes it current; returns the new version. */
  publish(
    parameters: Float32Array,
    mean: Float32Array | null,
    inverseStd: Float32Array | null,
    exploration?: Exploration,
  ): number;
  /** The parameters of the slot that `publish` will write next: whoever fills this itself passes it on. f32 [parameterCount] */
  nextParameters(): Float32Array;
  /** How the policy of `version` explores. */
  explorationOf(version: number): Exploration;
}

export interface WeightBufferLayout {
  readonly versionAddress: number; // i32
  readonly slotAddresses: readonly number[];
  readonly parameterCount: number; // elements, padded (ParameterLayout.size)
  readonly observationSize: number;
  readonly slotBytes: number;
}

const NUM_SCALARS = 3;

const padded = (elements: number) => Math.ceil(elements / 16) * 16;

export function reserveWeightBuffer(
  planner: ArenaPlanner,
  parameterCount: number,
  observationSize: number,
  numSlots = 2,
): WeightBufferLayout {
  const slotBytes = 4 * (padded(parameterCount) + 2 * padded(observationSize) + padded(NUM_SCALARS));
  const version: Region = planner.reserve(4);
  const slots = Array.from({ length: numSlots }, () => planner.reserve(slotBytes).offset);
  return { versionAddress: version.offset, slotAddresses: slots, parameterCount, observationSize, slotBytes };
}

/** Byte offset of the observation mean inside a slot; the inverse standard deviation follows at `+ 4 * padded(obsSize)`. */
export function statisticsOffset(layout: WeightBufferLayout): { mean: number; inverseStd: number } {
  const mean = 4 * padded(layout.parameterCount);
  return { mean, inverseStd: mean + 4 * padded(layout.observationSize) };
}

/** Byte offset of the exploration's scalars inside a slot: epsilon, noiseStd, isRandom, f32 [3]. */
export function explorationOffset(layout: WeightBufferLayout): number {
  return 4 * (padded(layout.parameterCount) + 2 * padded(layout.observationSize));
}

export function openWeightBuffer(buffer: ArrayBufferLike, layout: WeightBufferLayout): WeightBuffer {
  const versionWord = new Int32Array(buffer, layout.versionAddress, 1);
  const slots = layout.slotAddresses.map((address) => openSlot(buffer, address, layout));
  const slotOf = (version: number) => slots[version % slots.length];
  return {
    slotAddress: (version) => layout.slotAddresses[version % layout.slotAddresses.length],
    get version() {
      return Atomics.load(versionWord, 0) - 1;
    },
    nextParameters: () => slotOf(Atomics.load(versionWord, 0)).parameters,
    explorationOf(version) {
      const [epsilon, noiseStd, isRandom] = slotOf(version).scalars;
      return { epsilon, noiseStd, isRandom: isRandom !== 0 };
    },
    publish(parameters, mean, inverseStd, exploration = NO_EXPLORATION) {
      const version = Atomics.load(versionWord, 0);
      const slot = slotOf(version);
      fillSlot(slot, parameters, mean, inverseStd);
      slot.scalars[0] = exploration.epsilon;
      slot.scalars[1] = exploration.noiseStd;
      slot.scalars[2] = exploration.isRandom ? 1 : 0;
      Atomics.store(versionWord, 0, version + 1);
      return version;
    },
  };
}

/** Weights and statistics into a slot that nobody published, as a policy reads them there. Thread: the slot's owner. */
export function writeWeightSlot(
  buffer: ArrayBufferLike,
  address: number,
  layout: WeightBufferLayout,
  parameters: Float32Array,
  statistics: ObservationStatistics | null,
): void {
  const slot = openSlot(buffer, address, layout);
  fillSlot(slot, parameters, statistics?.mean ?? null, statistics?.inverseStd ?? null);
}

function fillSlot(
  slot: ReturnType<typeof openSlot>,
  parameters: Float32Array,
  mean: Float32Array | null,
  inverseStd: Float32Array | null,
): void {
  if (parameters !== slot.parameters) slot.parameters.set(parameters);
  if (mean === null) slot.mean.fill(0);
  else slot.mean.set(mean);
  if (inverseStd === null) slot.inverseStd.fill(1);
  else slot.inverseStd.set(inverseStd);
}

/** A slot as bytes: what is sent to another machine, and written there. u8 [slotBytes] */
export function weightSlotBytes(
  buffer: ArrayBufferLike,
  layout: WeightBufferLayout,
  version: number,
): Uint8Array {
  const address = layout.slotAddresses[version % layout.slotAddresses.length];
  return new Uint8Array(buffer, address, layout.slotBytes);
}

/**
 * Makes a slot that came from another machine the current one.
 *
 * @returns its version here. @throws RangeError when it is no slot of this layout.
 */
export function publishSlot(buffer: ArrayBufferLike, layout: WeightBufferLayout, slot: Uint8Array): number {
  if (slot.length !== layout.slotBytes)
    throw new RangeError(`Expected weights of ${layout.slotBytes} bytes, got ${slot.length}.`);
  const versionWord = new Int32Array(buffer, layout.versionAddress, 1);
  const version = Atomics.load(versionWord, 0);
  weightSlotBytes(buffer, layout, version).set(slot);
  Atomics.store(versionWord, 0, version + 1);
  return version;
}

/** Made once: a view over shared memory costs more than a small policy's copy. */
function openSlot(buffer: ArrayBufferLike, address: number, layout: WeightBufferLayout) {
  const { mean, inverseStd } = statisticsOffset(layout);
  const view = (offset: number, length: number) => new Float32Array(buffer, address + offset, length);
  return {
    parameters: view(0, layout.parameterCount),
    mean: view(mean, layout.observationSize),
    inverseStd: view(inverseStd, layout.observationSize),
    scalars: view(explorationOffset(layout), NUM_SCALARS),
  };
}
