/** IMPALA under the conformance suite. */
import { recurrentRefused, recurrentTrials } from '../recurrent-trials.ts';
import type { Settings, Values } from '../subject.ts';

const pendulum: Values = { environment: { env: 'Pendulum-v1', envOptions: {} } };
const gsde: Values = { ...pendulum, training: { useGsde: true, gsdeSampleFrequency: 4 } };
const training = (options: Values[string]): Values => ({ training: options });

export const settings: Settings = {
  actions: 'discrete',
  values: {
    envRunners: {
      numEnvRunners: 0,
      numEnvs: 7,
      rolloutLength: 6,
      normalizeObservations: true,
      normalizeRewards: true,
    },
    training: {
      hiddenSizes: [16, 16],
      fragmentsPerIteration: 4,
      lag: 2,
      entropyCoeff: 0.01,
      learningRate: { schedule: 'linear', from: 1e-3, to: 1e-5 },
      scheduleSteps: 3000,
    },
    learners: { engine: 'simd' },
    evaluation: { evaluationInterval: 3, evaluationEpisodes: 2 },
    debugging: { seed: 21 },
  },
  plain: {
    envRunners: { numEnvRunners: 0, numEnvs: 4, rolloutLength: 10 },
    training: { hiddenSizes: [16], fragmentsPerIteration: 4 },
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
    'training.lag': { change: training({ lag: 3 }) },
    'training.fragmentsPerIteration': { change: training({ fragmentsPerIteration: 5 }) },
    'training.vtraceLambda': { change: training({ vtraceLambda: 0.5 }) },
    'training.rhoClip': { change: training({ rhoClip: 0.9 }) },
    'training.traceClip': { change: training({ traceClip: 0.9 }) },
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
    'training.network': 'test/conformance/pictures.test.ts',
    'training.networkOptions': 'test/conformance/pictures.test.ts',
    'training.convLayers': 'test/conformance/pictures.test.ts',
    'training.maxPolicyLag': 'test/algorithm/free-fragments.test.ts',
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
    ['a network that workers cannot run', training({ network: 'conv' }), /workers act while it learns/],
    ['a lag beyond its bound', training({ lag: 17 }), /`lag`.*16.*17/],
    [
      'a lag that no fragment has',
      training({ lag: 4 }),
      /lag \(4\) must be below fragmentsPerIteration \(4\)/,
    ],
    ['free workers where there are none', training({ lag: 'free' }), /lag 'free' needs rollout workers/],
    [
      'free workers that differ',
      { ...training({ lag: 'free' }), envRunners: { numEnvRunners: 3 } },
      /numEnvs \(4\) is no multiple of numEnvRunners \(3\)/,
    ],
    [
      'the bound of a free lag without one',
      training({ maxPolicyLag: 5 }),
      /maxPolicyLag \(5\) has no effect while lag is 1/,
    ],
  ],
  pictures: /workers act while it learns/,
  learns: {
    values: {
      envRunners: { numEnvRunners: 0, numEnvs: 16, rolloutLength: 8 },
      training: { learningRate: 5e-3, gamma: 0, hiddenSizes: [32] },
      learners: { engine: 'simd' },
    },
    numIterations: 20,
    returnAtLeast: 8,
  },
};
