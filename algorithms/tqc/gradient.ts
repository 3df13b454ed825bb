/**
 * TQC's losses in closed form at the networks' outputs: what the SIMD engine runs. The same losses stand in tfjs operations in `loss.ts`,
 * where they are easier to read; a test holds the two together. Networks, columns and steps are SAC's, with several outputs a critic.
 */
import type { JsonObject } from '../../src/json.ts';
import { criticPasses } from '../../src/learner/critic-passes.ts';
import { openLearntRows } from '../../src/learner/learnt-rows.ts';
import type { OpenObjective, RowSpace, RunStep } from '../../src/learner/objective.ts';
import { criticNames, type ModelSpec } from '../../src/policy/networks/model.ts';
import { createActorStep } from '../sac/gradient.ts';
import { policyRows } from '../sac/policy-rows.ts';
import { temperatureOf } from '../sac/temperature.ts';

/** Plain JSON. */
export interface TqcLossOptions {
  /** Largest atoms of the pooled target that are left out, for each critic. */
  readonly numDropped: number;
}

/**
 * Truncated quantile critics (Kuznetsov et al. 2020, arXiv:2005.04269), for a batch of B rows, N critics of M quantiles:
 *
 *     z        = the N M quantiles of the targets at (s', a') in order, without the largest k N,      a' ~ pi(s')
 *     y_j      = r + discount (z_j - alpha log pi(a'|s'))
 *     L_critic = mean over critics, quantiles and targets of |tau_i - 1(u < 0)| Huber(u),              u = y_j - theta_i
 *     L_actor  = mean (alpha log pi(a~|s) - mean over all quantiles of all critics at (s, a~))
 *
 * Temperature as in SAC. The mean over critics and quantiles is sb3-contrib's; the paper sums.
 */
export function createTqcGradient(model: ModelSpec, json: JsonObject): OpenObjective {
  const options = json as unknown as TqcLossOptions;
  const critics = criticNames(Object.keys(model.targets).length);
  const numQuantiles = model.networks.q1.outputs;
  const share = 1 / (critics.length * numQuantiles);
  return (rows) => [
    criticStep(rows, model, critics, options),
    createActorStep(rows, model, critics, (passes, r, scale) => {
      let sum = 0;
      for (const { outputs, gradOutputs } of passes) {
        for (let i = r * numQuantiles; i < (r + 1) * numQuantiles; i++) {
          sum += outputs[i];
          gradOutputs[i] = scale * share;
        }
      }
      return sum * share;
    }),
  ];
}

/**
 * y_j = reward + discount (z_j - penalty) of the `numKept` smallest atoms, in place and in order; the rest of the pool is left as it
 * is. Returns their mean.
 */
export function truncatedTarget(
  pool: Float64Array,
  numKept: number,
  reward: number,
  discount: number,
  penalty: number,
): number {
  pool.sort();
  let sum = 0;
  for (let j = 0; j < numKept; j++) {
    pool[j] = reward + discount * (pool[j] - penalty);
    sum += pool[j];
  }
  return sum / numKept;
}

function criticStep(
  rows: RowSpace,
  model: ModelSpec,
  critics: readonly string[],
  { numDropped }: TqcLossOptions,
): RunStep {
  const M = model.networks.q1.outputs;
  const numPooled = critics.length * M;
  const numKept = numPooled - numDropped * critics.length;
  const rewards = rows.column('rewards');
  const discounts = rows.column('discounts');
  const pool = new Float64Array(numPooled);
  const kept = rows.buffer(numKept); // [R, numKept] f32
  const temperature = temperatureOf(rows, model);
  const learnt = openLearntRows(rows);
  const nextPolicy = rows.pass({ network: 'actor', inputs: [learnt.next.observations] });
  const next = policyRows(rows, model, nextPolicy, rows.column('nextNoise'));
  const { targets, passes } = criticPasses(rows, learnt, critics, next.actions);
  const losses = passes.map(({ outputs, gradOutputs }) =>
    rows.quantileLoss({ predicted: outputs, gradient: gradOutputs, targets: kept, numTargets: numKept }),
  );
  const { stats } = rows;
  const fillPool = (r: number): void => {
    targets.forEach(({ outputs }, k) => {
      for (let i = 0; i < M; i++) pool[k * M + i] = outputs[r * M + i];
    });
  };
  const meanOfRow = (r: number): number => {
    let sum = 0;
    for (const { outputs } of passes) for (let i = r * M; i < (r + 1) * M; i++) sum += outputs[i];
    return sum / numPooled;
  };
  return (numRows, batchRows) => {
    nextPolicy.forward(numRows);
    next.sample(numRows);
    for (const target of targets) target.forward(numRows);
    for (const pass of passes) pass.forward(numRows);
    const alpha = temperature();
    for (let r = 0; r < numRows; r++) {
      const b = learnt.nextOf(r);
      const weight = learnt.weightOf(r);
      fillPool(b);
      const targetMean = truncatedTarget(pool, numKept, rewards[r], discounts[r], alpha * next.logProbs[b]);
      for (let j = 0; j < numKept; j++) kept[r * numKept + j] = pool[j];
      stats[1] += weight * meanOfRow(r);
      stats[2] += weight * targetMean;
    }
    for (const loss of losses) {
      loss.compare(numRows, 1 / (critics.length * batchRows));
      for (let r = 0; r < numRows; r++) stats[0] += (learnt.weightOf(r) * loss.losses[r]) / critics.length;
    }
    for (const pass of passes) {
      learnt.weigh(pass.gradOutputs, M, numRows);
      pass.backward(numRows);
    }
  };
}
