/**
 * Discrete SAC's losses in closed form at the networks' outputs: what the SIMD engine runs. The same losses stand in tfjs operations in
 * `loss.ts`, where they are easier to read; a test holds the two together.
 */
import type { JsonObject } from '../../src/json.ts';
import { smallestOf } from '../../src/learner/critic-passes.ts';
import { openLearntRows } from '../../src/learner/learnt-rows.ts';
import type { OpenObjective, RowSpace, RunStep } from '../../src/learner/objective.ts';
import { criticNames, type ModelSpec } from '../../src/policy/networks/model.ts';
import { temperatureOf } from '../sac/temperature.ts';
import { createChoices } from './choices.ts';
import type { SacDiscreteLossOptions } from './objective.ts';

/** Statistics, in the order of the objective's. */
const Stat = {
  CRITIC_LOSS: 0,
  Q_MEAN: 1,
  TARGET_MEAN: 2,
  ACTOR_LOSS: 3,
  ENTROPY: 4,
  MAX_PROBABILITY: 5,
  TEMPERATURE_LOSS: 6,
} as const;

/**
 * Soft actor-critic over a finite set of actions (Christodoulou 2019, arXiv:1910.07207), for a batch of B rows:
 *
 *     y        = r + discount sum_a pi(a|s') (min_i q_i'(s', a) - alpha log pi(a|s'))
 *     L_critic = sum_i mean (q_i(s, a) - y)^2 / 2
 *     L_actor  = mean sum_a pi(a|s) (alpha log pi(a|s) - min_i q_i(s, a))
 *     L_alpha  = -log alpha * mean (H - entropy(pi(s)))
 *
 * pi is over the allowed actions. discount = gamma^k over the k steps that the reward sums, 0 where the episode terminated.
 */
export function createSacDiscreteGradient(model: ModelSpec, json: JsonObject): OpenObjective {
  const critics = criticNames(Object.keys(model.targets).length);
  const { hasMasks } = json as SacDiscreteLossOptions;
  return (rows) => [criticStep(rows, model, critics, hasMasks), actorStep(rows, model, critics, hasMasks)];
}

function criticStep(
  rows: RowSpace,
  model: ModelSpec,
  critics: readonly string[],
  hasMasks: boolean,
): RunStep {
  const A = model.networks.actor.outputs;
  const rewards = rows.column('rewards');
  const discounts = rows.column('discounts');
  const actions = rows.integers('actions');
  const learnt = openLearntRows(rows);
  const masks = hasMasks ? rows.bytes(learnt.next.masks) : null; // [R, A] u8
  const temperature = temperatureOf(rows, model);
  const next = { inputs: [learnt.next.observations] };
  const policy = rows.pass({ network: 'actor', ...next });
  const now = { inputs: ['observations'], gradient: 'parameters', begins: 'zero' } as const;
  const targets = critics.map((name, k) =>
    rows.pass({ network: `target/${name}`, ...next, begins: 'zero', dropout: k }),
  );
  const passes = critics.map((name, k) => rows.pass({ network: name, ...now, dropout: critics.length + k }));
  const choices = createChoices(A, rewards.length);
  const { stats } = rows;

  /** What the state of row r is worth. */
  const worthOf = (r: number, alpha: number): number => {
    choices.read(policy.outputs, masks, r);
    let value = 0;
    for (let k = r * A; k < (r + 1) * A; k++)
      value += choices.probabilities[k] * (smallestOf(targets, k) - alpha * choices.logProbs[k]);
    return value;
  };

  return (numRows, batchRows) => {
    policy.forward(numRows);
    for (const pass of targets) pass.forward(numRows);
    for (const pass of passes) {
      pass.forward(numRows);
      pass.gradOutputs.fill(0, 0, numRows * A);
    }
    const alpha = temperature();
    for (let r = 0; r < numRows; r++) {
      const weight = learnt.weightOf(r);
      const goal = rewards[r] + discounts[r] * worthOf(learnt.nextOf(r), alpha);
      const taken = r * A + actions[r];
      for (const { outputs, gradOutputs } of passes) {
        const error = outputs[taken] - goal;
        gradOutputs[taken] = (weight * error) / batchRows;
        stats[Stat.CRITIC_LOSS] += weight * 0.5 * error * error;
        stats[Stat.Q_MEAN] += (weight * outputs[taken]) / passes.length;
      }
      stats[Stat.TARGET_MEAN] += weight * goal;
    }
    for (const pass of passes) pass.backward(numRows);
  };
}

/** With f_a = alpha log pi_a - min_i q_i(a) the gradient at logit a is pi_a (f_a - sum_b pi_b f_b). */
function actorStep(rows: RowSpace, model: ModelSpec, critics: readonly string[], hasMasks: boolean): RunStep {
  const A = model.networks.actor.outputs;
  const masks = hasMasks ? rows.bytes('masks') : null; // [R, A] u8
  const free = 'logTemperature' in model.free ? rows.free('logTemperature') : null;
  const temperature = temperatureOf(rows, model);
  const targetEntropy = rows.scalar('targetEntropy');
  const policy = rows.pass({ network: 'actor', inputs: ['observations'], gradient: 'parameters' });
  const judged = { inputs: ['observations'], begins: 'zero' } as const;
  const passes = critics.map((name, k) =>
    rows.pass({ network: name, ...judged, dropout: 2 * critics.length + k }),
  );
  const learnt = openLearntRows(rows);
  const choices = createChoices(A, policy.outputs.length / A);
  const { probabilities, logProbs } = choices;
  const { stats } = rows;

  /** Writes row r's gradient; returns its loss. */
  const flow = (r: number, alpha: number, batchRows: number): number => {
    const first = r * A;
    let loss = 0;
    for (let k = first; k < first + A; k++)
      loss += probabilities[k] * (alpha * logProbs[k] - smallestOf(passes, k));
    for (let k = first; k < first + A; k++) {
      const isAllowed = masks === null || masks[k] !== 0;
      const excess = alpha * logProbs[k] - smallestOf(passes, k) - loss;
      policy.gradOutputs[k] = isAllowed ? (probabilities[k] * excess) / batchRows : 0;
    }
    return loss;
  };

  return (numRows, batchRows) => {
    policy.forward(numRows);
    for (const pass of passes) pass.forward(numRows);
    const alpha = temperature();
    for (let r = 0; r < numRows; r++) {
      choices.read(policy.outputs, masks, r);
      const entropy = choices.entropy(r);
      const weight = learnt.weightOf(r);
      stats[Stat.ACTOR_LOSS] += weight * flow(r, alpha, batchRows);
      stats[Stat.ENTROPY] += weight * entropy;
      stats[Stat.MAX_PROBABILITY] += weight * largest(probabilities, r * A, A);
      if (free === null) continue;
      const missing = weight * (targetEntropy() - entropy);
      free.gradient[0] -= missing / batchRows;
      stats[Stat.TEMPERATURE_LOSS] -= free.values[0] * missing;
    }
    learnt.weigh(policy.gradOutputs, A, numRows);
    policy.backward(numRows);
  };
}

function largest(values: Float64Array, first: number, size: number): number {
  let most = values[first];
  for (let k = first + 1; k < first + size; k++) most = Math.max(most, values[k]);
  return most;
}
