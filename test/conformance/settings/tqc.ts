/** TQC under the conformance suite. */
import {
  continuousControlTrials,
  continuousLearns,
  continuousSettings,
  continuousValues,
  entropyRefused,
  entropyTrials,
} from '../off-policy-trials.ts';
import type { Settings, Values } from '../subject.ts';

const training = (options: Values[string]): Values => ({ training: options });
const shared = continuousSettings('tqc');

export const settings: Settings = {
  ...shared,
  values: continuousValues({ policyDelay: 2, useGsde: true, gsdeSampleFrequency: 5 }),
  trials: {
    ...continuousControlTrials,
    ...entropyTrials,
    'training.numQuantiles': { change: training({ numQuantiles: 11 }) },
    'training.numDroppedQuantiles': { change: training({ numDroppedQuantiles: 5 }) },
  },
  refused: [
    ...shared.refused,
    ...entropyRefused,
    [
      'nothing left of a critic',
      training({ numQuantiles: 5, numDroppedQuantiles: 5 }),
      /numDroppedQuantiles \(5\) must be below numQuantiles \(5\)/,
    ],
  ],
  learns: continuousLearns(100, 10),
};
