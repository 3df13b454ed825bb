/** DQN under the conformance suite. */
import {
  convElsewhere,
  hindsightTrials,
  networkTrials,
  offPolicyNeutral,
  offPolicyPlain,
  offPolicyRefused,
  paceTrials,
  policiesElsewhere,
  replayedRecurrentRefused,
  replayedRecurrentTrials,
} from '../off-policy-trials.ts';
import type { Settings, Values } from '../subject.ts';

const training = (options: Values[string]): Values => ({ training: options });
const recurrent = training({ recurrent: 'lstm', recurrentSize: 8, sequenceLength: 2 });
const c51 = training({ distribution: 'c51', minReturn: 0, maxReturn: 8 });

export const settings: Settings = {
  actions: 'discrete',
  values: {
    envRunners: { numEnvRunners: 0, numEnvs: 5, normalizeObservations: true },
    training: {
      learningStarts: 60,
      trainEvery: 3,
      batchSize: 20,
      updatesPerStep: 0.4,
      stepsPerIteration: 60,
      replayCapacity: 170,
      nStep: 3,
      hiddenSizes: [16, 16],
      lag: 1,
      targetInterval: 45,
      double: true,
      dueling: true,
      distribution: 'quantiles',
      numAtoms: 7,
      prioritised: true,
      noisy: true,
      epsilon: 0.1,
      importanceExponent: { schedule: 'linear', from: 0.4, to: 1 },
      scheduleSteps: 3000,
    },
    learners: { engine: 'simd' },
    evaluation: { evaluationInterval: 3, evaluationEpisodes: 2 },
    debugging: { seed: 21 },
  },
  plain: { ...offPolicyPlain, training: { ...offPolicyPlain.training, epsilon: 0.3 } },
  trials: {
    ...paceTrials,
    ...hindsightTrials('BitFlip-v0'),
    ...networkTrials,
    'training.lag': { base: training({ learningRate: 0.05 }), change: training({ lag: 1 }) },
    'training.learningRate': { change: training({ learningRate: 1e-4 }) },
    'training.epsilon': { change: training({ epsilon: 0.9 }) },
    'training.scheduleSteps': {
      base: training({ learningRate: { schedule: 'linear', from: 1e-3, to: 0 }, scheduleSteps: 1000 }),
      change: training({ scheduleSteps: 2000 }),
    },
    'training.targetInterval': { change: training({ targetInterval: 24 }) },
    'training.tau': { change: training({ tau: 0.1 }) },
    'training.double': {
      base: training({ learningRate: 0.05, targetInterval: 24 }),
      change: training({ double: true }),
    },
    'training.dueling': { change: training({ dueling: true }) },
    'training.distribution': { change: training({ distribution: 'quantiles' }) },
    'training.numAtoms': {
      base: training({ distribution: 'quantiles' }),
      change: training({ numAtoms: 11 }),
    },
    'training.minReturn': { base: c51, change: training({ minReturn: -8 }) },
    'training.maxReturn': { base: c51, change: training({ maxReturn: 16 }) },
    'training.loss': {
      base: { environment: { envOptions: { actions: 'discrete', scale: 5 } } },
      change: training({ loss: 'mse' }),
    },
    'training.prioritised': { change: training({ prioritised: true }) },
    'training.priorityExponent': {
      base: training({ prioritised: true }),
      change: training({ priorityExponent: 1 }),
    },
    'training.importanceExponent': {
      base: training({ prioritised: true }),
      change: training({ importanceExponent: 1 }),
    },
    'training.noisy': { change: training({ noisy: true }) },
    'training.noisyDeviation': {
      base: training({ noisy: true }),
      change: training({ noisyDeviation: 0.1 }),
    },
    ...replayedRecurrentTrials,
    'training.prioritised, over sequences': { base: recurrent, change: training({ prioritised: true }) },
    'training.importanceExponent, over sequences': {
      base: training({ recurrent: 'lstm', recurrentSize: 8, sequenceLength: 2, prioritised: true }),
      change: training({ importanceExponent: 1 }),
    },
    'training.rainbow': { base: c51, change: training({ rainbow: true }) },
  },
  neutral: {
    ...offPolicyNeutral,
    'training.importanceExponent, where all are alike': {
      base: training({ prioritised: true, priorityExponent: 0 }),
      change: training({ importanceExponent: 0.9 }),
    },
  },
  testedElsewhere: { ...convElsewhere, ...policiesElsewhere },
  refused: [
    ...offPolicyRefused,
    [
      'continuous actions',
      { environment: { env: 'Pendulum-v1', envOptions: {} } },
      /dqn is for a choice among actions.*Use sac/,
    ],
    ['C51 without a range', training({ distribution: 'c51' }), /needs minReturn and maxReturn/],
    [
      'a range without an inside',
      training({ distribution: 'c51', minReturn: 5, maxReturn: 5 }),
      /minReturn \(5\) must be below maxReturn \(5\)/,
    ],
    [
      'a priority exponent above 1',
      training({ prioritised: true, priorityExponent: 1.5 }),
      /priorityExponent/,
    ],
    [
      'Rainbow without a part of it',
      training({ rainbow: true, minReturn: 0, maxReturn: 8, double: false }),
      /rainbow stands for double.*, but double is false: leave that out/,
    ],
    [
      'Rainbow without steps',
      training({ rainbow: true, minReturn: 0, maxReturn: 8, nStep: 1 }),
      /, but nStep is 1/,
    ],
    [
      'recurrence with noisy layers',
      training({ recurrent: 'lstm', batchSize: 64, noisy: true }),
      /recurrent \(lstm\) does not go together with noisy: leave one of the two out/,
    ],
    [
      'recurrence with atoms',
      training({ recurrent: 'lstm', batchSize: 64, distribution: 'quantiles' }),
      /does not go together with distribution \(quantiles\)/,
    ],
    ...replayedRecurrentRefused('dqn'),
    [
      'Rainbow with quantiles',
      training({ rainbow: true, distribution: 'quantiles' }),
      /, but distribution is quantiles/,
    ],
    ['Rainbow without a range', training({ rainbow: true }), /needs minReturn and maxReturn/],
    [
      'deviations without noisy layers',
      training({ noisyDeviation: 0.1 }),
      /noisyDeviation \(0.1\) has no effect while noisy is false/,
    ],
    [
      'an option without effect',
      training({ targetInterval: 10, tau: 0.1 }),
      /targetInterval \(10\) has no effect while tau is 0.1/,
    ],
  ],
  learns: {
    values: {
      envRunners: { numEnvRunners: 0 },
      training: {
        learningStarts: 100,
        trainEvery: 1,
        updatesPerStep: 1,
        batchSize: 64,
        gamma: 0,
        stepsPerIteration: 200,
        hiddenSizes: [32],
        learningRate: 3e-3,
        epsilon: 0.2,
      },
      learners: { engine: 'simd' },
    },
    numIterations: 6,
    returnAtLeast: 8,
  },
};
