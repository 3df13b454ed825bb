/**
 * The loss of a policy gradient with a critic as a gradient at the network's outputs, in closed form: what the SIMD engine runs. The same
 * loss stands in tfjs operations in `loss.ts`; a test holds the two together.
 */
import type { JsonObject } from '../../src/json.ts';
import { MAX_CHUNK_ROWS, type OutputGradient } from '../../src/learner/output-gradient.ts';
import { createDistributionGradient } from '../../src/learner/simd/distribution-gradient.ts';
import type { PolicySpec } from '../../src/policy/policy-spec.ts';

const Stat = { POLICY_LOSS: 0, ENTROPY: 1, VALUE_LOSS: 2 } as const;

/**
 * dL/d(outputs) of the loss (Mnih et al. 2016, arXiv:1602.01783, section 4), to be minimised:
 *
 *     L = -mean(logProb A) + valueCoeff mean((V - R)^2) - entropyCoeff mean(H)
 *
 *     dL/dlogProb = -A / M,   dL/dH = -entropyCoeff / M,   dL/dV = 2 valueCoeff (V - R) / M;   M = rows of the minibatch
 *
 * Thread: any, one each. Float64 inside. Cost: about 0.1 us a row for two actions.
 */
export function createOutputGradient(spec: PolicySpec, options: JsonObject): OutputGradient {
  const valueCoeff = Number(options.valueCoeff);
  const distribution = createDistributionGradient(spec);
  const logProbs = new Float64Array(MAX_CHUNK_ROWS);
  const entropies = new Float64Array(MAX_CHUNK_ROWS);
  const byLogProb = new Float64Array(MAX_CHUNK_ROWS);
  const byEntropy = new Float64Array(MAX_CHUNK_ROWS);
  return {
    scalarNames: ['entropyCoeff'],
    statNames: ['policyLoss', 'entropy', 'valueLoss'],
    policy(chunk) {
      const { numRows, minibatchRows, advantages, scalars, stats } = chunk;
      distribution.evaluate(chunk, logProbs, entropies);
      let loss = 0;
      let entropy = 0;
      for (let r = 0; r < numRows; r++) {
        byLogProb[r] = -advantages[r] / minibatchRows;
        loss -= logProbs[r] * advantages[r];
        entropy += entropies[r];
      }
      byEntropy.fill(-scalars[0] / minibatchRows, 0, numRows);
      stats[Stat.POLICY_LOSS] = loss;
      stats[Stat.ENTROPY] = entropy;
      distribution.backward(chunk, byLogProb, byEntropy);
    },
    value({ numRows, minibatchRows, values, returns, gradValues, stats }) {
      let sum = 0;
      for (let r = 0; r < numRows; r++) {
        const error = values[r] - returns[r];
        gradValues[r] = (2 * valueCoeff * error) / minibatchRows;
        sum += error * error;
      }
      stats[Stat.VALUE_LOSS] = sum;
    },
  };
}
