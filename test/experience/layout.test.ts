import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../src/errors.ts';
import {
  columnAddress,
  hasColumn,
  initializeRollout,
  OFF_POLICY_COLUMNS,
  openRollout,
  ROLLOUT_MAGIC,
  ROLLOUT_VERSION,
  type RolloutColumns,
  rolloutLayout,
} from '../../src/experience/layout.ts';
import { bernoulli, categorical, gaussian, makeSpec } from '../reference/policy-specs.ts';

const BYTES = { float32: 4, float64: 8, int32: 4, uint8: 1 };
const SPECS = [
  makeSpec(categorical(2, 3), { masks: true, observationSize: 5 }),
  makeSpec(gaussian(3), { observationSize: 1 }),
  makeSpec(bernoulli(7), { observationDtype: 'uint8', observationSize: 11 }),
];

describe('rolloutLayout', () => {
  it('keeps columns apart, aligned to cache lines and inside the block set, for any size', () => {
    const sizes = fc.record({
      spec: fc.constantFrom(...SPECS),
      N: fc.integer({ min: 1, max: 70 }),
      T: fc.integer({ min: 1, max: 70 }),
    });
    fc.assert(
      fc.property(sizes, ({ spec, N, T }) => {
        const { columns, byteLength } = rolloutLayout(spec, N, T);
        let end = 64; // the header
        for (const { dtype, shape, offset } of columns) {
          expect(offset % 64).toBe(0);
          expect(offset).toBeGreaterThanOrEqual(end);
          end = offset + BYTES[dtype] * shape.reduce((a, b) => a * b, 1);
        }
        expect(byteLength).toBeGreaterThanOrEqual(end);
        expect(byteLength % 64).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('is environment-major: sample (n, t) lies at n * T + t, in every column', () => {
    const spec = makeSpec(categorical(2, 3), { masks: true, observationSize: 5 });
    const layout = rolloutLayout(spec, 3, 4);
    const shapes = Object.fromEntries(
      layout.columns.map(({ name, shape, dtype }) => [name, { shape, dtype }]),
    );
    expect(shapes.observations).toEqual({ shape: [3, 4, 5], dtype: 'float32' });
    expect(shapes.actions).toEqual({ shape: [3, 4, 2], dtype: 'int32' });
    expect(shapes.actionMasks).toEqual({ shape: [3, 4, 5], dtype: 'uint8' });
    expect(shapes.rewards).toEqual({ shape: [3, 4], dtype: 'float32' });
    expect(shapes.episodeReturns).toEqual({ shape: [3, 4], dtype: 'float64' });
    expect(shapes.bootstrapObservations).toEqual({ shape: [3, 5], dtype: 'float32' });
    expect(shapes.policyVersions).toEqual({ shape: [3], dtype: 'int32' });
  });

  it('has what replay needs, or what on-policy learning needs, and leaves the other empty', () => {
    const sizes = (columns?: RolloutColumns) =>
      Object.fromEntries(
        rolloutLayout(SPECS[0], 3, 4, columns).columns.map(({ name, shape }) => [
          name,
          shape.reduce((a, b) => a * b, 1),
        ]),
      );
    const onPolicy = ['logProbs', 'values', 'finalValues', 'advantages', 'returns'];
    const offPolicy = sizes(OFF_POLICY_COLUMNS);
    for (const name of onPolicy) {
      expect(offPolicy[name]).toBe(0);
      expect(sizes()[name]).toBe(12);
    }
    expect(offPolicy).toMatchObject({ bootstrapValues: 0, finalSlots: 12, finalObservations: 12 * 5 });
    expect(sizes()).toMatchObject({ bootstrapValues: 3, finalSlots: 0, finalObservations: 0 });
    expect(hasColumn(rolloutLayout(SPECS[0], 3, 4), 'finalSlots')).toBe(false);
    expect(hasColumn(rolloutLayout(SPECS[0], 3, 4), 'values')).toBe(true);
  });

  it('takes its dtypes from the policy', () => {
    const dtypes = (k: number) =>
      Object.fromEntries(rolloutLayout(SPECS[k], 2, 2).columns.map(({ name, dtype }) => [name, dtype]));
    expect(dtypes(1)).toMatchObject({ observations: 'float32', actions: 'float32' });
    expect(dtypes(2)).toMatchObject({
      observations: 'uint8',
      bootstrapObservations: 'uint8',
      actions: 'int32',
    });
  });
});

describe('openRollout', () => {
  const spec = SPECS[0];
  const layout = rolloutLayout(spec, 3, 4, { values: true, finalObservations: true });

  const remembering = rolloutLayout(
    makeSpec(categorical(2), { cell: 'lstm', cellSize: 5, masks: true }),
    3,
    4,
    { values: true, finalObservations: true, sequenceLength: 2 },
  );

  it('keeps the states that sequences begin with, and the last one', () => {
    const shapes = Object.fromEntries(remembering.columns.map(({ name, shape }) => [name, shape]));
    expect(shapes.recurrentStates).toEqual([3, 2, 20]); // two sequences of two steps; two cells of 5 units, with two states each
    expect(shapes.lastRecurrentStates).toEqual([3, 20]);
  });

  it.each([
    ['an MLP', layout],
    ['a recurrent policy', remembering],
  ])('opens views of %s that do not overlap, at the addresses that kernels are told', (_, layout) => {
    const buffer = new SharedArrayBuffer(1024 + layout.byteLength);
    initializeRollout(buffer, 1024, layout);
    const views = openRollout(buffer, 1024, layout);
    for (const [k, { name, shape }] of layout.columns.entries()) {
      const view = views[name as 'rewards'];
      expect(view.length).toBe(shape.reduce((a, b) => a * b, 1));
      expect(view.byteOffset).toBe(columnAddress(layout, 1024, name));
      view.fill(k + 1);
    }
    for (const [k, { name }] of layout.columns.entries()) {
      expect(new Set(views[name as 'rewards'])).toEqual(
        new Set(views[name as 'rewards'].length > 0 ? [k + 1] : []),
      );
    }
    expect([...new Int32Array(buffer, 1024, 4)]).toEqual([ROLLOUT_MAGIC, ROLLOUT_VERSION, 3, 4]);
  });

  it.each([
    ['magic', 0, 7],
    ['version', 1, ROLLOUT_VERSION + 1],
    ['number of rows', 2, 2],
    ['rollout length', 3, 5],
  ])('refuses memory with another %s', (_, word, value) => {
    const buffer = new SharedArrayBuffer(layout.byteLength);
    initializeRollout(buffer, 0, layout);
    new Int32Array(buffer, 0, 4)[word] = value;
    const open = () => openRollout(buffer, 0, layout);
    expect(open).toThrow(ShapeError);
    expect(open).toThrow(expect.objectContaining({ code: 'SHAPE_ROLLOUT_HEADER' }));
    expect(open).toThrow(/\[magic, version, numRows, rolloutLength\] = \[\d+,1,3,4\] at byte 0, got \[/);
  });

  it('names a column that there is not', () => {
    expect(() => columnAddress(layout, 0, 'reward')).toThrow(/`reward`/);
  });
});
