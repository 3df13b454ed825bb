/** Whole episodes with weights that a page got of its trainer: the same episodes as an evaluation in Node plays. */
import { createKernelActor } from '../src/acting/batch-actor.ts';
import { ConfigError } from '../src/errors.ts';
import type { ActingSpec } from '../src/policy/policy-spec.ts';
import { playEpisodes } from '../src/rollout/play-episodes.ts';
import type { KernelModule } from '../src/simd/kernels.ts';
import type { MakeVectorEnv, PolicyWeights } from './training.ts';

export interface PageEvaluateOptions {
  /** @defaultValue 10 */
  readonly numEpisodes?: number;
  /** Of the episodes, whatever training's is. @defaultValue 10000 */
  readonly seed?: number;
  /** Likeliest actions; false: drawn ones. @defaultValue true */
  readonly deterministic?: boolean;
  /** Environments side by side; results do not depend on it. @defaultValue 10 */
  readonly numEnvs?: number;
  /** Steps after which an episode is cut and counted as it stands. @defaultValue 100000 */
  readonly maxEpisodeSteps?: number;
}

export interface PageEvaluation {
  readonly returnMean: number;
  readonly returns: readonly number[];
  readonly lengths: readonly number[];
  /** How many were cut. */
  readonly numCut: number;
}

/**
 * Plays episodes 0 to `numEpisodes` - 1 of `seed`.
 *
 * @param kernels of any kind; a memory of its own is made.
 * @throws ConfigError `CONFIG_RANGE` for a number of episodes, environments or steps below 1.
 * Cost: takes this thread for all of it, as `train` does.
 */
export function evaluatePolicy(
  makeVectorEnv: MakeVectorEnv,
  kernels: KernelModule,
  { spec, weights }: { readonly spec: ActingSpec; readonly weights: PolicyWeights },
  options: PageEvaluateOptions = {},
): PageEvaluation {
  const { numEpisodes = 10, seed = 10_000, deterministic = true } = options;
  const { numEnvs = 10, maxEpisodeSteps = 100_000 } = options;
  for (const [name, value] of Object.entries({ numEpisodes, numEnvs, maxEpisodeSteps })) {
    if (!(Number.isInteger(value) && value >= 1))
      throw new ConfigError(
        'CONFIG_RANGE',
        `Expected ${name} to be a whole number of at least 1, got ${value}.`,
      );
  }
  const vectorEnv = makeVectorEnv(Math.min(numEnvs, numEpisodes));
  const actor = createKernelActor(kernels, spec, weights.parameters.length, vectorEnv.numRows);
  actor.setWeights(weights.parameters, weights.statistics);
  const request = {
    episodes: Array.from({ length: numEpisodes }, (_, k) => k),
    ...{ deterministic, seed, numEnvs, maxEpisodeSteps },
  };
  const play = playEpisodes({ vectorEnv, actor, spec, request });
  try {
    for (;;) {
      const turn = play.next();
      if (turn.value instanceof Promise)
        throw new ConfigError(
          'CONFIG_ENV_ASYNC',
          'Here environments answer at once; this one is asynchronous.',
        );
      if (turn.done) {
        const { returns, lengths, numCut } = turn.value;
        const sum = returns.reduce((total, value) => total + value, 0);
        return { returnMean: sum / numEpisodes, returns, lengths, numCut };
      }
      actor.actNow(vectorEnv.numRows, deterministic);
    }
  } finally {
    vectorEnv.close?.();
  }
}
