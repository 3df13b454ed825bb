/** Typed arrays of one kind with the same bytes are equal. Vitest, left to itself, looks at each number in turn, and takes microseconds for each. Told once a process. */
import { expect } from 'vitest';

/** @returns undefined where bytes differ, or there are none: Vitest decides. */
function haveSameBytes(one: unknown, other: unknown): true | undefined {
  if (!ArrayBuffer.isView(one) || !ArrayBuffer.isView(other)) return undefined;
  if (one.constructor !== other.constructor || one.byteLength !== other.byteLength) return undefined;
  return one.byteLength > 0 && bytesOf(one).equals(bytesOf(other)) ? true : undefined;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  Buffer.from(buffer, byteOffset, byteLength);

expect.addEqualityTesters([haveSameBytes]);
