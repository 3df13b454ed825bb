/** `operant/gradient`: for the module with an algorithm's output gradient, which every learner thread loads. Nothing heavy. */
export {
  type CreateOutputGradient,
  type DistributionGradient,
  type GradientChunk,
  MAX_CHUNK_ROWS,
  type OutputGradient,
} from '../learner/output-gradient.ts';
export { createDistributionGradient } from '../learner/simd/distribution-gradient.ts';
export type { PolicySpec } from '../policy/policy-spec.ts';
