/** PPO under the conformance suite. */
import {
  agentsElsewhere,
  curiosityTrials,
  gsdeBase,
  onPolicyLearns,
  onPolicyNeutral,
  onPolicyPlain,
  onPolicyTrials,
  onPolicyValues,
  synchronousElsewhere,
  synchronousRefused,
} from '../on-policy-trials.ts';
import {
  attentionRefused,
  attentionTrials,
  burnInRefused,
  burnInTrials,
  recurrentRefused,
  recurrentTrials,
} from '../recurrent-trials.ts';
import type { Settings, Values } from '../subject.ts';

const training = (options: Values[string]): Values => ({ training: options });

export const settings: Settings = {
  actions: 'discrete',
  values: onPolicyValues(24, {
    numEpochs: 2,
    minibatchSize: 60,
    klPenaltyCoeff: 0.1,
    klPenaltyTarget: 0.01,
    curiosity: 'rnd',
    curiosityHiddenSizes: [8],
    curiosityFeatures: 6,
    curiosityShare: 0.5,
  }),
  plain: onPolicyPlain(40, { numEpochs: 3, minibatchSize: 40 }),
  trials: {
    ...onPolicyTrials(40),
    'training.gaeLambda': { change: training({ gaeLambda: 0.5 }) },
    'training.clipRange': { change: training({ clipRange: 1e-4 }) },
    'training.valueClipRange': { change: training({ valueClipRange: 1e-4 }) },
    'training.valueErrorBound': { change: training({ valueErrorBound: 0.05 }) },
    'training.valueLoss': { change: training({ valueLoss: 'huber' }) },
    'training.numEpochs': { change: training({ numEpochs: 4 }) },
    'training.minibatchSize': { change: training({ minibatchSize: 20 }) },
    'training.normalizeAdvantages': { change: training({ normalizeAdvantages: false }) },
    'training.targetKl': { change: training({ targetKl: 1e-9 }) },
    'training.klPenaltyCoeff': { change: training({ klPenaltyCoeff: 5 }) },
    'training.klPenaltyTarget': {
      base: training({ klPenaltyCoeff: 5 }),
      change: training({ klPenaltyTarget: 0.5 }),
    },
    ...curiosityTrials('rnd', 'icm'),
    ...recurrentTrials(10),
    ...burnInTrials(10),
    ...attentionTrials(10),
    'training.recomputeStates': {
      base: training({ recurrent: 'lstm', recurrentSize: 8, sequenceLength: 10 }),
      change: training({ recomputeStates: true }),
    },
  },
  neutral: {
    'training.targetKl, never reached': { change: training({ targetKl: 100 }) },
    ...onPolicyNeutral,
  },
  testedElsewhere: {
    ...synchronousElsewhere,
    ...agentsElsewhere,
  },
  refused: [
    ...recurrentRefused(40),
    ...burnInRefused(40),
    ...attentionRefused,
    ...synchronousRefused,
    [
      'states computed anew between epochs, of which there is one',
      training({ recurrent: 'lstm', sequenceLength: 10, recomputeStates: true, numEpochs: 1 }),
      /recomputeStates has no effect while numEpochs is 1/,
    ],
    [
      'a burn-in by the weights that collected',
      training({ recurrent: 'lstm', sequenceLength: 10, burnIn: 2, numEpochs: 1, minibatchSize: 160 }),
      /burnIn \(2\) has no effect while numEpochs is 1/,
    ],
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
      { ...gsdeBase, ...training({ useGsde: true, gsdeSampleFrequency: 0 }) },
      /must be -1/,
    ],
    [
      'minibatches that cannot hold whole sequences',
      training({ recurrent: 'lstm', sequenceLength: 8, minibatchSize: 20 }),
      /minibatchSize \(20\) must be a multiple of sequenceLength \(8\)/,
    ],
    [
      'an option without effect',
      training({ orthogonalInit: false, hiddenGain: 2 }),
      /hiddenGain \(2\) has no effect while orthogonalInit is false/,
    ],
  ],
  learns: onPolicyLearns(32, { learningRate: 3e-3, gaeLambda: 0, numEpochs: 8, minibatchSize: 128 }, 20),
};
