/** The atoms of every action in the next state, by one pass's outputs: values and quantiles as they are, C51's as probabilities. */
import type { Pass, RowSpace } from '../../src/learner/objective.ts';
import { createActionValues, type EpsilonGreedySpec } from '../../src/policy/distributions/epsilon-greedy.ts';
import { createAtoms } from './atoms.ts';

export interface NextAtoms {
  /** After the pass's `forward`, before anything is read. */
  prepare(numRows: number): void;
  /** Values of all actions, branches one after the other: `values` f64 [S]. */
  readValues(r: number, values: Float64Array): void;
  /** Adds `weight` times an action's atoms to `sum`, f64 [numAtoms]; several branches give their mean. */
  accumulate(r: number, branch: number, action: number, weight: number, sum: Float64Array): void;
}

export function createNextAtoms(rows: RowSpace, distribution: EpsilonGreedySpec, pass: Pass): NextAtoms {
  const { support } = distribution;
  return support === null
    ? plainAtoms(distribution, pass)
    : probabilities(rows, distribution, support.low, support.high, pass);
}

function plainAtoms(distribution: EpsilonGreedySpec, { outputs }: Pass): NextAtoms {
  const atoms = createAtoms(distribution);
  const readValues = createActionValues(distribution);
  const own = new Float64Array(distribution.numAtoms);
  return {
    prepare() {},
    readValues: (r, values) => readValues(outputs, r * atoms.outputSize, values),
    accumulate(r, branch, action, weight, sum) {
      atoms.read(outputs, r, branch, action, own);
      for (let j = 0; j < own.length; j++) sum[j] += weight * own[j];
    },
  };
}

/** One softmax over all rows and actions, in the kernels. */
function probabilities(
  rows: RowSpace,
  distribution: EpsilonGreedySpec,
  low: number,
  high: number,
  { outputs }: Pass,
): NextAtoms {
  const { sizes, numAtoms, dueling } = distribution;
  const numActions = sizes.reduce((sum, size) => sum + size, 0);
  const firstOf = sizes.map((_, branch) => sizes.slice(0, branch).reduce((sum, size) => sum + size, 0));
  const atoms = createAtoms(distribution);
  const logits = new Float64Array(numAtoms);
  const all = rows.buffer(numActions * numAtoms); // [R, S, numAtoms] f32: logits, then probabilities
  const softmax = rows.softmax({ values: all, probabilities: all, size: numAtoms });
  const step = (high - low) / (numAtoms - 1);
  const combine = (numRows: number): void => {
    for (let r = 0, at = 0; r < numRows; r++) {
      for (let branch = 0; branch < sizes.length; branch++) {
        for (let a = 0; a < sizes[branch]; a++, at += numAtoms) {
          atoms.read(outputs, r, branch, a, logits);
          for (let j = 0; j < numAtoms; j++) all[at + j] = logits[j];
        }
      }
    }
  };
  return {
    prepare(numRows) {
      if (dueling) combine(numRows);
      else all.set(outputs.subarray(0, numRows * numActions * numAtoms));
      softmax.run(numRows);
    },
    readValues(r, values) {
      for (let k = 0; k < numActions; k++) {
        const at = (r * numActions + k) * numAtoms;
        let sum = 0;
        for (let j = 0; j < numAtoms; j++) sum += all[at + j] * (low + j * step);
        values[k] = sum;
      }
    },
    accumulate(r, branch, action, weight, sum) {
      const at = (r * numActions + firstOf[branch] + action) * numAtoms;
      for (let j = 0; j < numAtoms; j++) sum[j] += weight * all[at + j];
    },
  };
}
