/** DQN's options: the shared sections and its own `training`. */
import { adamOptions } from '../../src/config/blocks/adam.ts';
import { explorationOptions } from '../../src/config/blocks/exploration.ts';
import { hindsightOptions } from '../../src/config/blocks/hindsight.ts';
import { policiesOptions } from '../../src/config/blocks/multi-agent.ts';
import { checkNetwork, networkOptions } from '../../src/config/blocks/network.ts';
import { checkPace, checkUpdates, paceOptions } from '../../src/config/blocks/pace.ts';
import { checkPrefill } from '../../src/config/blocks/prefill.ts';
import { replayedRecurrentOptions } from '../../src/config/blocks/recurrent.ts';
import { checkReplay, priorityOptions, replayOptions } from '../../src/config/blocks/replay.ts';
import { checkSequences, checkSequencesEngine } from '../../src/config/blocks/replayed-sequences.ts';
import { discountOptions } from '../../src/config/blocks/returns.ts';
import { scheduleOptions } from '../../src/config/blocks/schedules.ts';
import { checkSelfPlay, selfPlayOptions } from '../../src/config/blocks/self-play.ts';
import { offPolicyOptions } from '../../src/config/common-options.ts';
import { type ConfigInput, option, type ResolvedConfig, withDefaults } from '../../src/config/option.ts';
import { conflict, type Problem } from '../../src/config/problems.ts';
import { logInt } from '../../src/config/search-space.ts';
import * as kind from '../../src/config/value-kind.ts';

const { networkOptions: _custom, ...builtInNetworkOptions } = networkOptions;

const targetOptions = {
  targetInterval: option(kind.integer({ min: 1 }), {
    default: 500,
    unit: 'environment steps',
    doc: 'The target becomes a copy of the network after every this many steps.',
    search: logInt(1, 20_000),
    needs: { option: 'tau', values: [null] },
    alsoCalled: ['target_update_interval', 'target_network_update_freq', 'target_network_frequency'],
  }),
  tau: option(kind.nullable(kind.number({ above: 0, max: 1 })), {
    default: null,
    doc: 'Share of the way that the target moves towards the network in an update; null = it is copied, see targetInterval.',
    alsoCalled: ['polyak'],
  }),
};

/** What was added to DQN; each on its own. */
const variantOptions = {
  double: option(kind.boolean(), {
    default: false,
    doc: "The next action is chosen by the network, its value is the target's: less overestimation.",
    alsoCalled: ['double_q', 'doubleQ'],
  }),
  dueling: option(kind.boolean(), {
    default: false,
    onlyAtStart: true,
    doc: 'Q = V + A - mean A, from a value and advantages.',
  }),
  distribution: option(kind.choice(['none', 'c51', 'quantiles']), {
    default: 'none',
    onlyAtStart: true,
    doc: 'What is learnt of the return: its mean, its distribution on fixed atoms (C51), or its quantiles (QR-DQN).',
  }),
  numAtoms: option(kind.integer({ min: 2, max: 1001 }), {
    default: 51,
    onlyAtStart: true,
    doc: 'Atoms of C51, or quantiles.',
    alsoCalled: ['num_atoms', 'n_quantiles'],
    needs: { option: 'distribution', values: ['c51', 'quantiles'] },
  }),
  minReturn: option(kind.nullable(kind.number()), {
    default: null,
    onlyAtStart: true,
    doc: 'Smallest discounted return that C51 can tell; required by it.',
    needs: { option: 'distribution', values: ['c51'] },
    alsoCalled: ['v_min', 'vMin'],
  }),
  maxReturn: option(kind.nullable(kind.number()), {
    default: null,
    onlyAtStart: true,
    doc: 'Largest discounted return that C51 can tell; required by it.',
    needs: { option: 'distribution', values: ['c51'] },
    alsoCalled: ['v_max', 'vMax'],
  }),
  loss: option(kind.choice(['huber', 'mse']), {
    default: 'huber',
    doc: 'Loss of the temporal difference where the mean is learnt: smooth L1, or its square.',
    needs: { option: 'distribution', values: ['none'] },
    alsoCalled: ['td_error_loss_fn'],
  }),
};

/** Exploration by what the network does not know (Fortunato et al. 2018, arXiv:1706.10295). */
const noisyOptions = {
  noisy: option(kind.boolean(), {
    default: false,
    onlyAtStart: true,
    doc: 'Noisy dense layers: weights are drawn anew for every fragment and update, their deviations learnt. Sets epsilon to 0 unless it is given.',
    implies: { epsilon: 0 },
    alsoCalled: ['noisy_net', 'noisyNet', 'noisy_nets'],
  }),
  noisyDeviation: option(kind.number({ above: 0, max: 10 }), {
    default: 0.5,
    onlyAtStart: true,
    doc: 'What deviations of noisy layers begin with, before the division by the root of their inputs.',
    needs: { option: 'noisy', values: [true] },
    alsoCalled: ['sigma0', 'sigma_init', 'noisy_std'],
  }),
};

