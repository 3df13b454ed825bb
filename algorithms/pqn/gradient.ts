/**
 * PQN's loss in closed form at the network's outputs: what the SIMD engine runs. The same loss stands in tfjs operations in `loss.ts`; a test
 * holds the two together.
 */
import type { JsonObject } from '../../src/json.ts';
import type { OpenObjective } from '../../src/learner/objective.ts';
import type { ModelSpec } from '../../src/policy/networks/model.ts';

/**
 * Regression on returns (Gallici et al. 2025, arXiv:2407.04811, equation 8), for a batch of B rows:
 *
 *     loss = mean over rows and branches of (Q(s, a) - G)^2 / 2
 *
 * G are the rollout's Q(lambda) returns, computed when it was collected. Several branches are regressed on the same return.
 *
 * @param options `sizes`: actions of each branch.
 */
export function createPqnGradient(model: ModelSpec, { sizes }: JsonObject): OpenObjective {
  const branches = sizes as readonly number[];
  return (rows) => {
    const P = model.networks.q.outputs;
    const pass = rows.pass({ network: 'q', inputs: ['observations'], gradient: 'parameters' });
    const { outputs, gradOutputs } = pass; // [R, P] f32
    const actions = rows.integers('actions'); // [R, branches] i32
    const returns = rows.column('returns'); // [R] f32
    const { stats } = rows;
    const numBranches = branches.length;
    return [
      (numRows, batchRows) => {
        pass.forward(numRows);
        gradOutputs.fill(0, 0, numRows * P);
        for (let r = 0; r < numRows; r++) {
          let first = r * P;
          for (let branch = 0; branch < numBranches; branch++) {
            const at = first + actions[r * numBranches + branch];
            const error = outputs[at] - returns[r];
            gradOutputs[at] = error / (numBranches * batchRows);
            stats[0] += (0.5 * error * error) / numBranches;
            stats[1] += outputs[at] / numBranches;
            stats[2] += Math.abs(error) / numBranches;
            first += branches[branch];
          }
        }
        pass.backward(numRows);
      },
    ];
  };
}
