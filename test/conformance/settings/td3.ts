/** TD3 under the conformance suite. */
import {
  continuousControlTrials,
  continuousLearns,
  continuousSettings,
  continuousValues,
} from '../off-policy-trials.ts';
import type { Settings, Values } from '../subject.ts';

const training = (options: Values[string]): Values => ({ training: options });
const shared = continuousSettings('td3');

export const settings: Settings = {
  ...shared,
  values: continuousValues({
    noiseProcess: 'ornstein-uhlenbeck',
    explorationNoise: { schedule: 'linear', from: 0.5, to: 0.1 },
  }),
  trials: {
    ...continuousControlTrials,
    'training.explorationNoise': { change: training({ explorationNoise: 0.5 }) },
    'training.noiseProcess': { change: training({ noiseProcess: 'ornstein-uhlenbeck' }) },
    'training.targetNoise': { change: training({ targetNoise: 0 }) },
    'training.targetNoiseClip': { change: training({ targetNoiseClip: 0.01 }) },
  },
  neutral: {
    ...shared.neutral,
    'training.targetNoiseClip, never reached': {
      base: training({ targetNoise: 1e-3 }),
      change: training({ targetNoiseClip: 0.01 }),
    },
  },
  learns: continuousLearns(200, 12),
};