/** Hessel et al. 2018, arXiv:1710.02298, table 1. */
const rainbowOptions = {
  rainbow: option(kind.boolean(), {
    default: false,
    onlyAtStart: true,
    doc: 'Rainbow: double, dueling, noisy, C51 (give minReturn and maxReturn), nStep 3, prioritised with exponents 0.5 and 0.4, epsilon 0, adamEpsilon 1.5e-4. Numbers can be given; no part can be off.',
    implies: {
      double: true,
      dueling: true,
      noisy: true,
      distribution: 'c51',
      nStep: 3,
      prioritised: true,
      priorityExponent: 0.5,
      importanceExponent: 0.4,
      epsilon: 0,
      adamEpsilon: 1.5e-4,
    },
  }),
};

export const dqnOptions = {
  ...offPolicyOptions,
  multiAgent: policiesOptions,
  selfPlay: selfPlayOptions,
  training: {
    ...withDefaults(paceOptions, { batchSize: 64, updatesPerStep: 0.25, trainEvery: 4 }),
    ...withDefaults(replayOptions, { replayCapacity: 100_000 }),
    ...hindsightOptions,
    ...priorityOptions,
    ...discountOptions,
    ...withDefaults(adamOptions, { learningRate: 1e-3, maxGradNorm: 10 }),
    ...scheduleOptions,
    ...explorationOptions,
    ...targetOptions,
    ...rainbowOptions,
    ...variantOptions,
    ...noisyOptions,
    ...withDefaults(builtInNetworkOptions, { hiddenSizes: [128, 128], activation: 'relu' }),
    ...replayedRecurrentOptions,
  },
};

export type DQNOptions = typeof dqnOptions;
/** DQN's configuration after defaults and checks, by section. */
export type ResolvedDQNConfig = ResolvedConfig<DQNOptions>;
/** What a user writes: any subset, by section. */
export type DQNConfigInput = ConfigInput<DQNOptions>;

/** What DQN's options must be to each other; the shared ones are checked before. */
export function checkDQN(config: ResolvedDQNConfig): readonly Problem[] {
  return [
    ...checkNetwork(config),
    ...checkSequencesEngine(config, 'dqn'),
    ...checkSequences(config, ofTransitions(config)),
    ...checkLearning(config),
    ...checkSelfPlay(config),
  ];
}

/** Those of its own section alone: what there is where no engine is chosen. */
export function checkLearning(
  config: Pick<ResolvedDQNConfig, 'training'> & {
    readonly envRunners: Pick<ResolvedDQNConfig['envRunners'], 'numEnvs'>;
  },
): readonly Problem[] {
  const { recurrent, distribution, minReturn, maxReturn } = config.training;
  const ofBatches =
    recurrent === null
      ? [...checkPace(config), ...checkReplay(config)]
      : [...checkUpdates(config), ...checkPrefill(config)]; // what sequences need, which a page has not: checkSequences
  const problems = [...ofBatches, ...checkRainbow(config)];
  if (distribution !== 'c51') return problems;
  if (minReturn === null || maxReturn === null) {
    problems.push(
      conflict(
        'distribution (c51) needs minReturn and maxReturn, the smallest and the largest discounted return: 0 and 100, say, for a reward ' +
          'of 1 a step at gamma 0.99. Set both, or use distribution quantiles, which needs no range.',
      ),
    );
  } else if (minReturn >= maxReturn) {
    problems.push(conflict(`minReturn (${minReturn}) must be below maxReturn (${maxReturn}).`));
  }
  return problems;
}

/** What is chosen of DQN's own that learns from single transitions. */
function ofTransitions({
  training: { distribution, noisy },
}: Pick<ResolvedDQNConfig, 'training'>): readonly string[] {
  return [
    ...(distribution === 'none' ? [] : [`distribution (${distribution})`]),
    ...(noisy ? ['noisy'] : []),
  ];
}

/** A part that was switched off beside the preset. */
function checkRainbow({ training }: Pick<ResolvedDQNConfig, 'training'>): readonly Problem[] {
  if (!training.rainbow) return [];
  const { nStep, distribution } = training;
  const off = [
    ...(['double', 'dueling', 'noisy', 'prioritised'] as const)
      .filter((part) => !training[part])
      .map((part) => `${part} is false`),
    ...(distribution === 'c51' ? [] : [`distribution is ${distribution}`]),
    ...(nStep > 1 ? [] : [`nStep is ${nStep}`]),
  ];
  return off.map((part) =>
    conflict(
      `rainbow stands for double, dueling, noisy, prioritised, C51 and n-step returns together, but ${part}: leave that out, or set the parts that you want without rainbow.`,
    ),
  );
}
