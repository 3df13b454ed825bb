/** Wrappers: an environment in, a changed one out. `frameStackObservation(grayscaleObservation(env), 4)` reads from the inside out. */
export { clipAction, discretizeAction, rescaleAction, stickyAction, transformAction } from './actions.ts';
export type { NumBins } from './bins.ts';
export { grayscaleObservation, resizeObservation } from './images.ts';
export type { WrapperEntry } from './listed-wrappers.ts';
export { delayObservation, frameStackObservation, timeAwareObservation } from './memory.ts';
export { type NormalizedVectorEnv, normalizeObservation, normalizeReward } from './normalize.ts';
export {
  discretizeObservation,
  dtypeObservation,
  filterObservation,
  flattenObservation,
  rescaleObservation,
  reshapeObservation,
  transformObservation,
} from './observations.ts';
export { autoreset, orderEnforcing, passiveEnvChecker } from './order.ts';
export { type RecordedEnv, type RecordVideoOptions, recordVideo } from './record-video.ts';
export { maxAndSkipObservation, repeatAction } from './repetition.ts';
export { clipReward, transformReward } from './rewards.ts';
export { seededMathRandom } from './seeded-math-random.ts';
export { recordEpisodeStatistics, timeLimit } from './time.ts';
