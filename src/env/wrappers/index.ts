/** Wrappers: an environment in, a changed one out. `frameStack(grayscale(env), 4)` reads from the inside out. */
export { clipAction, rescaleAction, stickyAction } from './actions.ts';
export { grayscale, resize } from './images.ts';
export { type NormalizedVectorEnv, normalizeObservation, normalizeReward } from './normalize.ts';
export { flattenObservations, frameStack, transformObservation } from './observations.ts';
export { type RecordedEnv, type RecordVideoOptions, recordVideo } from './record-video.ts';
export { maxAndSkip, repeatAction } from './repetition.ts';
export { clipReward, transformReward } from './rewards.ts';
export { seededMathRandom } from './seeded-math-random.ts';
export { recordEpisodeStatistics, timeAware, timeLimit } from './time.ts';
