/** What weights say of a rollout of a recurrent policy, against the slow reference. */
import { describe, expect, it } from 'vitest';
import { initializeRollout, openRollout, rolloutLayout } from '../../../src/experience/layout.ts';
import { createRolloutScorer, scorerScratchBytes } from '../../../src/learner/simd/rollout-scorer.ts';
import { createArena, createArenaPlanner } from '../../../src/memory/arena.ts';
import { mlpParameterLayout } from '../../../src/policy/networks/mlp-parameters.ts';
import { recurrentStateSize } from '../../../src/policy/networks/recurrent-state.ts';
import type { PolicySpec } from '../../../src/policy/policy-spec.ts';
import { loadKernels } from '../../../src/simd/loader.ts';
import { openWeightBuffer, reserveWeightBuffer } from '../../../src/weights/weight-buffer.ts';
import { rowStatistics } from '../../reference/distribution-reference.ts';
import { categorical, gaussian, makeSpec, normalizedRows } from '../../reference/policy-specs.ts';
import { logStdOf } from '../../reference/ppo-reference.ts';
import {
  burnInReference,
  outputsReference,
  sequencesReference,
  stepReference,
} from '../../reference/recurrent-reference.ts';
import { learnerOptions, makeFixture } from '../../reference/rollout-fixture.ts';

const N = 14;
const T = 20;
const L = 4; // 70 sequences: more than a block of the network's has rows

/** A rollout whose actions and states are random, judged once. */
async function judge(spec: PolicySpec, burnIn: number) {
  const fixture = makeFixture(
    spec,
    N,
    T,
    learnerOptions({ sequenceLength: L, burnIn, maxMinibatchSize: N * T }),
  );
  const { parameters, mean, inverseStd } = fixture;
  const layout = rolloutLayout(spec, N, T, {
    values: true,
    finalObservations: true,
    sequenceLength: L,
    burnIn,
  });
  const planner = createArenaPlanner();
  const set = planner.reserve(layout.byteLength).offset;
  const scratch = planner.reserve(scorerScratchBytes(spec, (N * T) / L));
  const weightLayout = reserveWeightBuffer(planner, mlpParameterLayout(spec).size, spec.observationSize, 2);
  const arena = createArena(planner);
  initializeRollout(arena.buffer, set, layout);
  const rollout = openRollout(arena.buffer, set, layout);
  for (const name of [
    'observations',
    'actions',
    'actionMasks',
    'recurrentStates',
    'terminated',
    'truncated',
  ] as const)
    rollout[name].set(fixture.rollout[name]);
  const size = spec.observationSize;
  rollout.bootstrapObservations.set(rollout.observations.subarray(3 * size, (3 + N) * size));
  rollout.finalSlots.forEach((_, i) => {
    rollout.finalSlots[i] = (i * 7) % (N * T); // any slot will do, as long as it is the one that is read
  });
  rollout.finalObservations.set(rollout.observations.map((x) => x / 2));
  const weights = openWeightBuffer(arena.buffer, weightLayout);
  const address = weights.slotAddress(weights.publish(parameters, mean, inverseStd));
  const scorer = createRolloutScorer({ arena, kernels: await loadKernels(), spec, weightLayout, scratch });
  const logProbs = new Float32Array(N * T);
  scorer.logProbs(rollout, address, logProbs);
  scorer.values(rollout, address);
  const normalized = (rows: ArrayLike<number>) =>
    normalizedRows(spec, rows, rows.length / size, mean, inverseStd);
  return { rollout, parameters, logProbs, normalized };
}

describe.each([
  ['lstm', false, {}, 3],
  ['lstm', true, { numLayers: 2 }, 0],
  ['gru', false, { numLayers: 2, sizesBefore: [7] }, 4],
  ['gru', true, {}, 0],
] as const)('%s, shared %s, %o, burn-in %i', (cell, shared, places, burnIn) => {
  it.each([
    ['categorical', categorical(3, 2)],
    ['gaussian', gaussian(2)],
  ] as const)('agrees with a float64 reference: %s', async (kind, distribution) => {
    const masks = kind === 'categorical';
    const spec = makeSpec(distribution, {
      ...places,
      cell,
      cellSize: 9,
      hiddenSizes: [7],
      shared,
      masks,
      normalize: true,
    });
    const { rollout, parameters, logProbs, normalized } = await judge(spec, burnIn);
    const { terminated, truncated } = rollout;
    const x = normalized(rollout.observations);
    const ends = (i: number) => terminated[i] !== 0 || truncated[i] !== 0;
    const shape = { sequenceLength: L, rolloutLength: T, burnIn };
    const stored = rollout.recurrentStates;
    const recurrentStates = Float32Array.from(burnInReference(spec, parameters, x, stored, ends, shape));
    const { outputs, values, latent } = sequencesReference(spec, parameters, x, recurrentStates, ends, L);
    const [A, M, S] = [rollout.actions.length / (N * T), spec.actionMaskSize, recurrentStateSize(spec)];
    const near = (found: number, expected: number) =>
      expect(Math.abs(found - expected)).toBeLessThan(3e-5 * (1 + Math.abs(expected)));
    const final = normalized(rollout.finalObservations);
    const bootstrap = normalized(rollout.bootstrapObservations);
    const valueAfter = (state: readonly number[], observation: readonly number[]) =>
      outputsReference(spec, parameters, [stepReference(spec, parameters, observation, state)]).values[0];
    let state: number[] = [];
    let numFinal = 0;
    for (let i = 0; i < N * T; i++) {
      const action = [...rollout.actions.subarray(i * A, (i + 1) * A)];
      const mask = M > 0 ? [...rollout.actionMasks.subarray(i * M, (i + 1) * M)] : null;
      const of = { outputs: outputs[i], latent: latent[i], logStd: logStdOf(spec, parameters), action, mask };
      near(logProbs[i], rowStatistics(spec, of).logProb);
      near(rollout.values[i], values[i]);
      if (i % L === 0) state = [...recurrentStates.subarray((i / L) * S, (i / L + 1) * S)];
      state = stepReference(spec, parameters, x[i], state);
      if (truncated[i] !== 0 && terminated[i] === 0) {
        near(rollout.finalValues[i], valueAfter(state, final[rollout.finalSlots[i]]));
        numFinal += 1;
      }
      if (ends(i)) state = state.map(() => 0);
      if (i % T === T - 1)
        near(rollout.bootstrapValues[(i + 1) / T - 1], valueAfter(state, bootstrap[(i + 1) / T - 1]));
    }
    expect(numFinal).toBeGreaterThan(10);
  });
});
