/** The memory of one learning thread: handed out once, while the closed form is opened. */
import type { Scratch } from './pass-plan.ts';

/** With a buffer, views over the arena; without one, only a measure of what will be needed. */
export interface ThreadScratch extends Scratch {
  readonly byteLength: number;
  /** Whether views are of the arena. */
  readonly isReal: boolean;
  readonly buffer: ArrayBufferLike;
  floats(address: number, length: number): Float32Array;
  integers(address: number, length: number): Int32Array;
  bytes(address: number, length: number): Uint8Array;
}

/** @param base first byte of the thread's region; null = measure. @param blockRows of the largest block. */
export function createThreadScratch(
  arena: ArrayBufferLike | null,
  base: number,
  blockRows: number,
): ThreadScratch {
  let end = base;
  const buffer = arena ?? new ArrayBuffer(0);
  return {
    isReal: arena !== null,
    blockRows,
    buffer,
    take(bytes) {
      const address = end;
      end = Math.ceil((end + bytes) / 64) * 64;
      return address;
    },
    get byteLength() {
      return end - base;
    },
    floats: (address, length) =>
      arena === null ? new Float32Array(length) : new Float32Array(arena, address, length),
    integers: (address, length) =>
      arena === null ? new Int32Array(length) : new Int32Array(arena, address, length),
    bytes: (address, length) =>
      arena === null ? new Uint8Array(length) : new Uint8Array(arena, address, length),
  };
}
