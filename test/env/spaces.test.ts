import { describe, expect, it } from 'vitest';
import {
  actionMaskSize,
  choiceSizes,
  flatActionSize,
  flattenAction,
  flattenActionSpace,
  unflattenAction,
} from '../../src/env/flatten-action.ts';
import {
  flatSize,
  flattenObservation,
  flattenObservationSpace,
  unflattenObservation,
} from '../../src/env/flatten-space.ts';
import { describeSpace, spaceFromJson, spaceToJson } from '../../src/env/space-json.ts';
import { contains, explainMismatch, sampleSpace } from '../../src/env/space-values.ts';
import {
  Box,
  Dict,
  Discrete,
  isSpace,
  MultiBinary,
  MultiDiscrete,
  type Space,
  Tuple,
} from '../../src/env/spaces.ts';
import { openStream } from '../../src/random/streams.ts';

const nested = new Dict({
  where: new Box([-1, 0], [1, 10]),
  what: new Discrete(3, 5),
  flags: new MultiBinary(2),
  pair: new Tuple([new MultiDiscrete([2, 3]), new Box(0, 1, [1])]),
});

describe('validation', () => {
  it.each<[string, () => Space, RegExp]>([
    ['no shape', () => new Box(-1, 1), /shape/],
    ['crossed bounds', () => new Box([0, 2], [1, 1]), /low 2, high 1 at index 1/],
    ['NaN bound', () => new Box(Number.NaN, 1, [1]), /NaN/],
    ['zero dimension', () => new Box(0, 1, [3, 0]), /shape\[1\].*got `0`/],
    ['bound length', () => new Box([0, 0], 1, [3]), /3 elements.*got 2/],
    ['uint8 range', () => new Box(0, 256, [1], 'uint8'), /\[0, 255\]/],
    ['uint8 fraction', () => new Box(0.5, 2, [1], 'uint8'), /integers/],
    ['dtype', () => new Box(0, 1, [1], 'float64' as 'float32'), /dtype/],
    ['empty at plus infinity', () => new Box(Infinity, Infinity, [1]), /low/],
    ['Discrete 0', () => new Discrete(0), />= 1, got `0`/],
    ['Discrete fraction', () => new Discrete(2.5), /integer/],
    ['Discrete start', () => new Discrete(2, 0.5), /start/],
    ['MultiDiscrete empty', () => new MultiDiscrete([]), /at least one/],
    ['MultiDiscrete NaN', () => new MultiDiscrete([2, Number.NaN]), /nvec\[1\]/],
    ['MultiBinary', () => new MultiBinary(-1), /MultiBinary n/],
    ['Dict empty', () => new Dict({}), /at least one/],
    ['Dict of what', () => new Dict({ a: 3 as unknown as Space }), /`a` to be a space/],
    ['Tuple of what', () => new Tuple([null as unknown as Space]), /sub-space 0/],
  ])('%s', (_, make, message) => {
    expect(make).toThrowError(
      expect.objectContaining({ code: 'CONFIG_SPACE', message: expect.stringMatching(message) }),
    );
  });

  it('recognises spaces', () => {
    expect(isSpace(nested)).toBe(true);
    expect(isSpace({ kind: 'sphere' })).toBe(false);
    expect(isSpace(null)).toBe(false);
  });
});

