/** SAC under the conformance suite. */
import {
  continuousControlTrials,
  convElsewhere,
  offPolicyNeutral,
  offPolicyPlain,
  offPolicyRefused,
} from '../off-policy-trials.ts';
import type { Settings, Trial, Values } from '../subject.ts';

const training = (options: Values[string]): Values => ({ training: options });

export const temperatureTrials: Readonly<Record<string, Trial>> = {
  'training.temperature': { change: training({ temperature: 0.3 }) },
  'training.initialTemperature': { change: training({ initialTemperature: 0.1 }) },
  'training.temperatureLearningRate': { change: training({ temperatureLearningRate: 0.1 }) },
  'training.targetEntropy': { change: training({ targetEntropy: 3 }) },
};

const gsde = training({ useGsde: true, gsdeSampleFrequency: 5 });
export const gsdeTrials: Readonly<Record<string, Trial>> = {
  'training.useGsde': { change: training({ useGsde: true }) },
  'training.gsdeSampleFrequency': { base: gsde, change: training({ gsdeSampleFrequency: 2 }) },
  'training.logStdInit': { base: gsde, change: training({ logStdInit: -1 }) },
};

export const settings: Settings = {
  actions: 'continuous',
  values: {
    envRunners: { numEnvRunners: 0, numEnvs: 5, normalizeObservations: true },
    training: {
      learningStarts: 60,
      trainEvery: 3,
      batchSize: 20,
      updatesPerStep: 0.4,
      stepsPerIteration: 60,
      replayCapacity: 170,
      nStep: 2,
      hiddenSizes: [16, 16],
      policyDelay: 2,
      lag: 1,
      actorLearningRate: { schedule: 'linear', from: 1e-3, to: 1e-5 },
      scheduleSteps: 3000,
    },
    learners: { engine: 'simd' },
    evaluation: { evaluationInterval: 3, evaluationEpisodes: 2 },
    debugging: { seed: 21 },
  },
  plain: offPolicyPlain,
  trials: { ...continuousControlTrials, ...temperatureTrials, ...gsdeTrials },
  neutral: offPolicyNeutral,
  testedElsewhere: convElsewhere,
  refused: [
    ...offPolicyRefused,
    [
      'a choice among actions',
      { environment: { env: 'CartPole-v1', envOptions: {} } },
      /sac is for continuous actions \(Box\).*Use dqn/,
    ],
    [
      'gSDE without a frequency',
      training({ useGsde: true, gsdeSampleFrequency: 0 }),
      /gsdeSampleFrequency \(0\)/,
    ],
    ['gSDE without a hidden layer', training({ useGsde: true, hiddenSizes: [] }), /hiddenSizes is empty/],
    [
      'gSDE on TensorFlow',
      { training: { useGsde: true }, learners: { engine: 'tensorflow' } },
      /learns on the simd engine alone/,
    ],
    [
      'an option without effect',
      training({ temperature: 0.2, targetEntropy: -1 }),
      /targetEntropy \(-1\) has no effect while temperature is 0.2/,
    ],
  ],
  learns: {
    values: {
      envRunners: { numEnvRunners: 0 },
      training: {
        learningStarts: 100,
        batchSize: 64,
        gamma: 0,
        stepsPerIteration: 200,
        hiddenSizes: [32],
        actorLearningRate: 3e-3,
        criticLearningRate: 3e-3,
      },
      learners: { engine: 'simd' },
    },
    numIterations: 10,
    returnAtLeast: -0.6,
  },
};
