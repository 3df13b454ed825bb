/**
 * `operant/policy/recurrent`: everything that `operant/policy` has, and policies with an LSTM or a GRU, whose state goes in and comes out. At most 34.5
 * kB minified, without weights: an entry of its own, so that whoever has no such policy does not carry its code.
 */
export type { Box, Dict, Discrete, MultiBinary, MultiDiscrete, Space, Tuple } from '../env/spaces.ts';
export {
  CheckpointError,
  ConfigError,
  EngineError,
  ShapeError,
} from '../errors.ts';
export type { ActionDistribution } from '../policy/inspection.ts';
export type { PolicyBytes } from '../portable/open-model.ts';
export type {
  PortableActOptions,
  PortableActor,
  PortableMaskOption,
  PortablePolicy,
} from '../portable/policy.ts';
export type { HasHref, PolicyReader, PolicySource } from '../portable/policy-source.ts';
export {
  createPolicy,
  loadPolicy,
  type PortableStateOption,
  type RecurrentPolicy,
} from '../portable/recurrent-policy.ts';
