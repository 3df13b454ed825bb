/** TQC under the conformance suite. */
import {
  continuousControlTrials,
  convElsewhere,
  offPolicyNeutral,
  offPolicyPlain,
  offPolicyRefused,
} from '../off-policy-trials.ts';
import type { Settings, Values } from '../subject.ts';
import { gsdeTrials, temperatureTrials } from './sac.ts';

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
      policyDelay: 2,
      lag: 1,
      useGsde: true,
      gsdeSampleFrequency: 5,
      actorLearningRate: { schedule: 'linear', from: 1e-3, to: 1e-5 },
      scheduleSteps: 3000,
    },
    learners: { engine: 'simd' },
    evaluation: { evaluationInterval: 3, evaluationEpisodes: 2 },
    debugging: { seed: 21 },
  },
  plain: offPolicyPlain,
  trials: {
    ...continuousControlTrials,
    ...temperatureTrials,
    ...gsdeTrials,
    'training.numQuantiles': { change: training({ numQuantiles: 11 }) },
    'training.numDroppedQuantiles': { change: training({ numDroppedQuantiles: 5 }) },
  },
  neutral: offPolicyNeutral,
  testedElsewhere: convElsewhere,
  refused: [
    ...offPolicyRefused,
    [
      'a choice among actions',
      { environment: { env: 'CartPole-v1', envOptions: {} } },
      /tqc is for continuous actions \(Box\).*Use dqn/,
    ],
    [
      'nothing left of a critic',
      training({ numQuantiles: 5, numDroppedQuantiles: 5 }),
      /numDroppedQuantiles \(5\) must be below numQuantiles \(5\)/,
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
