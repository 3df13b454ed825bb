/** TD3 under the conformance suite. */
import {
  continuousControlTrials,
  convElsewhere,
  offPolicyNeutral,
  offPolicyPlain,
  offPolicyRefused,
} from '../off-policy-trials.ts';
import type { Settings, Values } from '../subject.ts';

const training = (options: Values[string]): Values => ({ training: options });

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
      lag: 1,
      noiseProcess: 'ornstein-uhlenbeck',
      explorationNoise: { schedule: 'linear', from: 0.5, to: 0.1 },
      scheduleSteps: 3000,
    },
    learners: { engine: 'simd' },
    evaluation: { evaluationInterval: 3, evaluationEpisodes: 2 },
    debugging: { seed: 21 },
  },
  plain: offPolicyPlain,
  trials: {
    ...continuousControlTrials,
    'training.explorationNoise': { change: training({ explorationNoise: 0.5 }) },
    'training.noiseProcess': { change: training({ noiseProcess: 'ornstein-uhlenbeck' }) },
    'training.targetNoise': { change: training({ targetNoise: 0 }) },
    'training.targetNoiseClip': { change: training({ targetNoiseClip: 0.01 }) },
  },
  neutral: offPolicyNeutral,
  testedElsewhere: convElsewhere,
  refused: [
    ...offPolicyRefused,
    [
      'a choice among actions',
      { environment: { env: 'CartPole-v1', envOptions: {} } },
      /td3 is for continuous actions \(Box\).*Use dqn/,
    ],
  ],
  learns: {
    values: {
      envRunners: { numEnvRunners: 0 },
      training: {
        learningStarts: 200,
        batchSize: 64,
        gamma: 0,
        stepsPerIteration: 200,
        hiddenSizes: [32],
        actorLearningRate: 3e-3,
        criticLearningRate: 3e-3,
      },
      learners: { engine: 'simd' },
    },
    numIterations: 12,
    returnAtLeast: -0.6,
  },
};
