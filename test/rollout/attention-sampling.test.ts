/** Rollouts of policies with attention, recomputed step by step in float64 from what was observed. */
import { describe, expect, it } from 'vitest';
import '../../src/index.ts'; // registers the environments
import { resolveEnv } from '../../src/env/env-source.ts';
import { ON_POLICY_COLUMNS } from '../../src/experience/layout.ts';
import { attentionStateSize, type SpecWithAttention } from '../../src/policy/networks/attention-state.ts';
import {
  attentionOutputsReference,
  attentionStepReference,
  emptyMemory,
  stateOfMemory,
} from '../reference/attention-reference.ts';
import { rowStatistics } from '../reference/distribution-reference.ts';
import { openGroup } from './open-group.ts';

const [N, T, L] = [3, 12, 4];

/** Episodes are cut after 10 steps: ends, cuts, sequences and full windows fall everywhere. */
const source = resolveEnv('CartPoleNoVelocity-v0', { maxEpisodeSteps: 10, low: -0.205, high: 0.205 });

describe.each([
  [false, 2],
  [true, 1],
] as const)('shared %s, %i blocks', (sharedLayers, recurrentLayers) => {
  it('carries windows across steps and rollouts, clears them at ends, and values what follows', async () => {
    const size = { recurrentSize: 4, attentionHeads: 2, attentionWindow: 5, recurrentLayers };
    const { group, spec, parameters, publish } = await openGroup({
      ...{ source, numEnvs: N, rolloutLength: T },
      policy: { recurrent: 'attention', hiddenSizes: [5], sharedLayers, ...size },
      columns: { ...ON_POLICY_COLUMNS, sequenceLength: L },
    });
    const { network } = spec;
    if (network.kind !== 'attention') throw new Error('Expected attention');
    const withAttention: SpecWithAttention = { ...spec, network };
    const S = attentionStateSize(withAttention);
    await group.start(null);
    const memories = Array.from({ length: N }, () => emptyMemory(withAttention));
    const close = (found: ArrayLike<number>, n: number) => {
      for (const [k, value] of stateOfMemory(withAttention, memories[n]).entries())
        expect(found[k]).toBeCloseTo(value, 5);
    };
    const step = (n: number, observation: Float32Array | Uint8Array) =>
      attentionStepReference(withAttention, parameters, [...observation], memories[n]);
    let [numTerminated, numTruncated] = [0, 0];
    for (let rollouts = 0; rollouts < 3; rollouts++) {
      const { rollout } = await group.collect(publish());
      for (let n = 0; n < N; n++) {
        for (let t = 0; t < T; t++) {
          const i = n * T + t;
          if (t % L === 0) {
            const first = (n * (T / L) + t / L) * S;
            close(rollout.recurrentStates.subarray(first, first + S), n);
          }
          const { features, memory } = step(n, rollout.observations.subarray(2 * i, 2 * i + 2));
          memories[n] = memory;
          const { outputs, values, latent } = attentionOutputsReference(withAttention, parameters, [
            features,
          ]);
          const action = [rollout.actions[i]];
          const of = { outputs: outputs[0], latent: latent[0], logStd: [], action, mask: null };
          expect(rollout.logProbs[i]).toBeCloseTo(rowStatistics(spec, of).logProb, 5);
          expect(rollout.values[i]).toBeCloseTo(values[0], 5);
          numTerminated += rollout.terminated[i];
          numTruncated += rollout.truncated[i];
          if (rollout.terminated[i] || rollout.truncated[i]) memories[n] = emptyMemory(withAttention);
        }
        const after = step(n, rollout.bootstrapObservations.subarray(2 * n, 2 * n + 2));
        const { values } = attentionOutputsReference(withAttention, parameters, [after.features]);
        expect(rollout.bootstrapValues[n]).toBeCloseTo(values[0], 5);
        close(rollout.lastRecurrentStates.subarray(n * S, (n + 1) * S), n);
      }
    }
    expect([numTerminated > 0, numTruncated > 3]).toEqual([true, true]);
  });
});
