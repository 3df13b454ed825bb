import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NamedTensor } from '../../src/checkpoint/content.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/checkpoint/safetensors.ts';
import { CheckpointError } from '../../src/errors.ts';

const encode = (...args: Parameters<typeof encodeSafetensors>) =>
  new Uint8Array(Buffer.concat(encodeSafetensors(...args)));

/** A file with this header text and data, whatever they are. */
function fileOf(header: string, data: readonly number[] = []): Uint8Array {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return new Uint8Array(Buffer.concat([length, json, Uint8Array.from(data)]));
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof CheckpointError) return error.code;
    throw error;
  }
  return 'no error';
}

describe('encodeSafetensors', () => {
  test('lays out a file by hand: u64 length, padded JSON, little-endian data', () => {
    const bytes = encode({ a: { dtype: 'int32', shape: [2], data: new Int32Array([1, -2]) } });
    const json = '{"a":{"dtype":"I32","shape":[2],"data_offsets":[0,8]}}';
    const expected = Buffer.concat([
      Buffer.from([56, 0, 0, 0, 0, 0, 0, 0]),
      Buffer.from(json.padEnd(56)),
      Buffer.from([1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff]),
    ]);
    expect(Buffer.from(bytes).equals(expected)).toBe(true);
  });

  test('orders by item size so that every tensor is aligned, also for odd sizes', () => {
    const [head] = encodeSafetensors({
      a: { dtype: 'uint8', shape: [3], data: new Uint8Array(3) },
      c: { dtype: 'float32', shape: [1], data: new Float32Array(1) },
      b: { dtype: 'float32', shape: [1], data: new Float32Array(1) },
      d: { dtype: 'float64', shape: [1], data: new Float64Array(1) },
    });
    expect(head.length % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(head.subarray(8)));
    expect(Object.keys(header)).toEqual(['d', 'b', 'c', 'a']);
    expect(header.a.data_offsets).toEqual([16, 19]);
  });

  test('reads views of shared memory', () => {
    const shared = new Float32Array(new SharedArrayBuffer(32), 8, 3);
    shared.set([1, 2, 3]);
    const { tensors } = decodeSafetensors(encode({ a: { dtype: 'float32', shape: [3], data: shared } }));
    expect(tensors.a.data).toEqual(new Float32Array([1, 2, 3]));
  });

  test('refuses a shape that does not fit, and the reserved name', () => {
    const tensor: NamedTensor = { dtype: 'float32', shape: [2, 2], data: new Float32Array(3) };
    expect(codeOf(() => encodeSafetensors({ a: tensor }))).toBe('CHECKPOINT_TENSORS');
    const fitting: NamedTensor = { dtype: 'float32', shape: [3], data: new Float32Array(3) };
    expect(codeOf(() => encodeSafetensors({ __metadata__: fitting }))).toBe('CHECKPOINT_TENSORS');
  });
});

describe('the Python implementation', () => {
  test('wrote this fixture, and it reads as what was put in', () => {
    const bytes = readFileSync(new URL('./fixtures/python.safetensors', import.meta.url));
    const { tensors, metadata } = decodeSafetensors(bytes);
    expect(metadata).toEqual({ made: 'by Python safetensors', 'with é': '1' });
    expect(tensors).toEqual({
      floats: { dtype: 'float32', shape: [2, 3], data: new Float32Array([0, 0.5, -1, 1e-40, 3e38, -0]) },
      doubles: { dtype: 'float64', shape: [2], data: new Float64Array([Math.PI, -1e300]) },
      ints: { dtype: 'int32', shape: [3, 1], data: new Int32Array([-2147483648, 0, 2147483647]) },
      bytes: { dtype: 'uint8', shape: [5], data: new Uint8Array([0, 1, 127, 128, 255]) },
      scalar: { dtype: 'float32', shape: [], data: new Float32Array([7]) },
      empty: { dtype: 'float32', shape: [0, 4], data: new Float32Array(0) },
    });
  });

  test('writes the same bytes as this one for the same tensors', () => {
    const bytes = readFileSync(new URL('./fixtures/python.safetensors', import.meta.url));
    const { tensors } = decodeSafetensors(bytes);
    const plain = readFileSync(new URL('./fixtures/python-without-metadata.safetensors', import.meta.url));
    expect(Buffer.from(encode(tensors)).equals(plain)).toBe(true);
  });
});

