/** What actor-critic algorithms with a replay buffer have in common: networks, optimizers, targets. */
import { option, withDefaults } from '../option.ts';
import { logUniform } from '../search-space.ts';
import * as kind from '../value-kind.ts';
import { adamOptions } from './adam.ts';
import { hindsightOptions } from './hindsight.ts';
import { networkOptions } from './network.ts';
import { paceOptions } from './pace.ts';
import { replayedRecurrentOptions } from './recurrent.ts';
import { replayOptions } from './replay.ts';
import { discountOptions } from './returns.ts';
import { scheduleOptions } from './schedules.ts';

const { learningRate, ...adamWithoutRate } = adamOptions;
const { networkOptions: _custom, ...builtInNetworkOptions } = networkOptions;

/** Actor and critics have learning rates of their own; `training` of SAC, TD3 and TQC begins with these. */
export const offPolicyActorCriticOptions = {
  ...paceOptions,
  ...replayOptions,
  ...hindsightOptions,
  ...discountOptions,
  actorLearningRate: option(kind.schedule({ min: 0 }), {
    ...learningRate,
    doc: "Adam's step size for the actor.",
    search: logUniform(1e-5, 2e-3),
    alsoCalled: ['actor_lr', 'policy_lr', 'pi_lr', 'lr', 'learning_rate', 'learningRate'],
  }),
  criticLearningRate: option(kind.schedule({ min: 0 }), {
    ...learningRate,
    doc: "Adam's step size for the critics.",
    search: logUniform(1e-5, 2e-3),
    alsoCalled: ['critic_lr', 'q_lr', 'qf_learning_rate'],
  }),
  ...adamWithoutRate,
  weightDecay: option(kind.number({ min: 0, max: 1 }), {
    default: 0,
    doc: 'Decoupled weight decay of actor and critics (AdamW); 0 = none.',
    alsoCalled: ['weight_decay'],
  }),
  ...scheduleOptions,
  tau: option(kind.number({ above: 0, max: 1 }), {
    default: 0.005,
    doc: 'Share of the way that targets move towards their networks in an update.',
    search: logUniform(1e-3, 0.08),
    alsoCalled: ['polyak', 'target_network_update_coeff'],
  }),
  numCritics: option(kind.integer({ min: 1, max: 16 }), {
    default: 2,
    onlyAtStart: true,
    doc: 'Critics; the smallest value counts.',
    alsoCalled: ['n_critics', 'numQ', 'twin_q'],
  }),
  policyDelay: option(kind.integer({ min: 1, max: 1000 }), {
    default: 1,
    unit: 'updates',
    doc: 'The actor learns in every this many updates.',
    alsoCalled: ['policy_delay', 'policy_frequency', 'policyFrequency'],
  }),
  ...withDefaults(builtInNetworkOptions, { hiddenSizes: [256, 256], activation: 'relu' }),
  criticHiddenSizes: option(kind.nullable(kind.integerList({ min: 1, max: 65536 })), {
    default: null,
    onlyAtStart: true,
    doc: "Units of each hidden layer of the critics; null = as the actor's.",
    needs: { option: 'network', values: ['mlp', 'conv'] },
  }),
  criticLayerNorm: option(kind.boolean(), {
    default: false,
    onlyAtStart: true,
    doc: 'Normalise each hidden layer of the critics over its units: steadier with many updates a step (DroQ, BRO).',
    needs: { option: 'network', values: ['mlp'] },
    alsoCalled: ['layer_norm', 'layerNorm'],
  }),
  criticDropout: option(kind.number({ min: 0, max: 0.9 }), {
    default: 0,
    onlyAtStart: true,
    doc: 'Share of hidden units of the critics that each pass of an update drops; DroQ: 0.01, with criticLayerNorm, updatesPerStep 20 and policyDelay 20. simd engine.',
    needs: { option: 'network', values: ['mlp'] },
    alsoCalled: ['dropout_rate', 'dropout'],
  }),
  ...replayedRecurrentOptions,
  recurrent: option(kind.nullable(kind.choice(['lstm', 'gru'])), {
    ...replayedRecurrentOptions.recurrent,
    doc: 'A recurrent cell before the hidden layers of the actor and of each critic, learnt from stored sequences; null = no memory.',
  }),
};
