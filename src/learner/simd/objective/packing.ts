/** The rows that a network reads, side by side: columns (normalised where the model says so) and buffers of the thread. */
import { inputParts, type ModelSpec, networkNamed, widthOf } from '../../../policy/networks/model.ts';
import type { Kernels } from '../../../simd/kernel-exports.ts';
import type { Block } from '../../../simd/layer-program.ts';
import type { ObjectiveSpec, PassOptions } from '../../objective.ts';
import { scratchBlock } from './pass-plan.ts';
import type { ObjectiveLayout } from './regions.ts';
import type { ThreadJob } from './thread-job.ts';
import type { ThreadScratch } from './thread-scratch.ts';

export interface PackedInput {
  readonly block: Block;
  /** Packs the running block's rows, unless a pass with the same inputs has done so. */
  pack(): void;
}

interface PackedPart {
  /** Where row 0 of the batch, or of the buffer, lies. */
  readonly address: number;
  readonly isColumn: boolean;
  readonly size: number;
  readonly isBytes: boolean;
  readonly isNormalized: boolean;
  /** Bytes from the beginning of a packed row. */
  readonly offset: number;
}

export interface Packing {
  /** A buffer of this thread that passes may read. */
  registerBuffer(array: Float32Array, address: number, size: number): void;
  /** What the network's cell reads or, without one, its first layer. */
  inputsOf(options: PassOptions): PackedInput;
  /** Packs the running block's rows of the other inputs into rows of `block`, from their byte `offset` on; for one pass alone, whenever it is called. */
  besideCell(options: PassOptions, block: Block, offset: number): () => void;
}

export function createPacking(
  model: ModelSpec,
  objective: ObjectiveSpec,
  layout: ObjectiveLayout | null,
  kernels: Kernels | null,
  scratch: ThreadScratch,
  job: ThreadJob,
): Packing {
  const buffers = new Map<Float32Array, { address: number; size: number; id: number }>();
  const packed = new Map<string, PackedInput>();
  const partOf = (name: string, given: string | Float32Array, offset: number): PackedPart => {
    const input = model.inputs[name];
    const isBytes = input.dtype === 'uint8';
    const common = { isBytes, isNormalized: input.isNormalized || isBytes, offset, size: input.size };
    if (typeof given !== 'string') {
      const buffer = buffers.get(given);
      if (buffer?.size !== input.size)
        throw new TypeError(`Expected a buffer of ${input.size} elements a row for the input ${name}.`);
      return { ...common, address: buffer.address, isColumn: false };
    }
    const index = objective.columns.findIndex((column) => column.name === given);
    const column = objective.columns[index];
    if (column?.size !== input.size || column.dtype !== input.dtype) {
      throw new TypeError(
        `Expected a ${input.dtype} column of ${input.size} elements for the input ${name}, got ${given}.`,
      );
    }
    return { ...common, address: layout?.columns[index].address ?? 0, isColumn: true };
  };
  /** Side by side from byte `offset` on. */
  const partsOf = (names: readonly string[], given: PassOptions['inputs'], offset: number) =>
    names.map((name, k) => partOf(name, given[k], offset + 4 * widthOf(model, names.slice(0, k))));
  const packPart = createPackPart(model, layout, kernels, job);
  return {
    registerBuffer(array, address, size) {
      buffers.set(array, { address, size, id: buffers.size });
    },
    inputsOf({ network: name, inputs }) {
      const network = networkNamed(model, name);
      if (inputs.length !== network.inputs.length)
        throw new TypeError(`Expected ${network.inputs.length} inputs of ${name}, got ${inputs.length}.`);
      const { first } = inputParts(network);
      const id = (given: string | Float32Array) =>
        typeof given === 'string' ? given : `#${buffers.get(given)?.id}`;
      const key = first.map((input, k) => `${input}=${id(inputs[k])}`).join();
      const known = packed.get(key);
      if (known !== undefined) return known;
      const parts = partsOf(first, inputs, 0);
      const block = scratchBlock(scratch, widthOf(model, first));
      let packedAt = -1;
      const input: PackedInput = {
        block,
        pack() {
          if (packedAt === job.block) return;
          packedAt = job.block;
          for (const part of parts) packPart(part, block);
        },
      };
      packed.set(key, input);
      return input;
    },
    besideCell({ network, inputs }, block, offset) {
      const { first, beside } = inputParts(networkNamed(model, network));
      const parts = partsOf(beside, inputs.slice(first.length), offset);
      return () => {
        for (const part of parts) packPart(part, block);
      };
    },
  };
}

/** Copies a part of the running block's rows into packed rows, normalised where it is to be. */
function createPackPart(
  model: ModelSpec,
  layout: ObjectiveLayout | null,
  kernels: Kernels | null,
  job: ThreadJob,
) {
  return ({ address, isColumn, size, isBytes, isNormalized, offset }: PackedPart, block: Block): void => {
    const rowBytes = size * (isBytes ? 1 : 4);
    const scales = isNormalized && job.isNormalized;
    kernels?.gatherObservations(
      isColumn ? address + job.start * rowBytes : address,
      rowBytes,
      0,
      job.numRows,
      size,
      isBytes ? 1 : 0,
      scales ? (layout?.observationMean ?? 0) : 0,
      layout?.observationInverseStd ?? 0,
      model.clipObservation,
      block.address + offset,
      block.stride,
    );
  };
}
