/** What the learning table has beside tuned settings: DQN's CartPole with each option, alone or as one more, Rainbow, and DQN on pixels. */
import type { Env } from '../../src/index.ts';
import type { JsonObject } from '../../src/json.ts';
import { CATCH_TRAINING, catchGame } from '../../test/learning/catch-env.ts';

export interface Variant {
  readonly algorithm: string;
  readonly env: string;
  readonly name: string;
  /** Over the tuned settings, which are double, five-step and prioritised. */
  readonly training: JsonObject;
  readonly envRunners?: JsonObject;
  /** Environment steps; absent = as many as the tuned settings take. */
  readonly budget?: number;
  /** An environment that has no tuned settings: the variant has all of its own. */
  readonly own?: {
    readonly make: () => Env;
    readonly budget: number;
    readonly threshold: number;
  };
}

const ALONE = { double: false, nStep: 1, prioritised: false };
const RANGE = { minReturn: 0, maxReturn: 100 };

const dqn = (name: string, training: JsonObject, envRunners: JsonObject = {}): Variant => ({
  ...{ algorithm: 'dqn', env: 'CartPole-v1', name, training, envRunners },
});

/** A small transformer where the tuned settings have a cell: its window says how far back it looks. */
const attention = (env: string, training: JsonObject, budget: number): Variant => ({
  ...{ algorithm: 'ppo', env, name: 'attention', budget },
  training: { recurrent: 'attention', recurrentSize: 32, sharedLayers: true, forgetBias: 0, ...training },
});

/**
 * Where an option makes errors small or noisy, Adam's usual epsilon makes steps of full size out of them, and what was found is lost again; with a larger
 * one less is learnt in the same steps, which observations of equal size make up for. Chosen on seeds 100 to 102.
 */
const CALM = { adamEpsilon: 1e-4 };
const NORMALIZED = { normalizeObservations: true };

export const VARIANTS: readonly Variant[] = [
  dqn('no option', ALONE),
  dqn('double alone', { ...ALONE, double: true }),
  dqn('five steps alone', { ...ALONE, nStep: 5 }),
  dqn('priorities alone', { ...ALONE, prioritised: true }),
  dqn('dueling', { dueling: true, adamEpsilon: 1e-3 }),
  dqn('noisy', { noisy: true, ...CALM }, NORMALIZED),
  dqn('C51', { distribution: 'c51', ...RANGE }),
  dqn('quantiles', { distribution: 'quantiles', ...CALM }, NORMALIZED),
  dqn('rainbow', { rainbow: true, ...RANGE, ...CALM }, NORMALIZED),
  attention('RepeatFirst-v0', { attentionWindow: 16 }, 60_000),
  attention('TMaze-v0', { attentionWindow: 32 }, 120_000),
  {
    algorithm: 'dqn',
    env: 'Catch',
    name: 'pixels',
    own: { make: catchGame, budget: 8000, threshold: 0.9 }, // 1 is the best possible return
    training: CATCH_TRAINING,
  },
];
