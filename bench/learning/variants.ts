/** What the learning table has beside tuned settings: DQN's CartPole with one option more, and Rainbow. */
import type { JsonObject } from '../../src/json.ts';

export interface Variant {
  readonly algorithm: string;
  readonly env: string;
  readonly name: string;
  /** Over the tuned settings, which are double, five-step and prioritised. */
  readonly training: JsonObject;
}

const RANGE = { minReturn: 0, maxReturn: 100 };

const dqn = (name: string, training: JsonObject): Variant => ({
  ...{ algorithm: 'dqn', env: 'CartPole-v1', name, training },
});

export const VARIANTS: readonly Variant[] = [
  dqn('dueling', { dueling: true }),
  dqn('noisy', { noisy: true }),
  dqn('C51', { distribution: 'c51', ...RANGE }),
  dqn('quantiles', { distribution: 'quantiles' }),
  dqn('rainbow', { rainbow: true, ...RANGE }),
];
