/**
 * TD3's losses in closed form at the networks' outputs: what the SIMD engine runs. The same losses stand in tfjs operations in `loss.ts`,
 * where they are easier to read; a test holds the two together.
 */
import type { JsonObject } from '../../src/json.ts';
import { criticPasses, flowToGoals, smallestOf } from '../../src/learner/critic-passes.ts';
import { openLearntRows } from '../../src/learner/learnt-rows.ts';
import type { OpenObjective, RowSpace, RunStep } from '../../src/learner/objective.ts';
import { criticNames, type ModelSpec } from '../../src/policy/networks/model.ts';

/**
 * Twin delayed deep deterministic policy gradients (Fujimoto et al. 2018, arXiv:1802.09477), for a batch of B rows:
 *
 *     a'       = clip(tanh mu'(s') + clip(sigma e, -c, c), -1, 1)
 *     y        = r + discount min_i q_i'(s', a')
 *     L_critic = sum_i mean (q_i(s, a) - y)^2
 *     L_actor  = -mean q_1(s, tanh mu(s))
 *
 * discount = gamma^k over the k steps that the reward sums, 0 where the episode terminated. Actions, sigma and c are in [-1, 1]. The
 * square has no half, as in the authors' code.
 */
export function createTd3Gradient(model: ModelSpec, _options: JsonObject): OpenObjective {
  const critics = criticNames(Object.keys(model.targets).length - 1);
  return (rows) => [criticStep(rows, model, critics), actorStep(rows, model, critics.length)];
}

function criticStep(rows: RowSpace, model: ModelSpec, critics: readonly string[]): RunStep {
  const numActions = model.inputs.action.size;
  const rewards = rows.column('rewards');
  const discounts = rows.column('discounts');
  const nextNoise = rows.column('nextNoise');
  const goals = new Float64Array(rewards.length);
  const nextActions = rows.buffer(numActions); // [R, A] f32
  const learnt = openLearntRows(rows);
  const nextPolicy = rows.pass({ network: 'target/actor', inputs: [learnt.next.observations] });
  const { targets, passes } = criticPasses(rows, learnt, critics, nextActions);
  const { stats } = rows;
  const targetNoise = rows.scalar('targetNoise');
  const targetNoiseClip = rows.scalar('targetNoiseClip');
  return (numRows, batchRows) => {
    const bound = targetNoiseClip();
    const scale = targetNoise();
    nextPolicy.forward(numRows);
    for (let i = 0; i < numRows * numActions; i++) {
      const noise = Math.max(-bound, Math.min(bound, scale * nextNoise[i]));
      nextActions[i] = Math.max(-1, Math.min(1, Math.tanh(nextPolicy.outputs[i]) + noise));
    }
    for (const target of targets) target.forward(numRows);
    for (const pass of passes) pass.forward(numRows);
    let sum = 0;
    for (let r = 0; r < numRows; r++) {
      goals[r] = rewards[r] + discounts[r] * smallestOf(targets, learnt.nextOf(r));
      sum += learnt.weightOf(r) * goals[r];
    }
    stats[2] += sum;
    for (const pass of passes) {
      flowToGoals(pass, learnt, goals, 2, { numRows, batchRows, numCritics: passes.length }, stats);
      pass.backward(numRows);
    }
  };
}

function actorStep(rows: RowSpace, model: ModelSpec, numCritics: number): RunStep {
  const numActions = model.inputs.action.size;
  const actions = rows.buffer(numActions); // [R, A] f32
  const policy = rows.pass({ network: 'actor', inputs: ['observations'], gradient: 'parameters' });
  const learnt = openLearntRows(rows);
  const through = { inputs: ['observations', actions], gradient: 'inputs', begins: 'zero' } as const;
  const critic = rows.pass({ network: 'q1', ...through, dropout: 2 * numCritics });
  const { values, offset, stride } = critic.inputGradient(1);
  const { stats } = rows;
  return (numRows, batchRows) => {
    policy.forward(numRows);
    for (let i = 0; i < numRows * numActions; i++) actions[i] = Math.tanh(policy.outputs[i]);
    critic.forward(numRows);
    critic.gradOutputs.fill(-1 / batchRows, 0, numRows);
    critic.backward(numRows);
    let sum = 0;
    let numSaturated = 0;
    for (let r = 0; r < numRows; r++) {
      const weight = learnt.weightOf(r);
      sum += weight * critic.outputs[r];
      for (let a = 0; a < numActions; a++) {
        const action = actions[r * numActions + a];
        policy.gradOutputs[r * numActions + a] = values[offset + r * stride + a] * (1 - action * action);
        if (Math.abs(action) > 0.99) numSaturated += weight;
      }
    }
    stats[3] -= sum;
    stats[4] += numSaturated / numActions;
    learnt.weigh(policy.gradOutputs, numActions, numRows);
    policy.backward(numRows);
  };
}
