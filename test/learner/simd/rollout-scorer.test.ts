/** What weights say of a rollout, against a slow reference, and against the policy that collected it. */
import { describe, expect, it } from 'vitest';
import { initializeRollout, openRollout, rolloutLayout } from '../../../src/experience/layout.ts';
import { createRolloutScorer, scorerScratchBytes } from '../../../src/learner/simd/rollout-scorer.ts';
import { createArena, createArenaPlanner } from '../../../src/memory/arena.ts';
import { mlpParameterLayout } from '../../../src/policy/networks/mlp-parameters.ts';
import { loadKernels } from '../../../src/simd/loader.ts';
import { openWeightBuffer, reserveWeightBuffer } from '../../../src/weights/weight-buffer.ts';
import { rowStatistics } from '../../reference/distribution-reference.ts';
import { forwardReference } from '../../reference/mlp-reference.ts';
import { DISTRIBUTIONS, hasChoices, makeSpec, normalizedRows } from '../../reference/policy-specs.ts';
import { logStdOf } from '../../reference/ppo-reference.ts';
import { learnerOptions, makeFixture } from '../../reference/rollout-fixture.ts';

const N = 2;
const T = 35; // more rows than a block has

describe.each(DISTRIBUTIONS)('%s', (_name, distribution) => {
  const masks = hasChoices(distribution);
  it.each([true, false])('agrees with a float64 reference, shared trunk: %s', async (shared) => {
    const spec = makeSpec(distribution, { hiddenSizes: [16, 12], shared, masks, normalize: true });
    const fixture = makeFixture(spec, N, T, learnerOptions());
    const { parameters, mean, inverseStd } = fixture;
    const layout = rolloutLayout(spec, N, T, { values: true, finalObservations: true });
    const planner = createArenaPlanner();
    const set = planner.reserve(layout.byteLength).offset;
    const scratch = planner.reserve(scorerScratchBytes(spec));
    const weightLayout = reserveWeightBuffer(planner, mlpParameterLayout(spec).size, spec.observationSize, 3);
    const arena = createArena(planner);
    initializeRollout(arena.buffer, set, layout);
    const rollout = openRollout(arena.buffer, set, layout);
    for (const name of ['observations', 'actions', 'actionMasks'] as const)
      rollout[name].set(fixture.rollout[name]);
    const size = spec.observationSize;
    rollout.bootstrapObservations.set(rollout.observations.subarray(0, N * size));
    rollout.finalSlots.fill(-1);
    rollout.truncated[T + 4] = 1; // row 1
    rollout.finalSlots[T + 4] = T;
    rollout.finalObservations.set(rollout.observations.subarray(7 * size, 8 * size), T * size);
    const weights = openWeightBuffer(arena.buffer, weightLayout);
    weights.publish(
      parameters.map(() => Number.NaN),
      mean,
      inverseStd,
    ); // another version lies beside it
    const version = weights.publish(parameters, mean, inverseStd);
    const scorer = createRolloutScorer({ arena, kernels: await loadKernels(), spec, weightLayout, scratch });
    const logProbs = new Float32Array(N * T);
    scorer.logProbs(rollout, weights.slotAddress(version), logProbs);
    scorer.values(rollout, weights.slotAddress(version));

    const x = normalizedRows(spec, rollout.observations, N * T, mean, inverseStd);
    const { outputs, values, latent } = forwardReference(spec, parameters, x);
    const A = rollout.actions.length / (N * T);
    const M = spec.actionMaskSize;
    for (let i = 0; i < N * T; i++) {
      const action = [...rollout.actions.subarray(i * A, (i + 1) * A)];
      const mask = M > 0 ? [...rollout.actionMasks.subarray(i * M, (i + 1) * M)] : null;
      const row = {
        outputs: outputs[i],
        latent: latent[i],
        logStd: logStdOf(spec, parameters),
        action,
        mask,
      };
      const { logProb } = rowStatistics(spec, row);
      expect(Math.abs(logProbs[i] - logProb)).toBeLessThan(2e-5 * (1 + Math.abs(logProb)));
      expect(Math.abs(rollout.values[i] - values[i])).toBeLessThan(2e-5 * (1 + Math.abs(values[i])));
    }
    for (let n = 0; n < N; n++) expect(rollout.bootstrapValues[n]).toBe(rollout.values[n]);
    expect(rollout.finalValues[T + 4]).toBe(rollout.values[7]);
    expect([...rollout.finalValues].filter((value) => value !== 0)).toHaveLength(1);
  });
});
