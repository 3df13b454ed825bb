/** TD3's networks and the steps over them; DDPG's with one critic, a delay of 1 and no target noise. */
import { dropoutColumns } from '../../src/learner/dropout.ts';
import { nextColumns } from '../../src/learner/learnt-rows.ts';
import type { ObjectiveSpec, OptimizerGroup, SequenceRows } from '../../src/learner/objective.ts';
import {
  type ConvTrunk,
  criticNames,
  type MlpTrunk,
  type ModelInput,
  type ModelSpec,
} from '../../src/policy/networks/model.ts';

export interface Td3Shape {
  readonly observation: ModelInput;
  readonly clipObservation: number;
  /** Elements of an action. */
  readonly actionSize: number;
  readonly actorTrunk: MlpTrunk | ConvTrunk;
  readonly criticTrunk: MlpTrunk | ConvTrunk;
  readonly numCritics: number;
  /** The actor learns, and targets move, in every `policyDelay`-th update. */
  readonly policyDelay: number;
  readonly maxGradNorm: number | null;
  readonly adam: Pick<OptimizerGroup, 'adamBeta1' | 'adamBeta2' | 'adamEpsilon' | 'weightDecay'>;
  /** Of trunks with a cell: how batches hold sequences. Absent or null = transitions. */
  readonly sequences?: SequenceRows | null;
}

/** actor(observation) -> an action before its tanh; q1 .. qN(observation, action); a target for each. */
export function td3Model(shape: Td3Shape): ModelSpec {
  const { actionSize } = shape;
  const critics = criticNames(shape.numCritics);
  const critic = { inputs: ['observation', 'action'], trunk: shape.criticTrunk, outputs: 1 };
  return {
    inputs: {
      observation: shape.observation,
      action: { size: actionSize, dtype: 'float32', shape: [actionSize], isNormalized: false },
    },
    networks: {
      actor: { inputs: ['observation'], trunk: shape.actorTrunk, outputs: actionSize },
      ...Object.fromEntries(critics.map((name) => [name, critic])),
    },
    free: {},
    targets: Object.fromEntries(['actor', ...critics].map((name) => [`target/${name}`, name])),
    clipObservation: shape.clipObservation,
  };
}

/** Critics in every update; the actor, and then all targets, with a delay (Fujimoto et al. 2018, algorithm 1). */
export function td3Objective(shape: Td3Shape): ObjectiveSpec {
  const { observation, actionSize, maxGradNorm, adam, sequences = null } = shape;
  const critics = criticNames(shape.numCritics);
  const column = (name: string, size: number, dtype: 'float32' | 'uint8' = 'float32') => ({
    name,
    dtype,
    size,
  });
  const group = (name: string, networks: readonly string[]): OptimizerGroup => ({
    name,
    networks,
    learningRate: `${name}LearningRate`,
    maxGradNorm,
    ...adam,
  });
  return {
    ...(sequences !== null && { sequences }),
    columns: [
      column('observations', observation.size, observation.dtype),
      column('actions', actionSize),
      column('rewards', 1),
      column('discounts', 1),
      ...nextColumns(observation, shape.actorTrunk, sequences),
      column('nextNoise', actionSize),
      ...dropoutColumns(shape.criticTrunk),
    ],
    rowOutputs: [],
    groups: [group('critic', critics), group('actor', ['actor'])],
    steps: [
      {
        name: 'critic',
        groups: ['critic'],
        every: 1,
        blends: [],
        stats: ['criticLoss', 'qMean', 'targetMean'],
      },
      {
        name: 'actor',
        groups: ['actor'],
        every: shape.policyDelay,
        blends: ['actor', ...critics].map((name) => ({ target: `target/${name}`, tau: 'tau' })),
        stats: ['actorLoss', 'saturation'],
      },
    ],
    scalars: ['criticLearningRate', 'actorLearningRate', 'tau', 'targetNoise', 'targetNoiseClip'],
  };
}
