import { expect, test } from 'vitest';
import { initializeRollout, openRollout, rolloutLayout } from '../../src/experience/layout.ts';
import { openStream } from '../../src/random/streams.ts';
import { copyRows } from '../../src/rollout/copy-rows.ts';
import { categorical, makeSpec } from '../reference/policy-specs.ts';

const N = 4;
const T = 3;
const COLUMNS = [
  ...['observations', 'actions', 'logProbs', 'values', 'rewards', 'terminated', 'truncated', 'finalValues'],
  ...['episodeReturns', 'episodeLengths', 'actionMasks', 'bootstrapObservations', 'bootstrapMasks'],
  ...['bootstrapValues', 'policyVersions', 'finalObservations', 'recurrentStates', 'lastRecurrentStates'],
] as const;

test('rows arrive with every column that runners write, and with their slots', () => {
  const spec = makeSpec(categorical(3), { masks: true });
  const layout = rolloutLayout(spec, N, T, { values: true, finalObservations: true });
  const stream = openStream(1, 'copy-rows');
  const open = () => {
    const buffer = new SharedArrayBuffer(layout.byteLength);
    initializeRollout(buffer, 0, layout);
    return openRollout(buffer, 0, layout);
  };
  const [from, into] = [open(), open()];
  const written = layout.columns
    .map(({ name }) => name)
    .filter((name) => !['advantages', 'returns', 'finalSlots'].includes(name));
  expect([...COLUMNS].sort()).toEqual(written.sort()); // a new column has to be copied, too
  const column = (rollout: typeof from, name: string) => rollout[name as 'actions'] as Float32Array;
  for (const name of COLUMNS) column(from, name).set(column(from, name).map(() => stream.integer(100)));
  from.finalSlots.fill(-1);
  from.finalSlots[2 * T] = 2 * T; // row 2: its first end
  from.finalSlots[3 * T + 1] = 3 * T;
  copyRows(from, 2, 2, into, 1);
  for (const name of COLUMNS) {
    const size = column(from, name).length / N;
    const rows = (rollout: typeof from, first: number) => [
      ...column(rollout, name).subarray(first * size, (first + 2) * size),
    ];
    expect(rows(into, 1), name).toEqual(rows(from, 2));
    expect([...column(into, name).subarray(0, size)], name).toEqual(Array(size).fill(0));
  }
  expect([...into.finalSlots.subarray(T, 3 * T)]).toEqual([T, -1, -1, -1, 2 * T, -1]);
});
