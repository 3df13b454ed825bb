/** A policy over actions for a block of rows: probabilities of logits, the forbidden ones 0. */

export interface Choices {
  /** [maxRows, A] f64; after `read`. */
  readonly probabilities: Float64Array;
  /** Likewise; 0 where an action is forbidden, so that p log p is. */
  readonly logProbs: Float64Array;
  /** Row r's, from the network's outputs. @param masks u8 [rows, A]; null = all are allowed. */
  read(outputs: Float32Array, masks: Uint8Array | null, r: number): void;
  /** -sum_a p log p of row r. */
  entropy(r: number): number;
}

/** Where all actions of a row are forbidden, the choice is uniform: what softmax makes of equal logits. */
export function createChoices(numActions: number, maxRows: number): Choices {
  const probabilities = new Float64Array(maxRows * numActions);
  const logProbs = new Float64Array(maxRows * numActions);
  const logits = new Float64Array(numActions); // -Infinity = forbidden
  return {
    probabilities,
    logProbs,
    read(outputs, masks, r) {
      const first = r * numActions;
      let top = -Infinity;
      for (let a = 0; a < numActions; a++) {
        logits[a] = masks === null || masks[first + a] !== 0 ? outputs[first + a] : -Infinity;
        top = Math.max(top, logits[a]);
      }
      if (top === -Infinity) top = logits.fill(0)[0];
      let total = 0;
      for (let a = 0; a < numActions; a++) total += Math.exp(logits[a] - top);
      const logTotal = top + Math.log(total);
      for (let a = 0; a < numActions; a++) {
        const logProb = logits[a] - logTotal;
        probabilities[first + a] = Math.exp(logProb);
        logProbs[first + a] = logProb === -Infinity ? 0 : logProb;
      }
    },
    entropy(r) {
      let sum = 0;
      for (let k = r * numActions; k < (r + 1) * numActions; k++) sum -= probabilities[k] * logProbs[k];
      return sum;
    },
  };
}
