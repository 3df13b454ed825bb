/** Answers as whole messages of a WebSocket: heads worked out by hand from RFC 6455, 5.2. */
import { expect, test } from 'vitest';
import { actionMessage, HEADER_BYTES, readFrame } from '../../src/serve/frames.ts';
import type { LoadedModel } from '../../src/serve/load-model.ts';

test.each([
  [1, [0x82, 12]],
  [29, [0x82, 124]],
  [30, [0x82, 126, 0, 128]],
  [16_381, [0x82, 126, 0xff, 0xfc]],
  [20_000, [0x82, 127, 0, 0, 0, 0, 0, 1, 0x38, 0x88]],
])('%i actions', (numActions, head) => {
  const floats = Float32Array.from({ length: numActions }, (_, a) => a / 8);
  for (const actions of [floats, Int32Array.from(floats)]) {
    const message = actionMessage(0xfedcba98, numActions, actions);
    expect([...message.subarray(0, head.length)]).toEqual(head);
    const payload = message.subarray(head.length);
    expect([payload.readUInt32LE(0), payload.readUInt16LE(4), payload.readUInt16LE(6)]).toEqual([
      ...[0xfedcba98, 200, numActions],
    ]);
    const said = Array.from(actions, (_, a) =>
      actions === floats ? payload.readFloatLE(8 + 4 * a) : payload.readInt32LE(8 + 4 * a),
    );
    expect(said).toEqual([...actions]);
    expect(payload).toHaveLength(8 + 4 * numActions);
  }
});

test.each([0, 1, 2, 3, 4, 5])(
  'floats of a frame that begins %i bytes behind a multiple of eight',
  (offset) => {
    const floats = Float32Array.of(0.5, -2, 3.25, 1e-7, -0, 65_504); // [2, 3] f32
    const bytes = Buffer.alloc(offset + HEADER_BYTES + floats.byteLength + 5, 0xff);
    const frame = bytes.subarray(offset, offset + HEADER_BYTES + floats.byteLength);
    frame.fill(0, 0, HEADER_BYTES).writeUInt16LE(2, 4);
    floats.forEach((x, k) => void frame.writeFloatLE(x, HEADER_BYTES + 4 * k));
    const spec = { observationSize: 3, observationDtype: 'float32', actionMaskSize: 0 };
    const { observations, numRows } = readFrame({ spec, maxRows: 2 } as LoadedModel, frame);
    expect(numRows).toBe(2);
    expect(observations).toEqual(floats);
  },
);
