/** Bytes that wait for more. A chunk is kept as it came while it is the only one; several go to a store that doubles, so that many small ones cost no more than they weigh. */

export interface HeldBytes {
  readonly bytes: Buffer;
  add(chunk: Buffer): void;
  /** The first ones. */
  drop(numBytes: number): void;
}

export function createHeldBytes(): HeldBytes {
  let bytes: Buffer = NOTHING;
  let store: Buffer = NOTHING; // where `bytes` lies, with room behind it; empty = in a chunk of somebody else's
  let end = 0; // of `bytes` in `store`
  return {
    get bytes() {
      return bytes;
    },
    add(chunk) {
      if (chunk.length === 0) return;
      if (bytes.length === 0) {
        bytes = chunk;
        return;
      }
      const numBytes = bytes.length + chunk.length;
      if (store.length - end < chunk.length) {
        store = Buffer.allocUnsafeSlow(2 * numBytes);
        store.set(bytes, 0);
        end = bytes.length;
      }
      store.set(chunk, end);
      end += chunk.length;
      bytes = store.subarray(end - numBytes, end);
    },
    drop(numBytes) {
      if (numBytes < bytes.length) {
        bytes = bytes.subarray(numBytes);
        return;
      }
      bytes = NOTHING;
      store = NOTHING;
      end = 0;
    },
  };
}

const NOTHING = Buffer.alloc(0);
