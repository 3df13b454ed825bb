/**
 * SAC's losses in closed form at the networks' outputs: what the SIMD engine runs. The same losses stand in tfjs operations in `loss.ts`,
 * where they are easier to read; a test holds the two together.
 */
import type { JsonObject } from '../../src/json.ts';
import { criticPasses, flowToGoals, smallestOf } from '../../src/learner/critic-passes.ts';
import { type LearntRows, openLearntRows } from '../../src/learner/learnt-rows.ts';
import type {
  InputGradient,
  OpenObjective,
  Pass,
  RowSpace,
  RunStep,
  SquashedRows,
} from '../../src/learner/objective.ts';
import { criticNames, type ModelSpec } from '../../src/policy/networks/model.ts';
import { policyRows } from './policy-rows.ts';
import { temperatureOf } from './temperature.ts';

/**
 * Soft actor-critic (Haarnoja et al. 2018, arXiv:1812.05905), for a batch of B rows:
 *
 *     y        = r + discount (min_i q_i'(s', a') - alpha log pi(a'|s')),      a' ~ pi(s')
 *     L_critic = sum_i mean (q_i(s, a) - y)^2 / 2
 *     L_actor  = mean (alpha log pi(a~|s) - min_i q_i(s, a~)),                  a~ ~ pi(s), reparameterised
 *     L_alpha  = -log alpha * mean (log pi(a~|s) + H)
 *
 * discount = gamma^k over the k steps that the reward sums, 0 where the episode terminated. With a recurrent cell each network has a state of its own beside
 * s and s', and means are over the steps that are learnt (`learnt-rows.ts`). L_alpha in its logarithmic form, as in
 * Stable-Baselines3; the paper's has alpha in front, and stalls where alpha is small.
 */
export function createSacGradient(model: ModelSpec, _options: JsonObject): OpenObjective {
  const critics = criticNames(Object.keys(model.targets).length);
  return (rows) => [criticStep(rows, model, critics), createActorStep(rows, model, critics, flowToLeast)];
}

function criticStep(rows: RowSpace, model: ModelSpec, critics: readonly string[]): RunStep {
  const rewards = rows.column('rewards');
  const discounts = rows.column('discounts');
  const goals = new Float64Array(rewards.length);
  const { stats } = rows;
  const temperature = temperatureOf(rows, model);
  const learnt = openLearntRows(rows);
  const nextPolicy = rows.pass({ network: 'actor', inputs: [learnt.next.observations] });
  const next = policyRows(rows, model, nextPolicy, rows.column('nextNoise'));
  const { targets, passes } = criticPasses(rows, learnt, critics, next.actions);
  return (numRows, batchRows) => {
    nextPolicy.forward(numRows);
    next.sample(numRows);
    for (const target of targets) target.forward(numRows);
    for (const pass of passes) pass.forward(numRows);
    const alpha = temperature();
    let sum = 0;
    for (let r = 0; r < numRows; r++) {
      const b = learnt.nextOf(r);
      goals[r] = rewards[r] + discounts[r] * (smallestOf(targets, b) - alpha * next.logProbs[b]);
      sum += learnt.weightOf(r) * goals[r];
    }
    stats[2] += sum;
    for (const pass of passes) {
      flowToGoals(pass, learnt, goals, 1, { numRows, batchRows, numCritics: passes.length }, stats);
      pass.backward(numRows);
    }
  };
}

/**
 * What the actor makes larger in row r, by the critics' outputs there; writes the row's gradOutputs so that `scale` times it flows back.
 */
export type CriticValue = (passes: readonly Pass[], r: number, scale: number) => number;

/** The smallest critic's value. */
const flowToLeast: CriticValue = (passes, r, scale) => {
  const least = indexOfSmallest(passes, r);
  for (let k = 0; k < passes.length; k++) passes[k].gradOutputs[r] = k === least ? scale : 0;
  return passes[least].outputs[r];
};

/** Actor and temperature, through critics; `criticValue` is what it makes of their outputs; SAC's and TQC's. */
export function createActorStep(
  rows: RowSpace,
  model: ModelSpec,
  critics: readonly string[],
  criticValue: CriticValue,
): RunStep {
  const numActions = model.inputs.action.size;
  const free = 'logTemperature' in model.free ? rows.free('logTemperature') : null;
  const temperature = temperatureOf(rows, model);
  const targetEntropy = rows.scalar('targetEntropy');
  const learnt = openLearntRows(rows);
  const policy = rows.pass({ network: 'actor', inputs: ['observations'], gradient: 'parameters' });
  const outputSize = model.networks.actor.outputs;
  const { stats } = rows;
  const squashed = policyRows(rows, model, policy, rows.column('noise'));
  const { logProbs } = squashed;
  const through = { inputs: ['observations', squashed.actions], gradient: 'inputs', begins: 'zero' } as const;
  const passes = critics.map((name, k) =>
    rows.pass({ network: name, ...through, dropout: 2 * critics.length + k }),
  );
  const byInput = passes.map((pass) => pass.inputGradient(1));
  return (numRows, batchRows) => {
    policy.forward(numRows);
    squashed.sample(numRows);
    for (const pass of passes) pass.forward(numRows);
    const alpha = temperature();
    let loss = 0;
    let sumLogProbs = 0;
    let sumWeights = 0;
    for (let r = 0; r < numRows; r++) {
      const weight = learnt.weightOf(r);
      loss += weight * (alpha * logProbs[r] - criticValue(passes, r, -1 / batchRows));
      sumLogProbs += weight * logProbs[r];
      sumWeights += weight;
    }
    stats[3] += loss;
    stats[4] -= sumLogProbs;
    for (const pass of passes) pass.backward(numRows);
    sumInputGradients(byInput, numActions, numRows, squashed.byActions);
    squashed.flowBack(numRows, alpha / batchRows);
    learnt.weigh(policy.gradOutputs, outputSize, numRows);
    policy.backward(numRows);
    if (free !== null) {
      const excess = sumLogProbs + sumWeights * targetEntropy();
      free.gradient[0] -= excess / batchRows;
      stats[7] -= free.values[0] * excess;
    }
    addSpread(stats, learnt, squashed, numActions, numRows);
  };
}

/** dL/da, summed over the critics that it flows through. */
function sumInputGradients(
  gradients: readonly InputGradient[],
  numActions: number,
  numRows: number,
  out: Float32Array,
): void {
  out.fill(0);
  for (const { values, offset, stride } of gradients) {
    for (let r = 0; r < numRows; r++)
      for (let a = 0; a < numActions; a++) out[r * numActions + a] += values[offset + r * stride + a];
  }
}

/** Statistics 5 and 6: the mean deviation before the tanh, and the share of actions at the bounds. */
function addSpread(
  stats: Float64Array,
  learnt: LearntRows,
  { actions, deviations }: SquashedRows,
  numActions: number,
  numRows: number,
): void {
  let sum = 0;
  let numSaturated = 0;
  for (let r = 0; r < numRows; r++) {
    const weight = learnt.weightOf(r);
    for (let k = r * numActions; k < (r + 1) * numActions; k++) {
      sum += weight * deviations[k];
      if (Math.abs(actions[k]) > 0.99) numSaturated += weight;
    }
  }
  stats[5] += sum / numActions;
  stats[6] += numSaturated / numActions;
}

function indexOfSmallest(passes: readonly Pass[], r: number): number {
  let least = 0;
  for (let k = 1; k < passes.length; k++) if (passes[k].outputs[r] < passes[least].outputs[r]) least = k;
  return least;
}
