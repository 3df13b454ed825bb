/** Windows for recurrent networks against the plain list of what was experienced. */
import { expect, test } from 'vitest';
import { createWindowReader, windowLength } from '../../src/replay/recurrent-windows.ts';
import { createReplay } from '../../src/replay/replay.ts';
import type { ReplaySpec } from '../../src/replay/replay-spec.ts';
import { type RecordedStep, recorder } from './recorded-steps.ts';

const base: ReplaySpec = {
  capacity: 120,
  numRows: 2,
  observationSize: 3,
  observationDtype: 'float32',
  actionSize: 1,
  actionDtype: 'int32',
  maskSize: 2,
  segmentSteps: 7,
};
const shape = { sequenceLength: 6, burnIn: 3, nStep: 3, gamma: 0.9 };
const U = windowLength(shape);

interface Row {
  readonly observation: readonly number[];
  readonly mask: readonly number[];
  readonly begins: boolean;
  /** null = what a truncated episode led to. */
  readonly step: RecordedStep | null;
}

/** What a window is: steps in order, and after a truncated one what it truly led to. */
function rowsFrom(steps: readonly RecordedStep[], first: number): Row[] {
  const rows: Row[] = [];
  let begins = false;
  for (const step of steps.slice(first)) {
    rows.push({ observation: step.observation, mask: step.mask, begins, step });
    if (step.truncated) rows.push({ observation: step.next, mask: step.nextMask, begins: false, step: null });
    begins = step.terminated || step.truncated;
  }
  return rows.slice(0, U);
}

/** The return of the step in row u, and where it leads. */
function returnOf(rows: readonly Row[], u: number) {
  let reward = 0;
  let factor = 1;
  for (let k = 0; k < shape.nStep; k++) {
    const { step } = rows[u + k];
    if (step === null) return { reward, discount: factor, bootstrap: k };
    reward += factor * step.reward;
    factor *= shape.gamma;
    if (step.terminated) return { reward, discount: 0, bootstrap: 0 };
  }
  return { reward, discount: factor, bootstrap: shape.nStep };
}

test.each(['int32', 'float32'] as const)(
  'every window is the steps in order, and each learnt one has what it is bootstrapped from: actions of %s',
  (actionDtype) => {
    const spec = { ...base, actionDtype };
    const replay = createReplay(spec);
    const play = recorder(spec, (row, step) => {
      if (step === 4 + row) return 'truncated';
      return step === 3 && row === 0 ? null : step === 9 ? 'terminated' : null;
    });
    for (let k = 0; k < 12; k++) replay.append(play.play(8)); // the ring has gone round
    const numRows = 2 * U;
    const columns = {
      observations: new Float32Array(numRows * 3),
      actions: actionDtype === 'int32' ? new Int32Array(numRows) : new Float32Array(numRows),
      rewards: new Float32Array(numRows),
      discounts: new Float32Array(numRows),
      bootstraps: new Int32Array(numRows),
      weights: new Float32Array(numRows),
      continues: new Int32Array(numRows),
      masks: new Uint8Array(numRows * 2),
    };
    const reader = createWindowReader(replay.ring, shape, columns);
    let numFinals = 0;
    for (let position = replay.ring.end - 60; position + U - 1 < replay.ring.end; position++) {
      for (const row of [0, 1]) {
        const numLearnt = reader.read(row, position, 1, 2); // rows 1, 3, 5, ...
        const rows = rowsFrom(play.rows[row], position);
        let expected = 0;
        rows.forEach(({ observation, mask, begins, step }, u) => {
          const r = 1 + 2 * u;
          expect([...columns.observations.slice(3 * r, 3 * r + 3)]).toEqual(observation);
          expect([...columns.masks.slice(2 * r, 2 * r + 2)]).toEqual(mask);
          if (u > 0) expect(columns.continues[r]).toBe(begins ? 0 : 1);
          if (step === null) numFinals += 1;
          else expect(columns.actions[r]).toBe(step.action[0]);
          const isLearnt = step !== null && u >= shape.burnIn && u < shape.burnIn + shape.sequenceLength;
          expect(columns.weights[r]).toBe(isLearnt ? 1 : 0);
          if (!isLearnt) return;
          expected += 1;
          const { reward, discount, bootstrap } = returnOf(rows, u);
          expect(columns.rewards[r]).toBe(Math.fround(reward));
          expect(columns.discounts[r]).toBe(Math.fround(discount));
          expect(columns.bootstraps[r]).toBe(bootstrap);
        });
        expect(rows.length).toBe(U);
        expect(numLearnt).toBe(expected);
      }
    }
    expect(numFinals).toBeGreaterThan(20);
  },
);