describe('contains', () => {
  it.each<[Space, unknown, string | null]>([
    [new Box(-1, 1, [2]), [1, -1], null],
    [new Box(-1, 1, [2]), new Float32Array([0, 1.01]), 'value[1]'],
    [new Box(-1, 1, [2]), [0], 'has 1 elements instead of 2'],
    [
      new Box(-1, 1, [2, 2]),
      [
        [0, 0],
        [0, 0],
      ],
      'nested',
    ],
    [new Box(-Infinity, Infinity, [1]), [Number.NaN], 'is NaN'],
    [new Box(-Infinity, Infinity, [1]), [Infinity], 'is Infinity'],
    [new Box(0, 255, [1], 'uint8'), [3.5], 'not an integer'],
    [new Box(0, 1, []), 0.5, null],
    [new Discrete(3, 5), 5, null],
    [new Discrete(3, 5), 8, 'outside [5, 7]'],
    [new Discrete(3), 1.5, 'not an integer'],
    [new Discrete(3), '1', 'not a number'],
    [new MultiDiscrete([2, 3]), [1, 2], null],
    [new MultiDiscrete([2, 3]), [2, 2], 'value[0] = 2'],
    [new MultiBinary(2), [0, 1], null],
    [new MultiBinary(2), [0, 2], 'value[1] = 2'],
    [new Dict({ a: new Discrete(2) }), { a: 1 }, null],
    [new Dict({ a: new Discrete(2) }), {}, 'lacks the key `a`'],
    [new Dict({ a: new Discrete(2) }), { a: 1, b: 2 }, 'key `b`'],
    [new Tuple([new Discrete(2)]), [0, 0], '2 parts instead of 1'],
  ])('%o %o', (space, value, problem) => {
    expect(contains(space, value)).toBe(problem === null);
    if (problem !== null) expect(explainMismatch(space, value)).toContain(problem);
  });

  it('holds for samples of every space, and samples spread over it', () => {
    const stream = openStream(3, 'test');
    const spaces = [
      nested,
      new Box(0, 255, [4], 'uint8'),
      new Box([-Infinity, 2, -Infinity], [Infinity, Infinity, -2]),
    ];
    for (const space of spaces) {
      for (let k = 0; k < 200; k++) expect(explainMismatch(space, sampleSpace(space, stream))).toBeNull();
    }
    const seen = new Set(Array.from({ length: 100 }, () => sampleSpace(new Discrete(3, -1), stream)));
    expect([...seen].sort()).toEqual([-1, 0, 1].sort());
  });
});

describe('observations', () => {
  it('flatten in the order of names, one-hot where discrete', () => {
    const value = { where: [0.5, 3], what: 6, flags: [1, 0], pair: [[1, 2], [0.25]] };
    const row = new Float32Array(flatSize(nested) + 1).fill(9);
    expect(flattenObservation(nested, value, row, 1)).toBe(row.length);
    // flags, pair (2 + 3 + 1), what (3), where (2), behind one untouched element
    expect([...row]).toEqual([9, 1, 0, 0, 1, 0, 0, 1, 0.25, 0, 1, 0, 0.5, 3]);
    expect(unflattenObservation(nested, row, 1)).toEqual({
      flags: Int32Array.of(1, 0),
      pair: [Int32Array.of(1, 2), Float32Array.of(0.25)],
      what: 6,
      where: Float32Array.of(0.5, 3),
    });
  });

  it('keeps the dtype and shape of an image', () => {
    const image = new Box(0, 255, [2, 3, 1], 'uint8');
    expect(flattenObservationSpace(image)).toEqual({ size: 6, dtype: 'uint8', shape: [2, 3, 1] });
    expect(flattenObservationSpace(nested)).toEqual({ size: 13, dtype: 'float32', shape: [13] });
    expect(() => flattenObservation(image, [0, 1, 2, 3, 4, 256], new Uint8Array(6), 0)).toThrow(
      /element 5 is 256/,
    );
  });

  it.each<[Space, unknown]>([
    [new Box(0, 1, [2]), [1]],
    [new Box(0, 1, [2]), undefined],
    [new Box(0, 1, [2]), ['a', 'b']],
    [new Box(0, 1, [1]), 3],
    [new Discrete(2), 2],
    [new Discrete(2), undefined],
    [new Dict({ a: new Discrete(2) }), 1],
    [new Dict({ a: new Discrete(2) }), {}],
    [new Tuple([new Discrete(2)]), []],
  ])('refuses %o for %o', (space, value) => {
    expect(() => flattenObservation(space, value, new Float32Array(8), 0)).toThrowError(
      expect.objectContaining({ code: 'SHAPE_OBSERVATION' }),
    );
  });
});

