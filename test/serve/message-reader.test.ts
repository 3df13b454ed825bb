/** Bytes of clients to messages: examples of RFC 6455 by hand, and any bytes at all beside the reader of `ws`. */

import { describe, expect, test } from 'vitest';
import * as ws from 'ws';
import { openStream, type Stream } from '../../src/random/streams.ts';
import { createMessageReader } from '../../src/serve/message-reader.ts';

const MAX_BYTES = 2_000;

/** What a reader told, one line an event. */
function heard(chunks: readonly Buffer[], maxBytes = MAX_BYTES): string[] {
  const events: string[] = [];
  const reader = createMessageReader(maxBytes, {
    message: (data, isBinary) => {
      events.push(`${isBinary ? 'binary' : 'text'} ${data.toString('hex')}`);
    },
    ping: (data) => events.push(`ping ${data.toString('hex')}`),
    pong: () => events.push('pong'),
    closed: (code) => events.push(`closed ${code}`),
    failed: (code) => events.push(`failed ${code}`),
  });
  for (const chunk of chunks) {
    reader.add(Buffer.from(chunk)); // it takes bytes off their mask where they lie
    while (reader.read(1));
  }
  return events;
}

interface Receiver {
  on(event: string, listener: (...values: never[]) => void): Receiver;
  write(chunk: Buffer): void;
}

function heardByWs(chunks: readonly Buffer[]): string[] {
  const { Receiver } = ws as unknown as { Receiver: new (options: object) => Receiver };
  const events: string[] = [];
  let isOver = false;
  const receiver = new Receiver({ isServer: true, maxPayload: MAX_BYTES })
    .on('message', (data: Buffer, isBinary: boolean) =>
      events.push(`${isBinary ? 'binary' : 'text'} ${data.toString('hex')}`),
    )
    .on('ping', (data: Buffer) => events.push(`ping ${data.toString('hex')}`))
    .on('pong', () => events.push('pong'))
    .on('conclude', (code: number) => {
      isOver = true;
      events.push(`closed ${code === 1005 ? null : code}`);
    })
    .on('error', () => undefined);
  // Its error comes in a later tick, so it is asked for here.
  const failing = receiver as Receiver & { createError(...values: unknown[]): object };
  const create = failing.createError;
  failing.createError = (...values) => {
    isOver = true;
    events.push(`failed ${values[3]}`);
    return create.apply(receiver, values);
  };
  for (const chunk of chunks) if (!isOver) receiver.write(Buffer.from(chunk));
  return events;
}

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** @param head its first byte: flags and opcode. */
function frame(head: number, data: Buffer, mask = MASK): Buffer {
  const length =
    data.length < 126
      ? Buffer.from([0x80 | data.length])
      : data.length < 65_536
        ? Buffer.from([0xfe, data.length >> 8, data.length & 255])
        : Buffer.from([0xff, 0, 0, 0, 0, 0, data.length >> 16, (data.length >> 8) & 255, data.length & 255]);
  return Buffer.concat([Buffer.from([head]), length, mask, data.map((byte, k) => byte ^ mask[k & 3])]);
}

const hello = Buffer.from('Hello');

test('the masked examples of RFC 6455, 5.7, and a message in fragments around a ping', () => {
  const masked = Buffer.from('818537fa213d7f9f4d5158', 'hex');
  expect(heard([masked])).toEqual([`text ${hello.toString('hex')}`]);
  expect(heard([Buffer.from('8a8537fa213d7f9f4d5158', 'hex')])).toEqual(['pong']);
  const parts = [
    frame(0x02, hello),
    frame(0x89, hello),
    frame(0x00, Buffer.alloc(0)),
    frame(0x80, hello.subarray(1)),
    frame(0x88, Buffer.from([0x03, 0xe8])),
    masked, // after goodbye nobody listens
  ];
  const told = [
    `ping ${hello.toString('hex')}`,
    `binary ${Buffer.from('Helloello').toString('hex')}`,
    'closed 1000',
  ];
  expect(heard(parts)).toEqual(told);
  expect(heard([Buffer.concat(parts)])).toEqual(told);
  expect(heard([...Buffer.concat(parts)].map((byte) => Buffer.from([byte])))).toEqual(told);
});

