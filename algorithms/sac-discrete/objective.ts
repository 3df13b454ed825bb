/** Discrete SAC's networks and the steps over them. */
import type { JsonObject } from '../../src/json.ts';
import { dropoutColumns } from '../../src/learner/dropout.ts';
import { nextColumns } from '../../src/learner/learnt-rows.ts';
import type { ObjectiveSpec } from '../../src/learner/objective.ts';
import { criticNames, type ModelSpec } from '../../src/policy/networks/model.ts';
import { optimizerGroups, type SoftActorCriticShape, softScalars } from '../sac/objective.ts';

export interface SacDiscreteShape extends SoftActorCriticShape {
  readonly numActions: number;
  /** Whether actions are masked. */
  readonly hasMasks: boolean;
}

/** What the losses need to know, in both forms; plain JSON. */
export interface SacDiscreteLossOptions extends JsonObject {
  readonly hasMasks: boolean;
}

/** actor(observation) -> a logit for each action; q1 .. qN(observation) -> a value for each; a target for each critic. */
export function sacDiscreteModel(shape: SacDiscreteShape): ModelSpec {
  const { numActions, initialLogTemperature } = shape;
  const critics = criticNames(shape.numCritics);
  const network = (trunk: SacDiscreteShape['actorTrunk']) => ({
    inputs: ['observation'],
    trunk,
    outputs: numActions,
  });
  return {
    inputs: { observation: shape.observation },
    networks: {
      actor: network(shape.actorTrunk),
      ...Object.fromEntries(critics.map((name) => [name, network(shape.criticTrunk)])),
    },
    free:
      initialLogTemperature === null
        ? {}
        : { logTemperature: { shape: [1], initial: initialLogTemperature } },
    targets: Object.fromEntries(critics.map((name) => [`target/${name}`, name])),
    clipObservation: shape.clipObservation,
  };
}

/** SAC's two steps: critics, with the actor and the temperature as they are; then actor and temperature with the critics just stepped. */
export function sacDiscreteObjective(shape: SacDiscreteShape): ObjectiveSpec {
  const { observation, numActions, hasMasks, sequences = null } = shape;
  const { dtype, size } = observation;
  const isTuned = shape.initialLogTemperature !== null;
  const masks = sequences === null ? ['masks', 'nextMasks'] : ['masks'];
  return {
    ...(sequences !== null && { sequences }),
    columns: [
      { name: 'observations', dtype, size },
      { name: 'actions', dtype: 'int32', size: 1 },
      { name: 'rewards', dtype: 'float32', size: 1 },
      { name: 'discounts', dtype: 'float32', size: 1 },
      ...nextColumns(observation, shape.actorTrunk, sequences),
      ...(hasMasks
        ? masks.map((name) => ({
            name,
            dtype: 'uint8' as const,
            size: numActions,
          }))
        : []),
      ...dropoutColumns(shape.criticTrunk),
    ],
    rowOutputs: [],
    groups: optimizerGroups(shape),
    steps: [
      {
        name: 'critic',
        groups: ['critic'],
        every: 1,
        blends: criticNames(shape.numCritics).map((name) => ({ target: `target/${name}`, tau: 'tau' })),
        stats: ['criticLoss', 'qMean', 'targetMean'],
      },
      {
        name: 'actor',
        groups: ['actor', ...(isTuned ? ['temperature'] : [])],
        every: shape.policyDelay,
        blends: [],
        stats: ['actorLoss', 'entropy', 'maxProbability', ...(isTuned ? ['temperatureLoss'] : [])],
      },
    ],
    scalars: softScalars(shape),
  };
}
