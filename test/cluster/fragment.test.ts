/** A fragment carries all that a host's runners wrote into the learner's rows, and nothing else. */
import { expect, test } from 'vitest';
import { packRollout, unpackRows } from '../../src/cluster/fragment.ts';
import {
  initializeRollout,
  OFF_POLICY_COLUMNS,
  ON_POLICY_COLUMNS,
  openRollout,
  type RolloutColumns,
  type RolloutViews,
  rolloutLayout,
} from '../../src/experience/layout.ts';
import type { ActingSpec } from '../../src/policy/policy-spec.ts';
import { copyRows } from '../../src/rollout/copy-rows.ts';
import { categorical, makeSpec } from '../reference/policy-specs.ts';

const MLP_SPEC = makeSpec(categorical(3), { observationSize: 4, masks: true });
const T = 5;
const HOST_ROWS = 2;
const FIRST = 3;
const LEARNER_ROWS = 6;
const ADDRESS = 128;

function open(spec: ActingSpec, numRows: number, columns: RolloutColumns) {
  const layout = rolloutLayout(spec, numRows, T, columns);
  const buffer = new SharedArrayBuffer(ADDRESS + layout.byteLength);
  initializeRollout(buffer, ADDRESS, layout);
  return { layout, buffer, rollout: openRollout(buffer, ADDRESS, layout) };
}

/** Every element of every column is another number. */
function fillIn(rollout: RolloutViews): void {
  let next = 1;
  for (const column of Object.values(rollout)) {
    if (typeof column === 'number') continue;
    for (let i = 0; i < column.length; i++) column[i] = next++ % 251;
  }
}

const RECURRENT_SPEC = makeSpec(categorical(3), {
  observationSize: 4,
  masks: true,
  cell: 'lstm',
  cellSize: 6,
});

test.each([
  ['on-policy', ON_POLICY_COLUMNS, MLP_SPEC],
  ['replay', OFF_POLICY_COLUMNS, MLP_SPEC],
  ['replay of sequences', { ...OFF_POLICY_COLUMNS, sequenceLength: T }, RECURRENT_SPEC],
])('%s: as if the rows had been copied in this process', (_, columns, spec) => {
  const host = open(spec, HOST_ROWS, columns);
  expect(host.rollout.recurrentStates.length > 0).toBe(spec === RECURRENT_SPEC);
  fillIn(host.rollout);
  // Row 0 ends once, row 1 twice.
  if (columns.finalObservations) host.rollout.finalSlots.set([-1, 0, -1, -1, -1, 5, -1, -1, 6, -1]);
  const learner = open(spec, LEARNER_ROWS, columns);
  const expected = open(spec, LEARNER_ROWS, columns);
  const fragment = Buffer.concat(packRollout(host.buffer, ADDRESS, host.layout));
  unpackRows(fragment, learner.buffer, ADDRESS, learner.layout, {
    first: FIRST,
    count: HOST_ROWS,
    version: 41,
  });
  const isUsed = new Set(columns.finalObservations ? [0, 5, 6] : []);
  const size = spec.observationSize;
  host.rollout.finalObservations.forEach((_value, i) => {
    if (!isUsed.has(Math.floor(i / size))) host.rollout.finalObservations[i] = 0;
  });
  copyRows(host.rollout, 0, HOST_ROWS, expected.rollout, FIRST);
  expected.rollout.policyVersions.fill(41, FIRST, FIRST + HOST_ROWS);
  expect(learner.rollout).toEqual(expected.rollout);
});

test('bytes of other rows are refused', () => {
  const host = open(MLP_SPEC, HOST_ROWS, ON_POLICY_COLUMNS);
  const learner = open(MLP_SPEC, LEARNER_ROWS, ON_POLICY_COLUMNS);
  const fragment = Buffer.concat(packRollout(host.buffer, ADDRESS, host.layout));
  const unpack = (bytes: Buffer, count: number) =>
    unpackRows(bytes, learner.buffer, ADDRESS, learner.layout, { first: 0, count, version: 1 });
  expect(() => unpack(fragment, HOST_ROWS + 1)).toThrow(/Expected a fragment of 3 rows/);
  expect(() => unpack(fragment, HOST_ROWS - 1)).toThrow(/Expected a fragment of 1 rows/);
});
