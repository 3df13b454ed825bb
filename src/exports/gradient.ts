/** `operant/gradient`: for the module with an algorithm's output gradient or closed form, which every learner thread loads. Nothing heavy. */
export {
  type CreateClosedForm,
  MAX_BLOCK_ROWS,
  type OpenObjective,
  type Pass,
  type QuantileLoss,
  type QuantileLossRows,
  type RowSpace,
  type RunStep,
  type Softmax,
  type SoftmaxRows,
  type SquashedRows,
} from '../learner/objective.ts';
export {
  type CreateOutputGradient,
  type DistributionGradient,
  type GradientChunk,
  MAX_CHUNK_ROWS,
  type OutputGradient,
} from '../learner/output-gradient.ts';
export { createDistributionGradient } from '../learner/simd/distribution-gradient.ts';
export type { PolicySpec } from '../policy/policy-spec.ts';
