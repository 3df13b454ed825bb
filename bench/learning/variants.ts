/** What the learning table has beside tuned settings: DQN on CartPole with each of its options alone, and with all of them. */
import type { JsonObject } from '../../src/json.ts';

export interface Variant {
  readonly algorithm: string;
  readonly env: string;
  readonly name: string;
  /** Over the tuned settings. */
  readonly training: JsonObject;
}

/** The tuned settings without what was added to DQN. */
const PLAIN = { double: false, prioritised: false, nStep: 1 };
const RANGE = { minReturn: 0, maxReturn: 100 };

const dqn = (name: string, training: JsonObject): Variant => ({
  ...{ algorithm: 'dqn', env: 'CartPole-v1', name, training },
});

export const VARIANTS: readonly Variant[] = [
  dqn('plain', PLAIN),
  dqn('double', { ...PLAIN, double: true }),
  dqn('dueling', { ...PLAIN, dueling: true }),
  dqn('5 steps', { ...PLAIN, nStep: 5 }),
  dqn('prioritised', { ...PLAIN, prioritised: true }),
  dqn('noisy', { ...PLAIN, noisy: true }),
  dqn('C51', { ...PLAIN, distribution: 'c51', ...RANGE }),
  dqn('quantiles', { ...PLAIN, distribution: 'quantiles' }),
  dqn('rainbow', { rainbow: true, ...RANGE }),
];
