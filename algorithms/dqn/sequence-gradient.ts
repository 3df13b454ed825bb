/** DQN's loss over sequences of a recurrent network, in closed form at the network's outputs. */
import type { JsonObject } from '../../src/json.ts';
import type { OpenObjective, RowSpace, RunStep } from '../../src/learner/objective.ts';
import type { ModelSpec } from '../../src/policy/networks/model.ts';
import { createAtoms } from './atoms.ts';
import type { SequenceLossOptions } from './sequence-objective.ts';

/**
 * Recurrent deep Q-learning (Kapturowski et al. 2019, R2D2, sections 2.3 and 3) for a batch of sequences, rows of burn-in and bootstrap among them:
 *
 *     a*   = argmax_a Q'(o_b, h'_b, a), with `double` argmax_a Q(o_b, h_b, a); over the allowed actions, branch by branch
 *     y    = r + discount * mean over branches of Q'(o_b, h'_b, a*)
 *     loss = mean of w i * mean over branches of l(Q(o, h, a) - y)
 *
 * i is the importance weight of the row's sequence, 1 without priorities. b is the row that the n-step return leads to, in the same sequence; r and discount are as without recurrence; w is 0 but for steps that are learnt. h and h'
 * come from the state that was stored at the beginning of the sequence and what either network made of the steps since. l: smooth L1, or the square.
 * Departure from the paper: no rescaling of values. Priorities of sequences: `src/replay/sequence-priorities.ts`.
 */
export function createDqnSequenceGradient(_model: ModelSpec, json: JsonObject): OpenObjective {
  return (rows) => [sequenceStep(rows, json as unknown as SequenceLossOptions)];
}

function sequenceStep(rows: RowSpace, options: SequenceLossOptions): RunStep {
  const { distribution, perBlock, loss: kind } = options;
  const numBranches = distribution.sizes.length;
  const actions = rows.integers('actions');
  const rewards = rows.column('rewards');
  const discounts = rows.column('discounts');
  const bootstraps = rows.integers('bootstraps');
  const weights = rows.column('weights');
  const importance = options.isWeighted ? rows.column('importance') : null;
  const tdErrors = rows.rowOutput('tdErrors');
  const input = { inputs: ['observations'] };
  const online = rows.pass({ network: 'q', ...input, gradient: 'parameters' });
  const target = rows.pass({ network: 'target/q', ...input });
  const valueAt = createBootstrap(rows, options, online.outputs, target.outputs);
  const atoms = createAtoms(distribution);
  const atom = new Float64Array(1);
  const { stats } = rows;

  return (numRows, batchRows) => {
    online.forward(numRows);
    target.forward(numRows);
    online.gradOutputs.fill(0, 0, numRows * atoms.outputSize);
    tdErrors.fill(0);
    for (let r = 0; r < numRows; r++) {
      const weight = weights[r];
      if (weight === 0) continue;
      const bootstrap = discounts[r] === 0 ? 0 : valueAt(r + bootstraps[r] * perBlock);
      const y = rewards[r] + discounts[r] * bootstrap;
      stats[2] += weight * y;
      for (let branch = 0; branch < numBranches; branch++) {
        const action = actions[r * numBranches + branch];
        atoms.read(online.outputs, r, branch, action, atom);
        const delta = atom[0] - y;
        const size = Math.abs(delta);
        const share = weight / numBranches;
        const pull = share * (importance?.[r] ?? 1);
        const corner = Math.min(size, 1);
        stats[0] += pull * (kind === 'mse' ? delta * delta : corner * (size - corner / 2));
        stats[1] += share * atom[0];
        stats[3] += share * size;
        tdErrors[r] += size / numBranches;
        const slope = kind === 'mse' ? 2 * delta : Math.max(-1, Math.min(1, delta));
        atom[0] = (pull * slope) / batchRows;
        atoms.flowBack(atom, r, branch, action, online.gradOutputs);
      }
    }
    online.backward(numRows);
  };
}

/** What the observation of a row is worth: the mean over branches of the target's value of the action that is chosen there. */
function createBootstrap(
  rows: RowSpace,
  { distribution, double, hasMasks }: SequenceLossOptions,
  online: Float32Array,
  target: Float32Array,
): (row: number) => number {
  const { sizes } = distribution;
  const numActions = sizes.reduce((sum, size) => sum + size, 0);
  const masks = hasMasks ? rows.bytes('masks') : null; // [R, numActions] u8
  const atoms = createAtoms(distribution);
  const atom = new Float64Array(1);
  const read = (outputs: Float32Array, row: number, branch: number, action: number): number => {
    atoms.read(outputs, row, branch, action, atom);
    return atom[0];
  };
  const choosing = double ? online : target;
  return (row) => {
    let sum = 0;
    let first = 0;
    for (let branch = 0; branch < sizes.length; branch++) {
      let best = -1;
      let highest = Number.NEGATIVE_INFINITY;
      for (let a = 0; a < sizes[branch]; a++) {
        if (masks !== null && masks[row * numActions + first + a] === 0) continue;
        const value = read(choosing, row, branch, a);
        if (best >= 0 && value <= highest) continue;
        best = a;
        highest = value;
      }
      sum += read(target, row, branch, Math.max(best, 0));
      first += sizes[branch];
    }
    return sum / sizes.length;
  };
}
