/** SAC's networks and the steps over them. */
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

/** What networks and steps follow from whatever the actions are; discrete SAC's, too. */
export interface SoftActorCriticShape {
  readonly observation: ModelInput;
  readonly clipObservation: number;
  readonly actorTrunk: MlpTrunk | ConvTrunk;
  readonly criticTrunk: MlpTrunk | ConvTrunk;
  readonly numCritics: number;
  /** log of the temperature to begin with; null = the temperature is fixed. */
  readonly initialLogTemperature: number | null;
  /** The actor learns in every `policyDelay`-th update. */
  readonly policyDelay: number;
  readonly maxGradNorm: number | null;
  readonly adam: Pick<OptimizerGroup, 'adamBeta1' | 'adamBeta2' | 'adamEpsilon' | 'weightDecay'>;
  /** Of trunks with a cell: how batches hold sequences. Absent or null = transitions. */
  readonly sequences?: SequenceRows | null;
}

/** What SAC's networks and steps follow from; TQC's, too. */
export interface SacShape extends SoftActorCriticShape {
  /** Elements of an action. */
  readonly actionSize: number;
  /** Outputs of a critic: 1, or TQC's quantiles. */
  readonly criticOutputs: number;
  /** gSDE: logarithm of the deviations to begin with. Absent or null = the actor gives deviations of its own. */
  readonly initialLogStd?: number | null;
}

/** Of critics, actor and, where it is learnt, temperature; learning rates are the scalars `<name>LearningRate`. */
export function optimizerGroups(shape: SoftActorCriticShape): OptimizerGroup[] {
  const group = (name: string, networks: readonly string[]): OptimizerGroup => ({
    ...{ name, networks, learningRate: `${name}LearningRate`, maxGradNorm: shape.maxGradNorm },
    ...shape.adam,
  });
  const temperature = { ...group('temperature', ['logTemperature']), maxGradNorm: null, weightDecay: 0 };
  return [
    group('critic', criticNames(shape.numCritics)),
    group('actor', ['actor']),
    ...(shape.initialLogTemperature === null ? [] : [temperature]),
  ];
}

/** What may differ from update to update. */
export function softScalars({ initialLogTemperature }: SoftActorCriticShape): string[] {
  return [
    'criticLearningRate',
    'actorLearningRate',
    ...(initialLogTemperature === null ? [] : ['temperatureLearningRate']),
    'tau',
    'targetEntropy',
    'temperature',
  ];
}

const latentSize = ({ actorTrunk }: SacShape) => actorTrunk.hiddenSizes.at(-1) ?? 0;

/**
 * actor(observation) -> means, log deviations (gSDE: means, and log deviations [H, A] as free parameters); q1 .. qN(observation, action); a target for each critic; the temperature's logarithm.
 */
export function sacModel(shape: SacShape): ModelSpec {
  const { actionSize, criticTrunk, criticOutputs, initialLogTemperature, initialLogStd = null } = shape;
  const isGsde = initialLogStd !== null;
  const critics = criticNames(shape.numCritics);
  const critic = { inputs: ['observation', 'action'], trunk: criticTrunk, outputs: criticOutputs };
  return {
    inputs: {
      observation: shape.observation,
      action: { size: actionSize, dtype: 'float32', shape: [actionSize], isNormalized: false },
    },
    networks: {
      actor: { inputs: ['observation'], trunk: shape.actorTrunk, outputs: (isGsde ? 1 : 2) * actionSize },
      ...Object.fromEntries(critics.map((name) => [name, critic])),
    },
    free: {
      ...(initialLogTemperature !== null && {
        logTemperature: { shape: [1], initial: initialLogTemperature },
      }),
      ...(isGsde && { logStd: { shape: [latentSize(shape), actionSize], initial: initialLogStd } }),
    },
    targets: Object.fromEntries(critics.map((name) => [`target/${name}`, name])),
    clipObservation: shape.clipObservation,
  };
}

/**
 * Two steps, as in Stable-Baselines3: critics (with the actor and the temperature as they are), then actor and temperature through the
 * critics just stepped. Targets follow the critics.
 * With cells a batch has sequences: what a step led to is another of its rows.
 */
export function sacObjective(shape: SacShape): ObjectiveSpec {
  const { observation, actionSize, sequences = null } = shape;
  const critics = criticNames(shape.numCritics);
  const isTuned = shape.initialLogTemperature !== null;
  const isGsde = (shape.initialLogStd ?? null) !== null;
  const column = (name: string, size: number, dtype: 'float32' | 'uint8' = 'float32') => ({
    name,
    dtype,
    size,
  });
  const groups = optimizerGroups(shape);
  const exploration: OptimizerGroup = {
    ...groups[1],
    ...{ name: 'exploration', networks: ['logStd'], weightDecay: 0 }, // at the actor's rate
  };
  return {
    ...(sequences !== null && { sequences }),
    columns: [
      column('observations', observation.size, observation.dtype),
      column('actions', actionSize),
      column('rewards', 1),
      column('discounts', 1),
      ...nextColumns(observation, shape.actorTrunk, sequences),
      column('noise', actionSize),
      column('nextNoise', actionSize),
      ...dropoutColumns(shape.criticTrunk),
    ],
    rowOutputs: [],
    groups: [...groups, ...(isGsde ? [exploration] : [])],
    steps: [
      {
        name: 'critic',
        groups: ['critic'],
        every: 1,
        blends: critics.map((name) => ({ target: `target/${name}`, tau: 'tau' })),
        stats: ['criticLoss', 'qMean', 'targetMean'],
      },
      {
        name: 'actor',
        groups: ['actor', ...(isTuned ? ['temperature'] : []), ...(isGsde ? ['exploration'] : [])],
        every: shape.policyDelay,
        blends: [],
        stats: ['actorLoss', 'entropy', 'actionStd', 'saturation', ...(isTuned ? ['temperatureLoss'] : [])],
      },
    ],
    scalars: softScalars(shape),
  };
}
