/** PQN under the conformance suite. */
import { convElsewhere, networkTrials } from '../off-policy-trials.ts';
import { rolloutAgentsElsewhere } from '../on-policy-trials.ts';
import type { Settings, Values } from '../subject.ts';

const training = (options: Values[string]): Values => ({ training: options });
const recurrent = training({ recurrent: 'lstm', recurrentSize: 8, sequenceLength: 5 });

export const settings: Settings = {
  actions: 'discrete',
  values: {
    envRunners: {
      numEnvRunners: 0,
      numEnvs: 5,
      rolloutLength: 12,
      normalizeObservations: true,
      normalizeRewards: true,
    },
    training: {
      numEpochs: 2,
      minibatchSize: 25,
      hiddenSizes: [16, 16],
      learningRate: { schedule: 'linear', from: 1e-3, to: 1e-5 },
      scheduleSteps: 3000,
    },
    learners: { engine: 'simd' },
    evaluation: { evaluationInterval: 3, evaluationEpisodes: 2 },
    debugging: { seed: 21 },
  },
  plain: {
    envRunners: { numEnvRunners: 0, numEnvs: 4, rolloutLength: 20 },
    training: { numEpochs: 2, minibatchSize: 40, hiddenSizes: [16], epsilon: 0.3 },
    learners: { engine: 'simd' },
  },
  trials: {
    ...networkTrials,
    'envRunners.rolloutLength': { change: { envRunners: { rolloutLength: 21 } } },
    'envRunners.normalizeRewards': { change: { envRunners: { normalizeRewards: true } } },
    'envRunners.clipReward': {
      base: { envRunners: { normalizeRewards: true } },
      change: { envRunners: { clipReward: 0.01 } },
    },
    'training.learningRate': { change: training({ learningRate: 1e-3 }) },
    'training.weightDecay': { change: training({ weightDecay: 0.1 }) },
    'training.gamma': { change: training({ gamma: 0.5 }) },
    'training.lambda': { change: training({ lambda: 0.1 }) },
    'training.numEpochs': { change: training({ numEpochs: 3 }) },
    'training.minibatchSize': { change: training({ minibatchSize: 20 }) },
    'training.epsilon': { change: training({ epsilon: 0.9 }) },
    'training.scheduleSteps': {
      base: training({ learningRate: { schedule: 'linear', from: 1e-3, to: 0 }, scheduleSteps: 1000 }),
      change: training({ scheduleSteps: 2000 }),
    },
    'training.layerNorm': { change: training({ layerNorm: false }) },
    'training.layerNorm, behind a cell': { base: recurrent, change: training({ layerNorm: false }) },
    'training.recurrent': { base: recurrent, change: training({ recurrent: 'gru' }) },
    'training.recurrentSize': { base: recurrent, change: training({ recurrentSize: 9 }) },
    'training.sequenceLength': { base: recurrent, change: training({ sequenceLength: 10 }) },
  },
  neutral: {
    'training.lambda, where nothing is discounted in': {
      base: training({ gamma: 0 }),
      change: training({ lambda: 0.1 }),
    },
    'training.maxGradNorm, never reached': { change: training({ maxGradNorm: 1e9 }) },
  },
  testedElsewhere: { ...convElsewhere, ...rolloutAgentsElsewhere },
  refused: [
    [
      'continuous actions',
      { environment: { env: 'Pendulum-v1', envOptions: {} } },
      /pqn is for a choice among actions.*Use ppo/,
    ],
    [
      'a minibatch larger than the rollout',
      training({ minibatchSize: 81 }),
      /minibatchSize \(81\) must not exceed the rollout of 80/,
    ],
    [
      'sequences that do not divide the rollout',
      training({ recurrent: 'lstm', sequenceLength: 8 }),
      /sequenceLength \(8\) must divide rolloutLength \(20\)/,
    ],
    [
      'a minibatch that holds no whole sequences',
      training({ recurrent: 'gru', sequenceLength: 4 }),
      /minibatchSize \(40\) must be a multiple of 4 x sequenceLength \(4\)/,
    ],
    [
      'a rollout that is no whole number of sequences, four side by side',
      { ...training({ recurrent: 'gru', sequenceLength: 5 }), envRunners: { numEnvs: 5, rolloutLength: 15 } },
      /numEnvs x rolloutLength \(75\) must be a multiple of 4 x sequenceLength \(5\)/,
    ],
    [
      'recurrence with convolutions',
      training({ recurrent: 'lstm', sequenceLength: 5, network: 'conv' }),
      /recurrent \(lstm\) stands before the layers of an MLP, but network is conv/,
    ],
    [
      'recurrence on TensorFlow',
      { ...training({ recurrent: 'lstm', sequenceLength: 5 }), learners: { engine: 'tensorflow' } },
      /recurrent \(lstm\) learns on the simd engine in pqn/,
    ],
    [
      'recurrence with central inference',
      { ...training({ recurrent: 'lstm', sequenceLength: 5 }), envRunners: { inference: 'central' } },
      /recurrent \(lstm\) acts in the workers/,
    ],
    [
      'a length of sequences without recurrence',
      training({ sequenceLength: 5 }),
      /sequenceLength \(5\) has no effect while recurrent/,
    ],
    ['a network that the kernels do not cover', training({ network: 'conv' }), /needs the TensorFlow engine/],
  ],
  learns: {
    values: {
      envRunners: { numEnvRunners: 0, numEnvs: 8, rolloutLength: 32 },
      training: {
        gamma: 0,
        numEpochs: 4,
        minibatchSize: 64,
        hiddenSizes: [32],
        learningRate: 3e-3,
        epsilon: 0.2,
      },
      learners: { engine: 'simd' },
    },
    numIterations: 10,
    returnAtLeast: 8,
  },
};
