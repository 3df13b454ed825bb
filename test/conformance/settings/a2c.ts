/** A2C under the conformance suite. */
import { recurrentRefused, recurrentTrials } from '../recurrent-trials.ts';
import type { Settings, Values } from '../subject.ts';

const pendulum: Values = { environment: { env: 'Pendulum-v1', envOptions: {} } };
const gsde: Values = { ...pendulum, training: { useGsde: true, gsdeSampleFrequency: 4 } };
const training = (options: Values[string]): Values => ({ training: options });
const icm = training({ curiosity: 'icm', curiosityHiddenSizes: [8], curiosityFeatures: 6 });

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
      hiddenSizes: [16, 16],
      entropyCoeff: 0.01,
      learningRate: { schedule: 'linear', from: 1e-3, to: 1e-5 },
      scheduleSteps: 3000,
      curiosity: 'icm',
      curiosityHiddenSizes: [8],
      curiosityFeatures: 6,
    },
    learners: { engine: 'simd' },
    evaluation: { evaluationInterval: 3, evaluationEpisodes: 2 },
    debugging: { seed: 21 },
  },
  plain: {
    envRunners: { numEnvRunners: 0, numEnvs: 4, rolloutLength: 10 },
    training: { hiddenSizes: [16] },
    learners: { engine: 'simd' },
  },
  trials: {
    'envRunners.rolloutLength': { change: { envRunners: { rolloutLength: 11 } } },
    'envRunners.normalizeRewards': { change: { envRunners: { normalizeRewards: true } } },
    'envRunners.clipReward': {
      base: { envRunners: { normalizeRewards: true } },
      change: { envRunners: { clipReward: 0.01 } },
    },
    'training.learningRate': { change: training({ learningRate: 1e-3 }) },
    'training.gamma': { change: training({ gamma: 0.9 }) },
    'training.gaeLambda': { change: training({ gaeLambda: 0.5 }) },
    'training.valueCoeff': { change: training({ valueCoeff: 0.1 }) },
    'training.entropyCoeff': { change: training({ entropyCoeff: 0.1 }) },
    'training.normalizeAdvantages': { change: training({ normalizeAdvantages: true }) },
    'training.maxGradNorm': { change: training({ maxGradNorm: 0.01 }) },
    'training.adamBeta1': { change: training({ adamBeta1: 0.5 }) },
    'training.adamBeta2': { change: training({ adamBeta2: 0.9 }) },
    'training.adamEpsilon': { change: training({ adamEpsilon: 0.1 }) },
    'training.optimizer': { change: training({ optimizer: 'rmsprop' }) },
    'training.rmspropDecay': {
      base: training({ optimizer: 'rmsprop' }),
      change: training({ rmspropDecay: 0.9 }),
    },
    'training.rmspropEpsilon': {
      base: training({ optimizer: 'rmsprop' }),
      change: training({ rmspropEpsilon: 0.1 }),
    },
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
    'training.curiosity': { base: icm, change: training({ curiosity: 'rnd' }) },
    'training.curiosityCoeff': { base: icm, change: training({ curiosityCoeff: 2 }) },
    'training.curiosityGamma': { base: icm, change: training({ curiosityGamma: 0.5 }) },
    'training.curiosityLearningRate': { base: icm, change: training({ curiosityLearningRate: 0.01 }) },
    'training.curiosityHiddenSizes': { base: icm, change: training({ curiosityHiddenSizes: [9] }) },
    'training.curiosityFeatures': { base: icm, change: training({ curiosityFeatures: 7 }) },
    'training.curiosityShare': { base: icm, change: training({ curiosityShare: 0.3 }) },
    'training.gsdeSampleFrequency': { base: gsde, change: training({ gsdeSampleFrequency: 8 }) },
    ...recurrentTrials(5),
  },
  neutral: {
    'training.maxGradNorm, never reached': {
      base: training({ maxGradNorm: 1e9 }),
      change: training({ maxGradNorm: null }),
    },
  },
  testedElsewhere: {
    'training.network': 'test/policy/conv-network.test.ts',
    'training.networkOptions': 'test/policy/conv-network.test.ts',
    'training.convLayers': 'test/policy/conv-network.test.ts',
  },
  refused: [
    ...recurrentRefused(10),
    [
      "Adam's epsilon without Adam",
      training({ optimizer: 'rmsprop', adamEpsilon: 0.1 }),
      /adamEpsilon \(0.1\) has no effect while optimizer is rmsprop/,
    ],
    [
      'a linear schedule without an end',
      training({ entropyCoeff: { schedule: 'linear', from: 1, to: 0 } }),
      /entropyCoeff is a linear schedule.*scheduleSteps/,
    ],
    ['gSDE for discrete actions', training({ useGsde: true }), /useGsde is for continuous actions/],
    ['a network that the kernels do not cover', training({ network: 'conv' }), /needs the TensorFlow engine/],
  ],
  learns: {
    values: {
      envRunners: { numEnvRunners: 0, numEnvs: 16, rolloutLength: 8 },
      training: { learningRate: 5e-3, gamma: 0, gaeLambda: 0, hiddenSizes: [32] },
      learners: { engine: 'simd' },
    },
    numIterations: 300,
    returnAtLeast: 8,
  },
};
