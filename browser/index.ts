/**
 * `operant/browser`: training in a page. Nothing of Node's: bundlers for browsers take it as it is.
 *
 *     import { cartPoleVector, createPPOTraining, loadPageKernels } from 'operant/browser';
 *     import relaxed from 'operant/kernels/relaxed-unshared.wasm?url'; // Vite
 *     import strict from 'operant/kernels/strict-unshared.wasm?url';
 *
 *     const training = await createPPOTraining(cartPoleVector, await loadPageKernels({ relaxed, strict }));
 *     const { numEnvSteps, episodes } = await training.train();
 */
export { acrobot, acrobotVector } from '../envs/acrobot.ts';
export { cartPole, cartPoleVector } from '../envs/cart-pole.ts';
export { mountainCar, mountainCarVector } from '../envs/mountain-car.ts';
export { pendulum, pendulumVector } from '../envs/pendulum.ts';
export { snake, snakeVector } from '../envs/snake.ts';
export type { Env, StepResult } from '../src/env/env.ts';
export { type EnvRandom, openEnvRandom } from '../src/env/env-random.ts';
export { Box, Dict, Discrete, MultiBinary, MultiDiscrete, type Space, Tuple } from '../src/env/spaces.ts';
export type { VectorEnv } from '../src/env/vector-env.ts';
export { vectorizeEnv } from '../src/env/vectorize.ts';
export { CheckpointError, ConfigError, EngineError, EnvError, isOperantError } from '../src/errors.ts';
export { createEpisodeWindow } from '../src/metrics/episode-window.ts';
export type { ActingSpec } from '../src/policy/policy-spec.ts';
export type { EpisodeSummary } from '../src/rollout/episode-summary.ts';
export type { KernelModule } from '../src/simd/kernels.ts';
export { createPageActor, type PageActor } from './actor.ts';
export {
  checkpointOf,
  decodeCheckpoint,
  encodeCheckpoint,
  type PageCheckpoint,
} from './checkpoint.ts';
export { createDQNTraining, type PageDQNOptions } from './dqn.ts';
export { evaluatePolicy, type PageEvaluateOptions, type PageEvaluation } from './evaluate.ts';
export { type HelperWorker, type PageHelpers, serveAsHelper } from './helpers.ts';
export { type KernelUrls, loadPageKernels, type PageKernelOptions } from './kernels.ts';
export { openPageStore, type PageStore } from './page-store.ts';
export { createPPOTraining, type PagePPOOptions } from './ppo.ts';
export type {
  MakeVectorEnv,
  PageIteration,
  PageTraining,
  PageTrainingState,
  PolicyWeights,
} from './training.ts';
