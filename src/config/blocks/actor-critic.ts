/** A policy with a value head, and its action distribution. */
import { option } from '../option.ts';
import { conflict, type Problem } from '../problems.ts';
import * as kind from '../value-kind.ts';
import { checkNetwork, networkOptions } from './network.ts';

/** Marks options that say how weights begin: a resumed run has weights. */
const INITIAL = { onlyAtStart: true } as const;

/** Initial weights. */
const initializationOptions = {
  orthogonalInit: option(kind.boolean(), {
    default: true,
    doc: 'Orthogonal initial weights and zero biases, with the gains below; otherwise uniform by fan-in.',
    alsoCalled: ['ortho_init'],
    ...INITIAL,
  }),
  hiddenGain: option(kind.number({ above: 0 }), {
    default: Math.SQRT2,
    doc: 'Initial gain of hidden layers.',
    ...INITIAL,
    needs: { option: 'orthogonalInit', values: [true] },
  }),
  policyGain: option(kind.number({ above: 0 }), {
    default: 0.01,
    doc: 'Initial gain of the policy head.',
    ...INITIAL,
    needs: { option: 'orthogonalInit', values: [true] },
  }),
  valueGain: option(kind.number({ above: 0 }), {
    default: 1,
    doc: 'Initial gain of the value head.',
    ...INITIAL,
    needs: { option: 'orthogonalInit', values: [true] },
  }),
};

/** Continuous actions. */
const gaussianOptions = {
  logStdInit: option(kind.number({ min: -20, max: 5 }), {
    default: 0,
    doc: 'Initial logarithm of the standard deviation of continuous actions.',
    alsoCalled: ['log_std_init'],
    ...INITIAL,
  }),
  squashActions: option(kind.boolean(), {
    default: false,
    shapesCheckpoint: true,
    doc: 'Squash continuous actions into their bounds by tanh, instead of clipping them.',
    alsoCalled: ['squash_output'],
  }),
  useGsde: option(kind.boolean(), {
    default: false,
    shapesCheckpoint: true,
    doc: 'Generalized state-dependent exploration for continuous actions.',
    alsoCalled: ['use_sde', 'useSde'],
  }),
  gsdeSampleFrequency: option(kind.integer({ min: -1 }), {
    default: -1,
    unit: 'steps',
    shapesCheckpoint: true,
    doc: 'Draw new gSDE noise every this many steps of an episode; -1 = once an episode. 0 is not allowed.',
    needs: { option: 'useGsde', values: [true] },
    alsoCalled: ['sde_sample_freq'],
  }),
};

export const actorCriticOptions = {
  ...networkOptions,
  sharedLayers: option(kind.boolean(), {
    default: false,
    shapesCheckpoint: true,
    doc: 'One trunk with a policy and a value head, instead of two networks.',
    needs: { option: 'network', values: ['mlp'] },
    alsoCalled: ['vf_share_layers'],
  }),
  ...initializationOptions,
  ...gaussianOptions,
};

export function checkActorCritic(
  config: Parameters<typeof checkNetwork>[0] & {
    readonly training: { readonly gsdeSampleFrequency: number };
  },
): readonly Problem[] {
  if (config.training.gsdeSampleFrequency !== 0) return checkNetwork(config);
  const message = 'gsdeSampleFrequency (0) must be -1 (new noise once an episode) or at least 1.';
  return [conflict(message), ...checkNetwork(config)];
}
