/**
 * DQN's loss in closed form at the network's outputs: what the SIMD engine runs. The same loss stands in tfjs operations in `loss.ts`,
 * where it is easier to read; a test holds the two together.
 */
import type { JsonObject } from '../../src/json.ts';
import type { OpenObjective, RowSpace, RunStep } from '../../src/learner/objective.ts';
import type { ModelSpec } from '../../src/policy/networks/model.ts';
import { createAtoms } from './atoms.ts';
import { createNextAtoms, type NextAtoms } from './next-atoms.ts';
import type { DqnLossOptions } from './objective.ts';
import { createReturnLoss } from './return-losses.ts';

export { createDqnSequenceGradient } from './sequence-gradient.ts';

/**
 * Deep Q-learning (Mnih et al. 2015) and what was added to it, for a batch of B rows:
 *
 *     a*   = argmax_a Q'(s', a), with `double` argmax_a Q(s', a); over the allowed actions, branch by branch
 *     y    = r + discount Z'(s', a*),      Z: the value, the quantiles or the distribution of the return; several branches: their mean
 *     loss = mean of w * mean over branches of l(Z(s, a), y)
 *
 * discount = gamma^k over the k steps that the reward sums, 0 where the episode terminated; w the importance weights, 1 without.
 * With noisy layers the three networks of a loss have a draw each. l: `return-losses.ts`. The mean over branches as common target is Tavakoli et al. 2018, arXiv:1711.08946, section 4.
 */
export function createDqnGradient(_model: ModelSpec, json: JsonObject): OpenObjective {
  return (rows) => [valueStep(rows, json as unknown as DqnLossOptions)];
}

function valueStep(rows: RowSpace, options: DqnLossOptions): RunStep {
  const { distribution, isWeighted } = options;
  const { sizes, numAtoms } = distribution;
  const actions = rows.integers('actions');
  const rewards = rows.column('rewards');
  const discounts = rows.column('discounts');
  const weights = isWeighted ? rows.column('weights') : null;
  const tdErrors = rows.rowOutput('tdErrors');
  const { online, target, chooser } = openPasses(rows, options);
  const following = createNextAtoms(rows, distribution, target);
  const choice = chooser === target ? following : createNextAtoms(rows, distribution, chooser);
  const choose = createChooser(rows, options, choice);
  const atoms = createAtoms(distribution);
  const loss = createReturnLoss(rows, distribution, options.loss);
  const goal = new Float64Array(numAtoms);
  const own = new Float64Array(numAtoms);
  const numBranches = sizes.length;
  const { stats } = rows;

  const setTargets = (numRows: number): void => {
    following.prepare(numRows);
    if (choice !== following) choice.prepare(numRows);
    for (let r = 0; r < numRows; r++) {
      goal.fill(0);
      choose.look(r);
      for (let branch = 0; branch < numBranches; branch++)
        following.accumulate(r, branch, choose.best(branch), 1 / numBranches, goal);
      stats[2] += loss.finishTarget(goal, r, rewards[r], discounts[r]);
    }
  };

  const compareBranch = (branch: number, numRows: number, batchRows: number): void => {
    for (let r = 0; r < numRows; r++) {
      atoms.read(online.outputs, r, branch, actions[r * numBranches + branch], own);
      for (let j = 0; j < numAtoms; j++) loss.predicted[r * numAtoms + j] = own[j];
    }
    loss.compare(numRows);
    for (let r = 0; r < numRows; r++) {
      const weight = weights?.[r] ?? 1;
      const scale = weight / (numBranches * batchRows);
      for (let j = 0; j < numAtoms; j++) own[j] = scale * loss.gradient[r * numAtoms + j];
      atoms.flowBack(own, r, branch, actions[r * numBranches + branch], online.gradOutputs);
      stats[0] += (loss.losses[r] * weight) / numBranches;
      stats[1] += loss.means[r] / numBranches;
      stats[3] += loss.tdErrors[r] / numBranches;
      tdErrors[r] += loss.tdErrors[r] / numBranches;
    }
  };

  return (numRows, batchRows) => {
    online.forward(numRows);
    target.forward(numRows);
    if (chooser !== target) chooser.forward(numRows);
    online.gradOutputs.fill(0, 0, numRows * atoms.outputSize);
    tdErrors.fill(0);
    setTargets(numRows);
    for (let branch = 0; branch < numBranches; branch++) compareBranch(branch, numRows, batchRows);
    online.backward(numRows);
  };
}

/** What is learnt, what the next action is worth, who chooses it: a draw of noise each. */
function openPasses(rows: RowSpace, { isNoisy, double }: DqnLossOptions) {
  const noise = (name: string) => (isNoisy ? { noise: name } : {});
  const next = { inputs: ['nextObservations'] };
  const online = rows.pass({
    ...{ network: 'q', inputs: ['observations'], gradient: 'parameters' },
    ...noise('noise'),
  });
  const target = rows.pass({ network: 'target/q', ...next, ...noise('targetNoise') });
  const chooser = double ? rows.pass({ network: 'q', ...next, ...noise('chooserNoise') }) : target;
  return { online, target, chooser };
}

/** The greedy allowed action of each branch in the next state. */
function createChooser(rows: RowSpace, { distribution, hasMasks }: DqnLossOptions, choice: NextAtoms) {
  const { sizes } = distribution;
  const numActions = sizes.reduce((sum, size) => sum + size, 0);
  const masks = hasMasks ? rows.bytes('nextMasks') : null; // [R, numActions] u8
  const values = new Float64Array(numActions);
  const firstOf = sizes.map((_, branch) => sizes.slice(0, branch).reduce((sum, size) => sum + size, 0));
  let row = 0;
  return {
    look(r: number): void {
      row = r;
      choice.readValues(r, values);
    },
    best(branch: number): number {
      const first = firstOf[branch];
      let best = -1;
      for (let a = 0; a < sizes[branch]; a++) {
        if (masks !== null && masks[row * numActions + first + a] === 0) continue;
        if (best < 0 || values[first + a] > values[first + best]) best = a;
      }
      return Math.max(best, 0);
    },
  };
}
