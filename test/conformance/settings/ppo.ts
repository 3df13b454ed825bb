/** PPO under the conformance suite. */
import { recurrentRefused, recurrentTrials } from '../recurrent-trials.ts';
import type { Settings, Values } from '../subject.ts';

const pendulum: Values = { environment: { env: 'Pendulum-v1', envOptions: {} } };
const gsde: Values = { ...pendulum, training: { useGsde: true, gsdeSampleFrequency: 4 } };
const training = (options: Values[string]): Values => ({ training: options });
const rnd = training({ curiosity: 'rnd', curiosityHiddenSizes: [8], curiosityFeatures: 6 });

export const settings: Settings = {
  actions: 'discrete',
  values: {
    envRunners: {
      numEnvRunners: 0,
      numEnvs: 7,
      rolloutLength: 24,
      normalizeObservations: true,
      normalizeRewards: true,
    },
    training: {
      numEpochs: 2,
      minibatchSize: 60,
      hiddenSizes: [16, 16],
      entropyCoeff: 0.01,
      learningRate: { schedule: 'linear', from: 1e-3, to: 1e-5 },
      scheduleSteps: 3000,
      klPenaltyCoeff: 0.1,
      klPenaltyTarget: 0.01,
      curiosity: 'rnd',
      curiosityHiddenSizes: [8],
      curiosityFeatures: 6,
      curiosityShare: 0.5,
    },
    learners: { engine: 'simd' },
    evaluation: { evaluationInterval: 3, evaluationEpisodes: 2 },
    debugging: { seed: 21 },
  },
  plain: {
    envRunners: { numEnvRunners: 0, numEnvs: 4, rolloutLength: 40 },
    training: { numEpochs: 3, minibatchSize: 40, hiddenSizes: [16] },
    learners: { engine: 'simd' },
  },
  trials: {
    'envRunners.rolloutLength': { change: { envRunners: { rolloutLength: 41 } } },
    'envRunners.normalizeRewards': { change: { envRunners: { normalizeRewards: true } } },
    'envRunners.clipReward': {
      base: { envRunners: { normalizeRewards: true } },
      change: { envRunners: { clipReward: 0.01 } },
    },
    'training.learningRate': { change: training({ learningRate: 1e-3 }) },
    'training.gamma': { change: training({ gamma: 0.9 }) },
    'training.gaeLambda': { change: training({ gaeLambda: 0.5 }) },
    'training.clipRange': { change: training({ clipRange: 1e-4 }) },
    'training.valueClipRange': { change: training({ valueClipRange: 1e-4 }) },
    'training.valueErrorBound': { change: training({ valueErrorBound: 0.05 }) },
    'training.valueLoss': { change: training({ valueLoss: 'huber' }) },
    'training.valueCoeff': { change: training({ valueCoeff: 0.1 }) },
    'training.entropyCoeff': { change: training({ entropyCoeff: 0.1 }) },
    'training.numEpochs': { change: training({ numEpochs: 4 }) },
    'training.minibatchSize': { change: training({ minibatchSize: 20 }) },
    'training.normalizeAdvantages': { change: training({ normalizeAdvantages: false }) },
    'training.maxGradNorm': { change: training({ maxGradNorm: 0.01 }) },
    'training.targetKl': { change: training({ targetKl: 1e-9 }) },
    'training.klPenaltyCoeff': { change: training({ klPenaltyCoeff: 5 }) },
    'training.klPenaltyTarget': {
      base: training({ klPenaltyCoeff: 5 }),
      change: training({ klPenaltyTarget: 0.5 }),
    },
    'training.adamBeta1': { change: training({ adamBeta1: 0.5 }) },
    'training.adamBeta2': { change: training({ adamBeta2: 0.9 }) },
    'training.adamEpsilon': { change: training({ adamEpsilon: 0.1 }) },
    'training.scheduleSteps': {
      base: training({ learningRate: { schedule: 'linear', from: 1e-3, to: 0 }, scheduleSteps: 1000 }),
      change: training({ scheduleSteps: 2000 }),
    },
    'training.hiddenSizes': { change: training({ hiddenSizes: [16, 8] }) },
    'training.activation': { change: training({ activation: 'relu' }) },
    'training.sharedLayers': { change: training({ sharedLayers: true }) },
    'training.orthogonalInit': { change: training({ orthogonalInit: false }) },
    'training.hiddenGain': { change: training({ hiddenGain: 1 }) },
    'training.policyGain': { change: training({ policyGain: 1 }) },
    'training.valueGain': { change: training({ valueGain: 0.1 }) },
    'training.logStdInit': { base: pendulum, change: training({ logStdInit: -1 }) },
    'training.squashActions': { base: pendulum, change: training({ squashActions: true }) },
    'training.useGsde': { base: pendulum, change: training({ useGsde: true }) },
    'training.curiosity': { base: rnd, change: training({ curiosity: 'icm' }) },
    'training.curiosityCoeff': { base: rnd, change: training({ curiosityCoeff: 2 }) },
    'training.curiosityGamma': { base: rnd, change: training({ curiosityGamma: 0.5 }) },
    'training.curiosityLearningRate': { base: rnd, change: training({ curiosityLearningRate: 0.01 }) },
    'training.curiosityHiddenSizes': { base: rnd, change: training({ curiosityHiddenSizes: [9] }) },
    'training.curiosityFeatures': { base: rnd, change: training({ curiosityFeatures: 7 }) },
    'training.curiosityShare': { base: rnd, change: training({ curiosityShare: 0.3 }) },
    'training.gsdeSampleFrequency': { base: gsde, change: training({ gsdeSampleFrequency: 8 }) },
    ...recurrentTrials(10),
  },
  neutral: {
    'training.targetKl, never reached': { change: training({ targetKl: 100 }) },
    'training.maxGradNorm, never reached': {
      base: training({ maxGradNorm: 1e9 }),
      change: training({ maxGradNorm: null }),
    },
  },
  testedElsewhere: {
    'multiAgent.policies': 'test/algorithm/agents',
    'multiAgent.policyFor': 'test/algorithm/agents',
    'multiAgent.policiesToTrain': 'test/algorithm/agents',
    'multiAgent.discountBy': 'test/algorithm/agents',
    'training.network': 'test/policy/conv-network.test.ts',
    'training.networkOptions': 'test/policy/conv-network.test.ts',
    'training.convLayers': 'test/policy/conv-network.test.ts',
  },
  refused: [
    ...recurrentRefused(40),
    [
      'minibatches larger than the rollout',
      training({ minibatchSize: 161 }),
      /minibatchSize \(161\).*160 samples/,
    ],
    [
      'a linear schedule without an end',
      training({ clipRange: { schedule: 'linear', from: 1, to: 0 } }),
      /clipRange is a linear schedule.*scheduleSteps/,
    ],
    ['a penalty to adapt that is not there', training({ klPenaltyTarget: 0.1 }), /klPenaltyCoeff is 0/],
    [
      'counts of observations that are no choices',
      training({ curiosity: 'count' }),
      /curiosity \(count\) counts discrete observations.*got Box/,
    ],
    [
      'a weight of curiosity without any',
      training({ curiosityCoeff: 1 }),
      /curiosityCoeff \(1\) has no effect while curiosity is null/,
    ],
    [
      'features where visits are counted',
      training({ curiosity: 'count', curiosityFeatures: 8 }),
      /curiosityFeatures \(8\) has no effect while curiosity is count/,
    ],
    [
      'gSDE that never draws',
      { ...gsde, ...training({ useGsde: true, gsdeSampleFrequency: 0 }) },
      /must be -1/,
    ],
    [
      'minibatches that cannot hold whole sequences',
      training({ recurrent: 'lstm', sequenceLength: 8, minibatchSize: 20 }),
      /minibatchSize \(20\) must be a multiple of sequenceLength \(8\)/,
    ],
    ['gSDE for discrete actions', training({ useGsde: true }), /useGsde is for continuous actions/],
    ['a network that the kernels do not cover', training({ network: 'conv' }), /needs the TensorFlow engine/],
    [
      'an option without effect',
      training({ orthogonalInit: false, hiddenGain: 2 }),
      /hiddenGain \(2\) has no effect while orthogonalInit is false/,
    ],
  ],
  learns: {
    values: {
      envRunners: { numEnvRunners: 0, numEnvs: 16, rolloutLength: 32 },
      training: {
        learningRate: 3e-3,
        gamma: 0,
        gaeLambda: 0,
        numEpochs: 8,
        minibatchSize: 128,
        hiddenSizes: [32],
      },
      learners: { engine: 'simd' },
    },
    numIterations: 20,
    returnAtLeast: 8,
  },
};
