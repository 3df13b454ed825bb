/** States computed anew: against the slow reference, and the same to the bit where the weights are those that collected. */
import { describe, expect, it } from 'vitest';
import { initializeRollout, openRollout, rolloutLayout } from '../../../src/experience/layout.ts';
import { createFreshStates, freshStatesBytes } from '../../../src/learner/simd/fresh-states.ts';
import { createArena, createArenaPlanner } from '../../../src/memory/arena.ts';
import { mlpParameterLayout } from '../../../src/policy/networks/mlp-parameters.ts';
import { recurrentStateSize } from '../../../src/policy/networks/recurrent-state.ts';
import { loadKernels } from '../../../src/simd/loader.ts';
import { reserveWeightBuffer, writeWeightSlot } from '../../../src/weights/weight-buffer.ts';
import { categorical, makeSpec, normalizedRows } from '../../reference/policy-specs.ts';
import { stepReference } from '../../reference/recurrent-reference.ts';
import { learnerOptions, makeFixture } from '../../reference/rollout-fixture.ts';

const N = 70; // more rows than a block has
const T = 12;
const L = 4;

describe.each([
  ['lstm', false, {}, 3],
  ['lstm', true, { numLayers: 2 }, 0],
  ['gru', false, { numLayers: 2, sizesBefore: [7] }, 4],
  ['gru', true, {}, 0],
] as const)('%s, shared %s, %o, burn-in %i', (cell, shared, places, burnIn) => {
  it('follows each row from its first state, and begins anew after an end', async () => {
    const spec = makeSpec(categorical(3), {
      ...places,
      cell,
      cellSize: 7,
      hiddenSizes: [5],
      shared,
      normalize: true,
    });
    const fixture = makeFixture(
      spec,
      N,
      T,
      learnerOptions({ sequenceLength: L, burnIn, maxMinibatchSize: N * T }),
    );
    const { parameters, mean, inverseStd } = fixture;
    const layout = rolloutLayout(spec, N, T, {
      values: true,
      finalObservations: false,
      sequenceLength: L,
      burnIn,
    });
    const planner = createArenaPlanner();
    const set = planner.reserve(layout.byteLength).offset;
    const scratch = planner.reserve(freshStatesBytes(spec, N));
    const weightLayout = reserveWeightBuffer(planner, mlpParameterLayout(spec).size, spec.observationSize, 2);
    const slot = planner.reserve(weightLayout.slotBytes).offset;
    const arena = createArena(planner);
    initializeRollout(arena.buffer, set, layout);
    const rollout = openRollout(arena.buffer, set, layout);
    for (const name of ['observations', 'recurrentStates', 'terminated', 'truncated'] as const)
      rollout[name].set(fixture.rollout[name]);
    writeWeightSlot(arena.buffer, slot, weightLayout, parameters, { mean, inverseStd });
    const kernels = await loadKernels();
    const refresh = createFreshStates({ arena, kernels, spec, weightLayout, scratch }, N);
    refresh(rollout, slot);

    const S = recurrentStateSize(spec);
    const x = normalizedRows(spec, rollout.observations, N * T, mean, inverseStd);
    const stored = fixture.rollout.recurrentStates;
    let numEnds = 0;
    for (let n = 0; n < N; n++) {
      let state = [...stored.subarray(n * (T / L) * S, (n * (T / L) + 1) * S)];
      for (let t = 0; t < T; t++) {
        const sequences = [0, 1, 2].filter((s) => t === Math.max(0, s * L - burnIn)); // whose burn-in begins here
        for (const s of sequences) {
          const at = (n * (T / L) + s) * S;
          for (const [k, value] of state.entries())
            expect(Math.abs(rollout.recurrentStates[at + k] - value)).toBeLessThan(1e-5);
        }
        const i = n * T + t;
        state = stepReference(spec, parameters, x[i], state);
        const isOver = rollout.terminated[i] !== 0 || rollout.truncated[i] !== 0;
        if (isOver) state = state.map(() => 0);
        if (isOver && t % L === L - 1) numEnds += 1;
      }
    }
    expect(numEnds).toBeGreaterThan(10);
    const first = rollout.recurrentStates.slice();
    refresh(rollout, slot);
    expect(rollout.recurrentStates).toEqual(first);
  });
});
