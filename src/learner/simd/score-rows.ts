/** Judging a rollout of a policy that remembers nothing: its rows in any order, so as they lie. */
import type { PolicySpec } from '../../policy/policy-spec.ts';
import type { RolloutScorer, ScoreKernels } from './score-kernels.ts';

export function createRowScorer(spec: PolicySpec, kernels: ScoreKernels): RolloutScorer {
  const { forward, policy, call, maxRows } = kernels;
  const size = spec.observationSize;
  const rowBytes = size * (spec.observationDtype === 'uint8' ? 1 : 4);
  return {
    logProbs(rollout, weightsAddress, out) {
      const numRows = rollout.numRows * rollout.rolloutLength;
      for (let first = 0; first < numRows; first += maxRows) {
        const count = Math.min(maxRows, numRows - first);
        forward.run(weightsAddress, rollout.observations.byteOffset + first * rowBytes, count);
        kernels.readLogProbs(rollout, weightsAddress, { first, step: 1, count }, out);
      }
    },
    values(rollout, weightsAddress) {
      const { observations, values, bootstrapObservations, bootstrapValues } = rollout;
      const run = (numRows: number, observationAddress: number, valueAddress: number) => {
        Object.assign(call, { weightsAddress, numRows, observationAddress, valueAddress });
        policy.values(call);
      };
      run(rollout.numRows * rollout.rolloutLength, observations.byteOffset, values.byteOffset);
      run(rollout.numRows, bootstrapObservations.byteOffset, bootstrapValues.byteOffset);
      const { truncated, terminated } = rollout;
      for (let i = 0; i < truncated.length; i++)
        if (truncated[i] !== 0 && terminated[i] === 0) kernels.finalValue(rollout, i, 0);
    },
  };
}
