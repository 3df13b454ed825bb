/** What the learning table has beside tuned settings: DQN's CartPole with each option, alone or as one more, and Rainbow. */
import type { JsonObject } from '../../src/json.ts';

export interface Variant {
  readonly algorithm: string;
  readonly env: string;
  readonly name: string;
  /** Over the tuned settings, which are double, five-step and prioritised. */
  readonly training: JsonObject;
}

const ALONE = { double: false, nStep: 1, prioritised: false };
const RANGE = { minReturn: 0, maxReturn: 100 };

const dqn = (name: string, training: JsonObject): Variant => ({
  ...{ algorithm: 'dqn', env: 'CartPole-v1', name, training },
});

export const VARIANTS: readonly Variant[] = [
  dqn('no option', ALONE),
  dqn('double alone', { ...ALONE, double: true }),
  dqn('five steps alone', { ...ALONE, nStep: 5 }),
  dqn('priorities alone', { ...ALONE, prioritised: true }),
  dqn('dueling', { dueling: true }),
  dqn('noisy', { noisy: true }),
  dqn('C51', { distribution: 'c51', ...RANGE }),
  dqn('quantiles', { distribution: 'quantiles' }),
  dqn('rainbow', { rainbow: true, ...RANGE }),
];
