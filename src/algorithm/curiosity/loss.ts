/**
 * Curiosity's losses in tfjs operations: the readable reference, used by every tfjs backend. The same in closed form stands in `gradient.ts`,
 * with the equations; a test holds the two together.
 */
import type { TensorObjective, TensorScope } from '../../learner/tensorflow/objective/tensor-objective.ts';
import type { Scalar, Tensor, TensorFlow } from '../../policy/tensor-types.ts';
import type { ActionCode, Bonus } from './model.ts';

interface BonusLoss {
  readonly loss: Scalar;
  readonly stats: Readonly<Record<string, Scalar>>;
}

interface TensorBonus {
  /** e of each row, [B] f32. */
  score(scope: TensorScope): Tensor;
  /** Computes what is constant, and gives what is differentiated. */
  learn(scope: TensorScope): () => BonusLoss;
}

/** @param actions of `icm`. */
export function createCuriosityLoss(bonus: Bonus, actions: ActionCode): TensorObjective {
  const other = bonus === 'count' ? null : bonus === 'rnd' ? distillation : forwardModel(actions);
  return [
    (scope) => () => {
      const { tf } = scope;
      const values = valuesOf(scope);
      const bonuses = other?.score(scope);
      const score = tf.mean(bonuses === undefined ? values : tf.add(values, bonuses)) as Scalar;
      return { loss: score, stats: { score }, rowOutputs: { values, ...(bonuses && { bonuses }) } };
    },
    (scope) => {
      const { tf } = scope;
      const learn = other?.learn(scope);
      return () => {
        const errors = tf.square(tf.sub(valuesOf(scope), scope.vector('returns')));
        const valueLoss = tf.mul(tf.mean(tf.mul(scope.vector('valueWeights'), errors)), 0.5) as Scalar;
        const told = learn?.();
        return {
          loss: (told === undefined ? valueLoss : tf.add(valueLoss, told.loss)) as Scalar,
          stats: { intrinsicValueLoss: valueLoss, ...told?.stats },
        };
      };
    },
  ];
}

const valuesOf = (scope: TensorScope): Tensor =>
  scope.tf.reshape(scope.apply('value', [scope.column('observations')]), [-1]); // [B]

const errorsOf = (tf: TensorFlow, predicted: Tensor, wanted: Tensor): Tensor =>
  tf.mean(tf.square(tf.sub(predicted, wanted)), 1); // [B]

const weighted = ({ tf, vector }: TensorScope, losses: Tensor): Scalar =>
  tf.mean(tf.mul(vector('bonusWeights'), losses)) as Scalar;

const distillation: TensorBonus = {
  score(scope) {
    const next = [scope.column('nextObservations')];
    return errorsOf(scope.tf, scope.apply('predictor', next), scope.apply('target', next));
  },
  learn(scope) {
    const next = [scope.column('nextObservations')];
    const wanted = scope.apply('target', next); // [B, F]
    return () => {
      const predictionLoss = weighted(scope, errorsOf(scope.tf, scope.apply('predictor', next), wanted));
      return { loss: predictionLoss, stats: { predictionLoss } };
    };
  },
};

function forwardModel(code: ActionCode): TensorBonus {
  const features = (scope: TensorScope, column: string) => scope.apply('features', [scope.column(column)]);
  return {
    score(scope) {
      const predicted = scope.apply('forward', [features(scope, 'observations'), scope.column('actions')]);
      return errorsOf(scope.tf, predicted, features(scope, 'nextObservations'));
    },
    learn(scope) {
      const { tf } = scope;
      const before = features(scope, 'observations'); // [B, F]
      const after = features(scope, 'nextObservations'); // [B, F]
      return () => {
        const predicted = scope.apply('forward', [before, scope.column('actions')]);
        const predictionLoss = weighted(scope, errorsOf(tf, predicted, after));
        const outputs = scope.apply('inverse', [
          features(scope, 'observations'),
          features(scope, 'nextObservations'),
        ]);
        const inverseLoss = weighted(scope, actionErrors(scope, outputs, code));
        return {
          loss: tf.add(predictionLoss, inverseLoss) as Scalar,
          stats: { predictionLoss, inverseLoss },
        };
      };
    },
  };
}

/** Cross-entropy of each choice, half the squared error of each number: [B] f32. */
function actionErrors(
  { tf, column }: TensorScope,
  outputs: Tensor,
  { sizes, numNumbers }: ActionCode,
): Tensor {
  const actions = column('actions'); // [B, E] f32
  const [numRows] = outputs.shape;
  const part = (tensor: Tensor, first: number, size: number) => tf.slice(tensor, [0, first], [numRows, size]);
  let first = 0;
  const losses = sizes.map((size): Tensor => {
    const logits = part(outputs, first, size);
    const chosen = part(actions, first, size);
    first += size;
    return tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), chosen), 1));
  });
  if (numNumbers > 0) {
    const errors = tf.square(tf.sub(part(outputs, first, numNumbers), part(actions, first, numNumbers)));
    losses.push(tf.mul(tf.sum(errors, 1), 0.5));
  }
  return losses.reduce((sum, loss) => tf.add(sum, loss));
}