describe('actions', () => {
  it('look to a policy as categorical, bernoulli or box', () => {
    expect(flattenActionSpace(new Discrete(4, 2))).toEqual({ kind: 'categorical', sizes: [4] });
    expect(flattenActionSpace(new MultiBinary(3))).toEqual({ kind: 'bernoulli', size: 3 });
    const both = new Tuple([new Box(-1, 1, [1]), new Box([0, 0], [2, 3])]);
    expect(flattenActionSpace(both)).toEqual({ kind: 'box', size: 3, low: [-1, 0, 0], high: [1, 2, 3] });
    expect(flatActionSize(both)).toBe(3);
    expect(flattenActionSpace(new Dict({ b: new Discrete(2), a: new MultiDiscrete([3, 4]) }))).toEqual({
      kind: 'categorical',
      sizes: [3, 4, 2],
    });
    expect(actionMaskSize(new Dict({ b: new Discrete(2), a: new MultiDiscrete([3, 4]) }))).toBe(9);
  });

  it('look like a product where a Dict or Tuple mixes kinds, neighbours of one kind joined', () => {
    const space = new Tuple([
      new Discrete(3, 1),
      new MultiDiscrete([2, 4]),
      new Dict({ amount: new Box(0, 2, [1]), by: new Box(-1, 1, [2]) }),
      new MultiBinary(2),
      new Discrete(5),
    ]);
    const flat = flattenActionSpace(space);
    expect(flat).toEqual({
      kind: 'product',
      parts: [
        { kind: 'categorical', sizes: [3, 2, 4] },
        { kind: 'box', size: 3, low: [0, -1, -1], high: [2, 1, 1] },
        { kind: 'bernoulli', size: 2 },
        { kind: 'categorical', sizes: [5] },
      ],
    });
    expect([flatActionSize(space), actionMaskSize(space), choiceSizes(flat)]).toEqual([9, 14, [3, 2, 4, 5]]);
    const row = Float32Array.of(2, 1, 3, 0.5, -1, 0.25, 1, 0, 4);
    const action = unflattenAction(space, row, 0);
    expect(action).toEqual([
      3,
      Int32Array.of(1, 3),
      { amount: Float32Array.of(0.5), by: Float32Array.of(-1, 0.25) },
      Int32Array.of(1, 0),
      4,
    ]);
    const back = new Float32Array(9);
    expect(flattenAction(space, action, back, 0)).toBe(9);
    expect(back).toEqual(row);
  });

  it.each<[Space, RegExp]>([
    [new Tuple([new Discrete(2), new Box(0, 255, [2], 'uint8')]), /MultiDiscrete/],
    [new Box(0, 255, [2], 'uint8'), /MultiDiscrete/],
  ])('refuse %o', (space, message) => {
    expect(() => flattenActionSpace(space)).toThrowError(
      expect.objectContaining({ code: 'CONFIG_ACTION_SPACE', message: expect.stringMatching(message) }),
    );
  });

  it('need a categorical space for masks', () => {
    expect(() => actionMaskSize(new Box(0, 1, [1]))).toThrowError(
      expect.objectContaining({ code: 'CONFIG_ACTION_MASK' }),
    );
  });

  it('come back whole', () => {
    const space = new Dict({ b: new Discrete(2, 10), a: new MultiDiscrete([3, 4]) });
    const flat = Int32Array.of(-7, 2, 3, 1);
    const action = unflattenAction(space, flat, 1);
    expect(action).toEqual({ a: Int32Array.of(2, 3), b: 11 });
    const again = new Int32Array(4).fill(-7);
    expect(flattenAction(space, action, again, 1)).toBe(4);
    expect(again).toEqual(flat);
    expect(unflattenAction(new Box(-1, 1, [2]), Float32Array.of(0, 0.5, -0.5), 1)).toEqual(
      Float32Array.of(0.5, -0.5),
    );
    expect(() => flattenAction(new Box(-1, 1, [2]), [0], new Float32Array(2), 0)).toThrow(/2 elements/);
  });
});

describe('JSON and words', () => {
  it('round trips through text', () => {
    const spaces = [nested, new Box([-Infinity, 0], [0, Infinity]), new Box(0, 255, [4, 4, 3], 'uint8')];
    for (const space of spaces) {
      expect(spaceFromJson(JSON.parse(JSON.stringify(spaceToJson(space))))).toEqual(space);
    }
    expect(() => spaceFromJson({ kind: 'sphere' })).toThrowError(
      expect.objectContaining({ code: 'CONFIG_SPACE' }),
    );
  });

  it('describes in one line', () => {
    expect(describeSpace(new Box(-1, 1, [4]))).toBe('Box(4) f32 [-1, 1]');
    expect(describeSpace(nested)).toBe(
      'Dict(flags: MultiBinary(2), pair: Tuple(MultiDiscrete(2, 3), Box(1) f32 [0, 1]), what: Discrete(3, start 5), ' +
        'where: Box(2) f32 [(-1 0), (1 10)])',
    );
  });
});
