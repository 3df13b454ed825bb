/** Discrete SAC under the conformance suite. */
import {
  continuousControlTrials,
  continuousSettings,
  continuousValues,
  hindsightTrials,
  offPolicyRefused,
  replayedRecurrentRefused,
} from '../off-policy-trials.ts';
import type { Settings, Values } from '../subject.ts';

const training = (options: Values[string]): Values => ({ training: options });

export const settings: Settings = {
  ...continuousSettings('sac-discrete'),
  actions: 'discrete',
  values: continuousValues({
    policyDelay: 2,
    targetEntropyScale: { schedule: 'linear', from: 0.9, to: 0.1 },
  }),
  trials: {
    ...continuousControlTrials,
    ...hindsightTrials('BitFlip-v0'),
    'training.lag': {
      base: training({ actorLearningRate: 0.05 }),
      change: training({ lag: 1 }),
    },
    'training.temperature': { change: training({ temperature: 0.3 }) },
    'training.initialTemperature': { change: training({ initialTemperature: 0.1 }) },
    'training.temperatureLearningRate': { change: training({ temperatureLearningRate: 0.1 }) },
    'training.targetEntropyScale': { change: training({ targetEntropyScale: 0.9 }) },
  },
  refused: [
    ...offPolicyRefused,
    ...replayedRecurrentRefused('sac-discrete'),
    [
      'continuous actions',
      { environment: { env: 'Pendulum-v1', envOptions: {} } },
      /sac-discrete is for one choice among actions \(Discrete\).*Use sac, td3 or tqc/,
    ],
    [
      'an option without effect',
      training({ temperature: 0.2, targetEntropyScale: 0.7 }),
      /targetEntropyScale \(0.7\) has no effect while temperature is 0.2/,
    ],
    ['an option of continuous actions', training({ useGsde: true }), /Unknown option `useGsde`/],
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
    numIterations: 8,
    returnAtLeast: 8,
  },
};
