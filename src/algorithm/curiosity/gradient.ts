/**
 * Curiosity's losses in closed form at the networks' outputs: what the SIMD engine runs. The same stand in tfjs operations in `loss.ts`; a
 * test holds the two together.
 */
import type { JsonObject } from '../../json.ts';
import { MAX_BLOCK_ROWS, type OpenObjective, type Pass, type RowSpace } from '../../learner/objective.ts';
import type { ModelSpec } from '../../policy/networks/model.ts';
import type { ActionCode, Bonus } from './model.ts';

/** What a bonus does with the rows of a block, in the steps `score` and `learn`. */
interface BonusRows {
  score(numRows: number): void;
  learn(numRows: number, batchRows: number): void;
}

const Stat = { SCORE: 0, VALUE_LOSS: 1, PREDICTION_LOSS: 2, INVERSE_LOSS: 3 } as const;

/**
 * For a batch of B rows, w and v the columns of weights (means over the batch; a row that only fills it up has weight 0):
 *
 *     value       mean v (V(x) - G)^2 / 2
 *     rnd         mean w e,   e = mean over features of (predictor(x') - target(x'))^2
 *     icm         mean w (e + inverse),   e = mean over features of (forward(phi(x), a) - phi(x'))^2, phi constant there;
 *                 inverse = cross-entropy of inverse(phi(x), phi(x')) to each choice, half the squared error of each number
 *     bonuses     e
 *
 * Sources: Burda et al. 2018, arXiv:1810.12894 (rnd); Pathak et al. 2017, arXiv:1705.05363 (icm), with features of the inverse model
 * alone, the "IDF" of Burda et al. 2018, arXiv:1808.04355: nothing of the forward model's error flows into them.
 *
 * @param options `bonus`; with `icm` `sizes` and `numNumbers` of its actions.
 */
export function createCuriosityGradient(_model: ModelSpec, options: JsonObject): OpenObjective {
  const { bonus, ...actions } = options as unknown as { readonly bonus: Bonus } & ActionCode;
  return (rows) => {
    const value = rows.pass({ network: 'value', inputs: ['observations'], gradient: 'parameters' });
    const values = rows.rowOutput('values'); // f32 [R]
    const returns = rows.column('returns'); // [R] f32
    const weights = rows.column('valueWeights'); // [R] f32
    const { stats } = rows;
    const other = openBonus(bonus, rows, actions);
    return [
      (numRows) => {
        value.forward(numRows);
        for (let r = 0; r < numRows; r++) {
          values[r] = value.outputs[r];
          stats[Stat.SCORE] += values[r];
        }
        other?.score(numRows);
      },
      (numRows, batchRows) => {
        value.forward(numRows);
        for (let r = 0; r < numRows; r++) {
          const error = value.outputs[r] - returns[r];
          value.gradOutputs[r] = (weights[r] * error) / batchRows;
          stats[Stat.VALUE_LOSS] += 0.5 * weights[r] * error * error;
        }
        value.backward(numRows);
        other?.learn(numRows, batchRows);
      },
    ];
  };
}

function openBonus(bonus: Bonus, rows: RowSpace, actions: ActionCode): BonusRows | null {
  if (bonus === 'count') return null;
  return bonus === 'rnd' ? openDistillation(rows) : openForwardModel(rows, actions);
}

/** e of each row into `bonuses`; summed for the check that numbers are finite. */
function scoreRows(rows: RowSpace, predicted: Float32Array, wanted: Float32Array): (numRows: number) => void {
  const size = predicted.length / MAX_BLOCK_ROWS;
  const bonuses = rows.rowOutput('bonuses'); // f32 [R]
  return (numRows) => {
    for (let r = 0; r < numRows; r++) {
      let sum = 0;
      for (let k = r * size; k < (r + 1) * size; k++) sum += (predicted[k] - wanted[k]) ** 2;
      bonuses[r] = sum / size;
      rows.stats[Stat.SCORE] += bonuses[r];
    }
  };
}

/** Writes the gradient of mean w e at what a pass predicted. */
function pullRows(rows: RowSpace, { outputs, gradOutputs }: Pass, wanted: Float32Array) {
  const size = outputs.length / MAX_BLOCK_ROWS;
  const weights = rows.column('bonusWeights'); // [R] f32
  return (numRows: number, batchRows: number): void => {
    for (let r = 0; r < numRows; r++) {
      const scale = (2 * weights[r]) / (size * batchRows);
      let sum = 0;
      for (let k = r * size; k < (r + 1) * size; k++) {
        const error = outputs[k] - wanted[k];
        gradOutputs[k] = scale * error;
        sum += error * error;
      }
      rows.stats[Stat.PREDICTION_LOSS] += (weights[r] * sum) / size;
    }
  };
}

