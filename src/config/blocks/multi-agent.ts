/** Who acts for which agent, and who of them learns: for environments of several agents. */
import type { JsonObject } from '../../json.ts';
import { option } from '../option.ts';
import * as kind from '../value-kind.ts';

/** Of every algorithm for several agents. */
export const policiesOptions = {
  policies: option(kind.jsonObject(), {
    default: {},
    shapesCheckpoint: true,
    doc: "Policies by name: a learner's options, 'random', './bot.ts#name' or { checkpoint, policy }; {} = a learner for each kind of agent.",
    alsoCalled: ['policy_mapping', 'policySpecs'],
    namesModule: true,
  }),
  policyFor: option(kind.jsonObject(), {
    default: {},
    shapesCheckpoint: true,
    doc: "Policy by agent ('*' = all others): a name, or a list that takes turns by episode; {} = by its own name, or the only one.",
    alsoCalled: ['policy_mapping_fn', 'policyMapping'],
  }),
  policiesToTrain: option(kind.nullable(kind.nameList({ allowEmpty: true })), {
    default: null,
    doc: 'Which of the policies that can learn do; the others keep their weights. null = all of them.',
    alsoCalled: ['policies_to_train', 'policies_to_learn'],
  }),
};

/** Of those that learn values along an agent's own steps from rollouts. */
export const rolloutAgentsOptions = {
  ...policiesOptions,
  discountBy: option(kind.choice(['own-step', 'tick']), {
    default: 'own-step',
    doc: "What gamma discounts: an agent's own actions, or the environment's steps between them.",
  }),
};

/** Of those that learn them by a critic. */
export const multiAgentOptions = {
  ...rolloutAgentsOptions,
  critic: option(kind.choice(['own', 'central']), {
    default: 'own',
    shapesCheckpoint: true,
    doc: "What values are learned from: each agent's own observation, or the environment's whole state (MAPPO). Acting never sees the state.",
    alsoCalled: ['use_centralized_V', 'centralCritic'],
  }),
  normalizeValues: option(kind.boolean(), {
    default: false,
    shapesCheckpoint: true,
    doc: 'Learn values at the scale of the returns so far (PopArt).',
    alsoCalled: ['use_popart', 'use_valuenorm', 'popArt'],
  }),
};

/** Whether any of it was set: then the environment has to have several agents. */
export function isMultiAgentSet({
  policies,
  policyFor,
  policiesToTrain,
  discountBy = 'own-step',
  critic = 'own',
  normalizeValues = false,
}: {
  readonly policies: JsonObject;
  readonly policyFor: JsonObject;
  readonly policiesToTrain: readonly string[] | null;
  readonly discountBy?: string;
  readonly critic?: string;
  readonly normalizeValues?: boolean;
}): boolean {
  const isMapped = Object.keys(policies).length > 0 || Object.keys(policyFor).length > 0;
  const isCritic = critic !== 'own' || normalizeValues;
  return isMapped || isCritic || policiesToTrain !== null || discountBy !== 'own-step';
}