test.each([
  ['not masked', Buffer.from('810548656c6c6f', 'hex'), 1002],
  ['compressed, which nobody agreed on', frame(0xc2, hello), 1002],
  ['an opcode that is not there', frame(0x83, hello), 1002],
  ['a continuation of nothing', frame(0x80, hello), 1002],
  ['a ping in fragments', frame(0x09, hello), 1002],
  ['a ping of 126 bytes', frame(0x89, Buffer.alloc(126)), 1002],
  ['a message within another', Buffer.concat([frame(0x02, hello), frame(0x82, hello)]), 1002],
  ['goodbye with half a code', frame(0x88, Buffer.from([3])), 1002],
  ['goodbye with a code that is not sent', frame(0x88, Buffer.from([0x03, 0xed])), 1002],
  ['text that is none', frame(0x81, Buffer.from([0xc0, 0x80])), 1007],
  ['too large, by its head alone', Buffer.from([0x82, 0xfe, 0x07, 0xd1]), 1009],
  ['too large, past what a number holds', Buffer.from('82ffffffffffffffffff', 'hex'), 1009],
  [
    'too large in fragments',
    Buffer.concat([frame(0x02, Buffer.alloc(1_500)), frame(0x80, Buffer.alloc(501))]),
    1009,
  ],
])('refuses what is %s', (_, bytes, code) => {
  expect(heard([bytes])).toEqual([`failed ${code}`]);
});

test('tells how many frames it read, and whether there may be more', () => {
  let numRead = 0;
  const sink = { ping() {}, pong() {}, closed() {}, failed() {} };
  const reader = createMessageReader(MAX_BYTES, { ...sink, message: () => void numRead++ });
  const one = frame(0x82, hello);
  reader.add(Buffer.concat([one, one, one, one.subarray(0, 4)]));
  expect([reader.read(2), numRead]).toEqual([true, 2]);
  expect([reader.read(2), numRead]).toEqual([false, 3]);
  reader.add(one.subarray(4));
  expect([reader.read(2), numRead]).toEqual([false, 4]);
});

test('64 KiB that come byte by byte, in fragments of one, are one message', () => {
  const numBytes = 2 ** 16;
  const parts = Array.from({ length: numBytes }, (_, k) =>
    frame((k === 0 ? 0x02 : 0x00) | (k === numBytes - 1 ? 0x80 : 0), Buffer.from([k & 255])),
  );
  const [event] = heard(parts, numBytes);
  expect(event).toBe(
    `binary ${Buffer.from(Uint8Array.from({ length: numBytes }, (_, k) => k & 255)).toString('hex')}`,
  );
});

describe('any bytes, cut anywhere, as `ws` reads them', () => {
  const bytesOf = (stream: Stream, size: number) =>
    Buffer.from(Array.from({ length: size }, () => stream.integer(256)));
  const opcodes = [0x0, 0x0, 0x1, 0x2, 0x2, 0x8, 0x9, 0xa, 0x3, 0xb];
  const makeFrame = (stream: Stream): Buffer => {
    const isLast = stream.uniform() < 0.7 ? 0x80 : 0;
    const opcode =
      stream.uniform() < 0.8 ? opcodes[stream.integer(8)] : opcodes[stream.integer(opcodes.length)];
    const size = [0, 1, 2, 5, 47, 48, 51, 125, 126, 700, 3_000][stream.integer(11)];
    const isControl = opcode >= 8;
    const text = Buffer.from('é'.repeat(size >> 1));
    const data =
      opcode === 1 && stream.uniform() < 0.8 ? text : bytesOf(stream, isControl ? size % 126 : size);
    if (opcode === 8 && data.length >= 2 && stream.uniform() < 0.7)
      data.writeUInt16BE(1000 + stream.integer(20), 0);
    const made = frame(
      (isControl && stream.uniform() < 0.9 ? 0x80 : isLast) | opcode,
      data,
      bytesOf(stream, 4),
    );
    if (stream.uniform() < 0.05) made[stream.integer(Math.min(made.length, 4))] ^= 1 << stream.integer(8);
    return made;
  };
  test('5,000 connections', () => {
    const kinds: Record<string, number> = {};
    for (let n = 0; n < 5_000; n++) {
      const stream = openStream(19, 'frames', String(n));
      const all = Buffer.concat(Array.from({ length: 1 + stream.integer(6) }, () => makeFrame(stream)));
      const chunks: Buffer[] = [];
      for (let at = 0; at < all.length; ) {
        const end = Math.min(all.length, at + 1 + stream.integer(stream.uniform() < 0.5 ? 4 : 2_000));
        chunks.push(Buffer.from(all.subarray(at, end)));
        at = end;
      }
      const ours = heard(chunks);
      expect(ours, `connection ${n}`).toEqual(heardByWs(chunks));
      for (const event of ours) {
        const kind = /^failed \d+|^\w+/.exec(event)?.[0] ?? '';
        kinds[kind] = (kinds[kind] ?? 0) + 1;
      }
    }
    for (const kind of [
      'text',
      'binary',
      'ping',
      'pong',
      'closed',
      'failed 1002',
      'failed 1007',
      'failed 1009',
    ])
      expect(kinds[kind], kind).toBeGreaterThan(25);
  });
});
