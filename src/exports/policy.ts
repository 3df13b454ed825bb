/**
 * `operant/policy`: a trained policy that acts in a browser tab, an edge function or any JavaScript program. No threads, files, kernels or
 * TensorFlow, and nothing of training: at most 30 kB minified, without weights.
 */
export type { Box, Dict, Discrete, MultiBinary, MultiDiscrete, Space, Tuple } from '../env/spaces.ts';
export {
  CheckpointError,
  ConfigError,
  EngineError,
  ShapeError,
} from '../errors.ts';
export type { ActionDistribution } from '../policy/inspection.ts';
export { loadPolicy } from '../portable/load-policy.ts';
export { createPolicy, type PolicyBytes } from '../portable/open-model.ts';
export type {
  PortableActOptions,
  PortableActor,
  PortableMaskOption,
  PortablePolicy,
} from '../portable/policy.ts';
export type { HasHref, PolicyReader, PolicySource } from '../portable/policy-source.ts';
