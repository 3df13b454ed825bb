/** SAC under the conformance suite. */
import {
  continuousControlTrials,
  continuousLearns,
  continuousSettings,
  continuousValues,
  entropyRefused,
  entropyTrials,
} from '../off-policy-trials.ts';
import type { Settings } from '../subject.ts';

const shared = continuousSettings('sac');

export const settings: Settings = {
  ...shared,
  values: continuousValues({ policyDelay: 2, criticLayerNorm: true, criticDropout: 0.1 }),
  trials: { ...continuousControlTrials, ...entropyTrials },
  refused: [...shared.refused, ...entropyRefused],
  learns: continuousLearns(100, 10),
};
