/** Frames: what goes in comes out, however the stream is cut; what is no frame, or was changed, is noticed. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createFrameReader,
  encodeHeader,
  encodePlace,
  type Frame,
  FrameType,
  SHARED,
} from '../../src/cluster/frames.ts';

const HEADER = { type: FrameType.REPLY, requestId: 2 ** 40 + 3, host: 7, incarnation: 2, version: 9 };

function read(bytes: Buffer, cuts: readonly number[]): Frame[] {
  const frames: Frame[] = [];
  const receive = createFrameReader((frame) => frames.push(frame));
  const ends = [...new Set(cuts.filter((cut) => cut < bytes.length))].sort((a, b) => a - b);
  let at = 0;
  for (const end of [...ends, bytes.length]) {
    receive(bytes.subarray(at, end));
    at = end;
  }
  return frames;
}

test('frames come out whole and in order, wherever the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 5 }),
      fc.array(fc.nat(1200)),
      (payloads, cuts) => {
        const bytes = payloads.flatMap((payload, k) => [
          encodeHeader({ ...HEADER, requestId: k }, [payload]),
          payload,
        ]);
        const frames = read(Buffer.concat(bytes), cuts);
        expect(frames.map(({ payload }) => [...payload])).toEqual(payloads.map((payload) => [...payload]));
        expect(frames.map(({ requestId }) => requestId)).toEqual(payloads.map((_, k) => k));
        expect(frames.every(({ isIntact }) => isIntact)).toBe(true);
      },
    ),
  );
});

test('a header keeps its numbers, those above 32 bits included', () => {
  const [frame] = read(encodeHeader(HEADER, []), []);
  expect(frame).toMatchObject(HEADER);
});

test('one changed bit of a payload shows', () => {
  const payload = Buffer.from('weights');
  const bytes = Buffer.concat([encodeHeader(HEADER, [payload]), payload]);
  bytes[bytes.length - 2] ^= 1;
  expect(read(bytes, [])[0].isIntact).toBe(false);
});

test('a payload in shared memory is read from there, and one changed bit shows', () => {
  const [message, fragment] = [Buffer.from('collected'), Buffer.from('a fragment of rows')];
  const elsewhere = Buffer.concat([Buffer.alloc(7), message, fragment]);
  const place = encodePlace(7, message.length + fragment.length);
  const bytes = Buffer.concat([
    encodeHeader({ ...HEADER, type: FrameType.REPLY, flags: SHARED }, [message, fragment], place.length),
    place,
  ]);
  const readIt = () => {
    const frames: Frame[] = [];
    createFrameReader(
      (frame) => frames.push(frame),
      (offset, length) => elsewhere.subarray(offset, offset + length),
    )(bytes);
    return frames[0];
  };
  expect(readIt()).toMatchObject({ isIntact: true, payload: elsewhere.subarray(7) });
  elsewhere[20] ^= 1;
  expect(readIt().isIntact).toBe(false);
});

test('other bytes are refused', () => {
  expect(() => read(Buffer.alloc(40, 7), [])).toThrow(/Expected a frame .*got magic 117901063/);
});

test('Python lays a header out in the same way', () => {
  const python = `import struct, sys, zlib
p = b'weights'
sys.stdout.buffer.write(struct.pack('<IHBBQQIIII', 0x4652504f, 1, 6, 0, len(p), 2**40 + 3, 7, 2, 9, zlib.crc32(p)) + p)`;
  const bytes = execFileSync('python3', ['-c', python]);
  const payload = Buffer.from('weights');
  expect(bytes).toEqual(Buffer.concat([encodeHeader(HEADER, [payload]), payload]));
});
