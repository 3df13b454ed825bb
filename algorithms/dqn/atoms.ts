/** The atoms of one action, out of a network's outputs, and back: plain or dueling. Layout: see `EpsilonGreedySpec`. */
import type { EpsilonGreedySpec } from '../../src/policy/distributions/epsilon-greedy.ts';

export interface Atoms {
  /** Numbers per row of outputs. */
  readonly outputSize: number;
  /** Copies the atoms of action `action` of branch `branch` in row r: `out` f64 [numAtoms]. */
  read(outputs: Float32Array, r: number, branch: number, action: number, out: Float64Array): void;
  /** Adds a gradient at those atoms, `gradient` f64 [numAtoms], to the row's outputs' gradient. */
  flowBack(
    gradient: Float64Array,
    r: number,
    branch: number,
    action: number,
    gradOutputs: Float32Array,
  ): void;
}

/**
 * Dueling: atom j of action a is V_j + A_aj - mean_a' A_a'j over the branch's actions (Wang et al. 2016, arXiv:1511.06581). So a
 * gradient g_j flows to V_j whole, and to A_a'j as g_j ([a' = a] - 1 / n).
 */
export function createAtoms({ sizes, numAtoms, dueling }: EpsilonGreedySpec): Atoms {
  const numActions = sizes.reduce((sum, size) => sum + size, 0);
  const outputSize = (numActions + (dueling ? 1 : 0)) * numAtoms;
  const firstOf: number[] = [];
  let first = dueling ? numAtoms : 0;
  for (const size of sizes) {
    firstOf.push(first);
    first += size * numAtoms;
  }
  return {
    outputSize,
    read(outputs, r, branch, action, out) {
      const row = r * outputSize;
      const base = row + firstOf[branch];
      for (let j = 0; j < numAtoms; j++) out[j] = outputs[base + action * numAtoms + j];
      if (!dueling) return;
      const size = sizes[branch];
      for (let j = 0; j < numAtoms; j++) {
        let sum = 0;
        for (let a = 0; a < size; a++) sum += outputs[base + a * numAtoms + j];
        out[j] += outputs[row + j] - sum / size;
      }
    },
    flowBack(gradient, r, branch, action, gradOutputs) {
      const row = r * outputSize;
      const base = row + firstOf[branch];
      for (let j = 0; j < numAtoms; j++) gradOutputs[base + action * numAtoms + j] += gradient[j];
      if (!dueling) return;
      const size = sizes[branch];
      for (let j = 0; j < numAtoms; j++) {
        gradOutputs[row + j] += gradient[j];
        for (let a = 0; a < size; a++) gradOutputs[base + a * numAtoms + j] -= gradient[j] / size;
      }
    },
  };
}
