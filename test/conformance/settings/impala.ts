/** IMPALA under the conformance suite. */
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
import type { Settings } from '../subject.ts';

export const settings: Settings = {
  actions: 'discrete',
  values: onPolicyValues(6, {
    fragmentsPerIteration: 4,
    lag: 2,
    curiosity: 'rnd',
    curiosityHiddenSizes: [8],
    curiosityFeatures: 6,
    curiosityShare: 0.5,
  }),
  plain: onPolicyPlain(10, { fragmentsPerIteration: 4 }),
  trials: {
    ...onPolicyTrials(10),
    ...actorLearnerTrials,
    ...rmspropTrials,
    'training.normalizeAdvantages': { change: { training: { normalizeAdvantages: true } } },
    ...curiosityTrials('rnd', 'icm'),
    ...recurrentTrials(5),
    ...burnInTrials(5),
  },
  neutral: onPolicyNeutral,
  testedElsewhere: { ...actorLearnerElsewhere, ...agentsElsewhere },
  refused: [
    ...recurrentRefused(10),
    ...burnInRefused(10),
    [
      'a burn-in by the weights that collected',
      {
        envRunners: { rolloutLength: 10 },
        training: { recurrent: 'lstm', sequenceLength: 5, burnIn: 2, lag: 0 },
      },
      /burnIn \(2\) has no effect while lag is 0/,
    ],
    ...rmspropRefused,
    ...actorLearnerRefused,
  ],
  pictures: /workers act while it learns/,
  learns: onPolicyLearns(8, { learningRate: 5e-3 }, 20),
};
