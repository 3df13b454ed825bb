/** Rollouts of recurrent policies, recomputed step by step in float64 from what was observed. */
import { describe, expect, it } from 'vitest';
import '../../src/index.ts'; // registers the environments
import { resolveEnv } from '../../src/env/env-source.ts';
import { ON_POLICY_COLUMNS } from '../../src/experience/layout.ts';
import { recurrentStateSize } from '../../src/policy/networks/recurrent-state.ts';
import { rowStatistics } from '../reference/distribution-reference.ts';
import { outputsReference, stepReference } from '../reference/recurrent-reference.ts';
import { openGroup } from './open-group.ts';

const N = 5;
const T = 12;
const L = 4;

/** CartPole without velocities whose episodes are cut after 10 steps: ends, cuts and sequences fall everywhere. */
const source = resolveEnv('CartPoleNoVelocity-v0', { maxEpisodeSteps: 10, low: -0.205, high: 0.205 });

const open = (
  recurrent: 'lstm' | 'gru',
  sharedLayers: boolean,
  places: { recurrentLayers?: number; recurrentPosition?: 'last' } = {},
  burnIn = 0,
  numEnvRunners = 0,
) =>
  openGroup({
    source,
    numEnvs: N,
    rolloutLength: T,
    numEnvRunners,
    policy: { recurrent, recurrentSize: 6, hiddenSizes: [5], sharedLayers, ...places },
    columns: { ...ON_POLICY_COLUMNS, sequenceLength: L, burnIn },
  });

describe.each([
  ['lstm', false, {}, 1],
  ['lstm', true, { recurrentLayers: 2 }, 0],
  ['gru', false, { recurrentLayers: 2, recurrentPosition: 'last' }, 4],
  ['gru', true, {}, 0],
] as const)('%s, shared %s, %o, burn-in %i', (cell, shared, places, burnIn) => {
  it('carries states across steps and rollouts, clears them at ends, and values what follows', async () => {
    const { group, spec, parameters, publish } = await open(cell, shared, places, burnIn);
    await group.start(null);
    const S = recurrentStateSize(spec);
    const zeros = new Array<number>(S).fill(0);
    const states = Array.from({ length: N }, () => zeros);
    const close = (found: ArrayLike<number>, expected: readonly number[]) => {
      expect(found.length).toBe(expected.length);
      for (const [k, value] of expected.entries()) expect(found[k]).toBeCloseTo(value, 5);
    };
    const row = (column: ArrayLike<number>, i: number) => [column[2 * i], column[2 * i + 1]];
    let [numTerminated, numTruncated] = [0, 0];
    for (let rollouts = 0; rollouts < 3; rollouts++) {
      const { rollout } = await group.collect(publish());
      for (let n = 0; n < N; n++) {
        for (let t = 0; t < T; t++) {
          const i = n * T + t;
          const sequences = [0, 1, 2].filter((s) => t === Math.max(0, s * L - burnIn)); // whose burn-in begins here
          for (const s of sequences) {
            const first = (n * (T / L) + s) * S;
            close(rollout.recurrentStates.subarray(first, first + S), states[n]);
          }
          states[n] = stepReference(spec, parameters, row(rollout.observations, i), states[n]);
          const { outputs, values, latent } = outputsReference(spec, parameters, [states[n]]);
          const action = [rollout.actions[i]];
          const of = { outputs: outputs[0], latent: latent[0], logStd: [], action, mask: null };
          expect(rollout.logProbs[i]).toBeCloseTo(rowStatistics(spec, of).logProb, 5);
          expect(rollout.values[i]).toBeCloseTo(values[0], 5);
          numTerminated += rollout.terminated[i];
          numTruncated += rollout.truncated[i];
          if (rollout.terminated[i] || rollout.truncated[i]) states[n] = zeros;
        }
        const after = stepReference(spec, parameters, row(rollout.bootstrapObservations, n), states[n]);
        expect(rollout.bootstrapValues[n]).toBeCloseTo(
          outputsReference(spec, parameters, [after]).values[0],
          5,
        );
        close(rollout.lastRecurrentStates.subarray(n * S, (n + 1) * S), states[n]);
      }
    }
    expect([numTerminated > 0, numTruncated > 3]).toEqual([true, true]);
  });
});

it('bootstraps a cut episode with the state after its last step', async () => {
  const { group, spec, parameters, publish, arena, runnerOptions } = await open('lstm', false);
  await group.start(null);
  const { rollout } = await group.collect(publish());
  const { finalObservations } = runnerOptions.sampling;
  const final = new Float32Array(arena.buffer, finalObservations, 2 * N);
  let numChecked = 0;
  for (let n = 0; n < N; n++) {
    let state = new Array<number>(recurrentStateSize(spec)).fill(0);
    let lastCut = -1;
    let stateAtCut = state;
    for (let t = 0; t < T; t++) {
      const i = n * T + t;
      state = stepReference(spec, parameters, [...rollout.observations.subarray(2 * i, 2 * i + 2)], state);
      if (!rollout.terminated[i] && !rollout.truncated[i]) continue;
      [lastCut, stateAtCut] = [rollout.terminated[i] ? -1 : i, state];
      state = state.map(() => 0);
    }
    if (lastCut < 0) continue; // what a row's last end left behind is all that can be read here
    const after = stepReference(spec, parameters, [...final.subarray(2 * n, 2 * n + 2)], stateAtCut);
    const [value] = outputsReference(spec, parameters, [after]).values;
    expect(rollout.finalValues[lastCut]).toBeCloseTo(value, 5);
    numChecked += 1;
  }
  expect(numChecked).toBeGreaterThan(0);
});