function openDistillation(rows: RowSpace): BonusRows {
  const inputs = ['nextObservations'];
  const predictor = rows.pass({ network: 'predictor', inputs, gradient: 'parameters' });
  const target = rows.pass({ network: 'target', inputs });
  const score = scoreRows(rows, predictor.outputs, target.outputs);
  const pull = pullRows(rows, predictor, target.outputs);
  const forward = (numRows: number) => {
    predictor.forward(numRows);
    target.forward(numRows);
  };
  return {
    score(numRows) {
      forward(numRows);
      score(numRows);
    },
    learn(numRows, batchRows) {
      forward(numRows);
      pull(numRows, batchRows);
      predictor.backward(numRows);
    },
  };
}

function openForwardModel(rows: RowSpace, actions: ActionCode): BonusRows {
  const now = rows.pass({ network: 'features', inputs: ['observations'], gradient: 'parameters' });
  const next = rows.pass({ network: 'features', inputs: ['nextObservations'], gradient: 'parameters' });
  const size = now.outputs.length / MAX_BLOCK_ROWS;
  const features = rows.buffer(size); // f32 [R, F]
  const nextFeatures = rows.buffer(size); // f32 [R, F]
  const inverse = rows.pass({ network: 'inverse', inputs: [features, nextFeatures], gradient: 'both' });
  const model = rows.pass({ network: 'forward', inputs: [features, 'actions'], gradient: 'parameters' });
  const score = scoreRows(rows, model.outputs, nextFeatures);
  const pull = pullRows(rows, model, nextFeatures);
  const pullInverse = pullActions(rows, inverse, actions);
  const forward = (numRows: number) => {
    now.forward(numRows);
    next.forward(numRows);
    features.set(now.outputs.subarray(0, numRows * size));
    nextFeatures.set(next.outputs.subarray(0, numRows * size));
    model.forward(numRows);
  };
  const copyGradient = (pass: Pass, input: number, numRows: number) => {
    const { values, offset, stride } = inverse.inputGradient(input);
    for (let r = 0; r < numRows; r++)
      for (let k = 0; k < size; k++) pass.gradOutputs[r * size + k] = values[offset + r * stride + k];
  };
  return {
    score(numRows) {
      forward(numRows);
      score(numRows);
    },
    learn(numRows, batchRows) {
      forward(numRows);
      pull(numRows, batchRows);
      model.backward(numRows);
      inverse.forward(numRows);
      pullInverse(numRows, batchRows);
      inverse.backward(numRows);
      copyGradient(now, 0, numRows);
      now.backward(numRows);
      copyGradient(next, 1, numRows);
      next.backward(numRows);
    },
  };
}

/** Writes the gradient of the inverse model's loss at its outputs. */
function pullActions(rows: RowSpace, { outputs, gradOutputs }: Pass, { sizes, numNumbers }: ActionCode) {
  const actions = rows.column('actions'); // [R, E] f32
  const weights = rows.column('bonusWeights'); // [R] f32
  const numChoices = sizes.reduce((sum, size) => sum + size, 0);
  const code = numChoices + numNumbers;
  /** Softmax minus one-hot, of one choice. */
  const pullChoice = (first: number, size: number, scale: number): number => {
    let largest = Number.NEGATIVE_INFINITY;
    for (let k = first; k < first + size; k++) largest = Math.max(largest, outputs[k]);
    let total = 0;
    for (let k = first; k < first + size; k++) total += Math.exp(outputs[k] - largest);
    let loss = 0;
    for (let k = first; k < first + size; k++) {
      gradOutputs[k] = scale * (Math.exp(outputs[k] - largest) / total - actions[k]);
      loss += actions[k] * (Math.log(total) + largest - outputs[k]);
    }
    return loss;
  };
  return (numRows: number, batchRows: number): void => {
    for (let r = 0; r < numRows; r++) {
      const scale = weights[r] / batchRows;
      let first = r * code;
      let loss = 0;
      for (const size of sizes) {
        loss += pullChoice(first, size, scale);
        first += size;
      }
      for (let k = first; k < (r + 1) * code; k++) {
        const error = outputs[k] - actions[k];
        gradOutputs[k] = scale * error;
        loss += 0.5 * error * error;
      }
      rows.stats[Stat.INVERSE_LOSS] += weights[r] * loss;
    }
  };
}
