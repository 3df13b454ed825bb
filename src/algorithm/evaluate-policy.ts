/** A trained policy in an environment of one's choice: a harder variant, or the one it was trained in when that has moved. */
import type { EnvSource } from '../env/env-source.ts';
import { makeVectorEnv } from '../env/load-env.ts';
import { playAsync } from '../rollout/play-episodes.ts';
import type { EvaluateOptions, EvaluationResult } from './algorithm.ts';
import { requireSameSpaces } from './environment-source.ts';
import { summarizePlayed } from './evaluation.ts';
import { openPolicyActor } from './load-policy.ts';

export interface EvaluatePolicyOptions
  extends Required<Omit<EvaluateOptions, 'maxEpisodeSteps' | 'signal' | 'policyFor'>> {
  /** Steps after which an episode is cut, and counted as it stands. */
  readonly maxEpisodeSteps?: number;
  /** Where it plays; its spaces are the policy's. */
  readonly source: EnvSource;
  /** Environments side by side, at most. */
  readonly numEnvs: number;
  /** Load the module of a network of somebody's own that the checkpoint names. */
  readonly trust: boolean;
}

/**
 * Whole episodes, seeded as those of `algorithm.evaluate`: in the same environment it gives the same returns. Nothing of the run but its
 * policy is loaded. Thread: main.
 *
 * @throws CheckpointError as `loadPolicy`; ConfigError `CONFIG_EVALUATION_ENV` for other spaces; EnvError.
 */
export async function evaluatePolicy(
  path: string,
  options: EvaluatePolicyOptions,
): Promise<EvaluationResult> {
  const { source, numEpisodes, deterministic, seed, numEnvs, trust, maxEpisodeSteps = 100_000 } = options;
  const { spec, createActor, observationSpace, actionSpace } = await openPolicyActor(path, { trust });
  const vectorEnv = await makeVectorEnv(source, Math.min(numEnvs, numEpisodes));
  try {
    requireSameSpaces(source.id, vectorEnv, { observationSpace, actionSpace });
    const episodes = Array.from({ length: numEpisodes }, (_, k) => k);
    const request = { episodes, deterministic, seed, numEnvs, maxEpisodeSteps };
    const actor = createActor(vectorEnv.numRows);
    return summarizePlayed(await playAsync({ vectorEnv, actor, spec, request }));
  } finally {
    vectorEnv.close?.();
  }
}
