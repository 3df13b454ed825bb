/** The loss of REINFORCE with a baseline as a gradient at the network's outputs, in closed form. Every learner thread loads this file. */
import {
  type CreateOutputGradient,
  createDistributionGradient,
  MAX_CHUNK_ROWS,
} from '../../src/exports/gradient.ts';

/**
 *     L = -mean(logProb A) + valueCoeff mean((V - R)^2) - entropyCoeff mean(H)
 *
 *     dL/dlogProb = -A / M,   dL/dH = -entropyCoeff / M,   dL/dV = 2 valueCoeff (V - R) / M;   M = rows of the batch
 */
export const createGradient: CreateOutputGradient = (spec, { valueCoeff }) => {
  const distribution = createDistributionGradient(spec);
  const rows = () => new Float64Array(MAX_CHUNK_ROWS);
  const [logProbs, entropies, byLogProb, byEntropy] = [rows(), rows(), rows(), rows()];
  return {
    scalarNames: ['entropyCoeff'],
    statNames: ['policyLoss', 'entropy', 'valueLoss'],
    policy(chunk) {
      const { numRows, minibatchRows, advantages, scalars, stats } = chunk;
      distribution.evaluate(chunk, logProbs, entropies);
      stats.fill(0, 0, 2);
      for (let r = 0; r < numRows; r++) {
        byLogProb[r] = -advantages[r] / minibatchRows;
        byEntropy[r] = -scalars[0] / minibatchRows;
        stats[0] -= logProbs[r] * advantages[r];
        stats[1] += entropies[r];
      }
      distribution.backward(chunk, byLogProb, byEntropy);
    },
    value({ numRows, minibatchRows, values, returns, gradValues, stats }) {
      stats[2] = 0;
      for (let r = 0; r < numRows; r++) {
        const error = values[r] - returns[r];
        gradValues[r] = (2 * Number(valueCoeff) * error) / minibatchRows;
        stats[2] += error * error;
      }
    },
  };
};
