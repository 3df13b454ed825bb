/** APPO under the conformance suite. */
import {
  actorLearnerElsewhere,
  actorLearnerRefused,
  actorLearnerTrials,
  agentsElsewhere,
  curiosityTrials,
  onPolicyLearns,
  onPolicyNeutral,
  onPolicyPlain,
  onPolicyTrials,
  onPolicyValues,
  rmspropRefused,
  rmspropTrials,
} from '../on-policy-trials.ts';
import { burnInRefused, burnInTrials, recurrentRefused, recurrentTrials } from '../recurrent-trials.ts';
import type { Settings, Values } from '../subject.ts';

const training = (options: Values[string]): Values => ({ training: options });

export const settings: Settings = {
  actions: 'discrete',
  values: onPolicyValues(6, {
    fragmentsPerIteration: 4,
    lag: 2,
    minibatchSize: 20,
    curiosity: 'rnd',
    curiosityHiddenSizes: [8],
    curiosityFeatures: 6,
    curiosityShare: 0.5,
  }),
  plain: onPolicyPlain(10, { fragmentsPerIteration: 4, minibatchSize: 20 }),
  trials: {
    ...onPolicyTrials(10),
    ...actorLearnerTrials,
    ...rmspropTrials,
    ...curiosityTrials('rnd', 'icm'),
    'training.clipRange': { change: training({ clipRange: 1e-4 }) },
    'training.targetUpdateInterval': { change: training({ targetUpdateInterval: 1 }) },
    'training.circularBufferSize': { change: training({ circularBufferSize: 2 }) },
    'training.numPasses': { change: training({ numPasses: 3 }) },
    'training.minibatchSize': { change: training({ minibatchSize: 40 }) },
    'training.normalizeAdvantages': { change: training({ normalizeAdvantages: false }) },
    ...recurrentTrials(5),
    ...burnInTrials(5),
  },
  neutral: onPolicyNeutral,
  testedElsewhere: { ...actorLearnerElsewhere, ...agentsElsewhere },
  refused: [
    ...recurrentRefused(10),
    ...burnInRefused(10),
    ...rmspropRefused,
    ...actorLearnerRefused,
    [
      'a buffer that is never full',
      training({ circularBufferSize: 5 }),
      /circularBufferSize \(5\) must not exceed/,
    ],
    [
      'a buffer that nothing is drawn from',
      training({ circularBufferSize: 3, numPasses: 1 }),
      /has no effect while numPasses is 1/,
    ],
  ],
  pictures: /workers act while it learns/,
  learns: onPolicyLearns(8, { learningRate: 5e-3, minibatchSize: 64 }, 20),
};
