/** A space of every kind of option with a loss that is known, for comparing searchers; optuna_studies.py has the same. */
import {
  choice,
  int,
  logInt,
  logUniform,
  type Space,
  type TrialValues,
  uniform,
} from '../../src/config/search-space.ts';

export const MIXED_SPACE: Space = {
  learningRate: logUniform(1e-5, 1e-1),
  entropyCoeff: logUniform(1e-8, 1e-1),
  tau: logUniform(1e-3, 1),
  gamma: uniform(0.8, 1),
  clipRange: uniform(0.05, 0.5),
  numEpochs: int(1, 30),
  rolloutLength: logInt(16, 4096),
  activation: choice(['relu', 'tanh', 'elu']),
  width: choice([32, 64, 128, 256]),
};
const ACTIVATION: Readonly<Record<string, number>> = { relu: 0.3, tanh: 0, elu: 0.15 };
const WIDTH: Readonly<Record<string, number>> = { 32: 0.4, 64: 0.1, 128: 0, 256: 0.2 };

/** 0 at the best, one interaction among its squares. */
export function mixedLoss(values: TrialValues): number {
  const number = (name: string) => values[name] as number;
  const rate = Math.log10(number('learningRate')) + 3.5;
  const entropy = Math.log10(number('entropyCoeff')) + 4;
  const tau = Math.log10(number('tau')) + 2;
  const gamma = 10 * (number('gamma') - 0.97);
  const clip = 5 * (number('clipRange') - 0.2);
  const epochs = (number('numEpochs') - 10) / 10;
  const steps = Math.log2(number('rolloutLength')) - 9;
  const squares =
    0.5 * rate ** 2 +
    0.1 * entropy ** 2 +
    0.5 * tau ** 2 +
    gamma ** 2 +
    clip ** 2 +
    epochs ** 2 +
    0.05 * steps ** 2;
  const choices = ACTIVATION[String(values.activation)] + WIDTH[String(values.width)];
  return squares + 0.5 * (rate + epochs) ** 2 + choices;
}