describe('decodeSafetensors', () => {
  const entry = (fields: object) =>
    fileOf(
      JSON.stringify({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4], ...fields } }),
      [0, 0, 0, 0],
    );

  test.each([
    ['nothing', new Uint8Array(0)],
    ['half a length', new Uint8Array(7)],
    ['a length beyond the end', new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0])],
    ['the largest length', new Uint8Array(16).fill(255)],
    ['no JSON', fileOf('nonsense')],
    ['invalid UTF-8', new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe])],
    ['a list', fileOf('[]')],
    ['null', fileOf('null')],
    ['an entry that is no object', fileOf('{"a":1}')],
    ['a negative size', entry({ shape: [-1] })],
    ['a fractional size', entry({ shape: [0.5] })],
    ['a shape that is no list', entry({ shape: 4 })],
    ['a product beyond all integers', entry({ shape: [2 ** 52, 2 ** 52] })],
    ['an end beyond the data', entry({ data_offsets: [0, 8], shape: [2] })],
    ['an end before the beginning', entry({ data_offsets: [4, 0] })],
    ['three offsets', entry({ data_offsets: [0, 4, 4] })],
    ['a length that is not the shape', entry({ data_offsets: [0, 3] })],
    ['bytes of no tensor', fileOf('{}', [1])],
    ['a hole', fileOf('{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', [1, 2])],
    ['metadata that is no text', fileOf('{"__metadata__":{"a":1}}')],
    ['metadata that is no object', fileOf('{"__metadata__":"a"}')],
    [
      'overlapping tensors',
      fileOf(
        '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}',
        [1, 2, 3],
      ),
    ],
  ])('refuses %s', (_, bytes) => {
    expect(codeOf(() => decodeSafetensors(bytes))).toBe('CHECKPOINT_TENSORS');
  });

  test('names an unknown dtype and the file', () => {
    expect(() => decodeSafetensors(entry({ dtype: 'BF16' }), 'w.safetensors')).toThrow(
      /`a` in `w.safetensors`.*F32.*"BF16"/,
    );
    expect(codeOf(() => decodeSafetensors(entry({ dtype: 'BF16' })))).toBe('CHECKPOINT_DTYPE');
  });

  test('keeps names that objects inherit', () => {
    const one: NamedTensor = { dtype: 'uint8', shape: [1], data: new Uint8Array([9]) };
    const tensors = Object.fromEntries(
      ['__proto__', 'constructor', 'toString', ''].map((name) => [name, one]),
    );
    const read = decodeSafetensors(encode(tensors)).tensors;
    expect(Object.keys(read).sort()).toEqual(['', '__proto__', 'constructor', 'toString']);
    expect(Object.entries(read).every(([, tensor]) => tensor.data[0] === 9)).toBe(true);
  });

  test('gives back any tensors bit for bit, also from an unaligned place', () => {
    const dims = fc.array(fc.nat(4), { maxLength: 3 });
    const tensor = fc
      .tuple(fc.constantFrom('float32', 'float64', 'int32', 'uint8'), dims)
      .chain(([dtype, shape]) => {
        const size = { float32: 4, float64: 8, int32: 4, uint8: 1 }[dtype];
        const length = shape.reduce((product, dim) => product * dim, 1);
        return fc
          .uint8Array({ minLength: length * size, maxLength: length * size })
          .map((raw) => ({ dtype, shape, raw }));
      });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), tensor), fc.nat(7), (specs, shift) => {
        const views = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array };
        const tensors = Object.fromEntries(
          Object.entries(specs)
            .filter(([name]) => name !== '__metadata__')
            .map(([name, { dtype, shape, raw }]) => {
              const data = new views[dtype](raw.slice().buffer);
              return [name, { dtype, shape, data } satisfies NamedTensor];
            }),
        );
        const bytes = encode(tensors, { a: 'b' });
        const shifted = new Uint8Array(bytes.length + shift);
        shifted.set(bytes, shift);
        const read = decodeSafetensors(shifted.subarray(shift)).tensors;
        expect(Object.keys(read).sort()).toEqual(Object.keys(tensors).sort());
        for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
          expect(read[name].dtype).toBe(dtype);
          expect(read[name].shape).toEqual(shape);
          // Raw bytes, because a NaN's payload must survive, too.
          expect(Buffer.from(read[name].data.buffer).equals(Buffer.from(data.buffer))).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('never fails with anything but a CheckpointError: random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(codeOf(() => decodeSafetensors(bytes))).toMatch(/^CHECKPOINT_|^no error$/);
      }),
      { numRuns: 3000 },
    );
  });

  test('never fails with anything but a CheckpointError: random JSON headers, cut and flipped files', () => {
    const offsets = fc.oneof(fc.tuple(fc.nat(40), fc.nat(40)), fc.jsonValue());
    const header = fc.dictionary(
      fc.constantFrom('a', 'b', '__metadata__', '__proto__'),
      fc.oneof(
        fc.record(
          {
            dtype: fc.constantFrom('F32', 'U8', 'F64', 'X'),
            shape: fc.oneof(fc.array(fc.integer()), fc.jsonValue()),
            data_offsets: offsets,
          },
          { requiredKeys: [] },
        ),
        fc.jsonValue(),
      ),
    );
    fc.assert(
      fc.property(
        header,
        fc.uint8Array({ maxLength: 40 }),
        fc.nat(),
        fc.nat(7),
        (value, data, place, bit) => {
          const bytes = fileOf(JSON.stringify(value), [...data]);
          const cut = bytes.slice(0, place % bytes.length);
          const flipped = bytes.slice();
          flipped[place % bytes.length] ^= 1 << bit;
          for (const input of [bytes, cut, flipped]) {
            expect(codeOf(() => decodeSafetensors(input))).toMatch(/^CHECKPOINT_|^no error$/);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
