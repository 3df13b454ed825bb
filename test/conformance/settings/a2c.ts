/** A2C under the conformance suite. */
import {
  agentsElsewhere,
  curiosityTrials,
  onPolicyLearns,
  onPolicyNeutral,
  onPolicyPlain,
  onPolicyTrials,
  onPolicyValues,
  rmspropRefused,
  rmspropTrials,
  synchronousElsewhere,
  synchronousRefused,
} from '../on-policy-trials.ts';
import { attentionRefused, attentionTrials, recurrentRefused, recurrentTrials } from '../recurrent-trials.ts';
import type { Settings } from '../subject.ts';

export const settings: Settings = {
  actions: 'discrete',
  values: onPolicyValues(24, { curiosity: 'icm', curiosityHiddenSizes: [8], curiosityFeatures: 6 }),
  plain: onPolicyPlain(10),
  trials: {
    ...onPolicyTrials(10),
    ...rmspropTrials,
    'training.gaeLambda': { change: { training: { gaeLambda: 0.5 } } },
    'training.normalizeAdvantages': { change: { training: { normalizeAdvantages: true } } },
    ...curiosityTrials('icm', 'rnd'),
    ...recurrentTrials(5),
    ...attentionTrials(5),
  },
  neutral: onPolicyNeutral,
  testedElsewhere: { ...synchronousElsewhere, ...agentsElsewhere },
  refused: [...recurrentRefused(10), ...attentionRefused, ...rmspropRefused, ...synchronousRefused],
  learns: onPolicyLearns(8, { learningRate: 5e-3, gaeLambda: 0 }, 300),
};
