/** A trained policy in an environment of one's choice: a harder variant, or the one it was trained in when that has moved. */
import { type EnvFaultPolicy, forEvaluation } from '../env/env-faults.ts';
import type { EnvSource } from '../env/env-source.ts';
import { makeVectorEnv } from '../env/load-env.ts';
import { ConfigError } from '../errors.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import { createEnvFaultLog } from '../rollout/env-fault-log.ts';
import { placeEnvError } from '../rollout/place-env-error.ts';
import { playAsync } from '../rollout/play-episodes.ts';
import type { EvaluateOptions, EvaluationResult } from './algorithm.ts';
import { requireSameSpaces } from './environment-source.ts';
import { summarizePlayed } from './evaluation.ts';
import { openPolicyActor } from './load-policy.ts';

export interface EvaluatePolicyOptions
  extends Required<Omit<EvaluateOptions, 'maxEpisodeSteps' | 'signal' | 'policyFor' | 'opponents'>> {
  /** Steps after which an episode is cut, and counted as it stands. */
  readonly maxEpisodeSteps?: number;
  /** Where it plays; its spaces are the policy's. */
  readonly source: EnvSource;
  /** Environments side by side, at most. */
  readonly numEnvs: number;
  /** Refuse a policy that has nothing to sample where it is not to be deterministic. @defaultValue false */
  readonly mustSample?: boolean;
  /** What is done about an environment that fails; default: it ends the evaluation. */
  readonly faults?: EnvFaultPolicy;
  /** Load the module of a network of somebody's own that the checkpoint names. */
  readonly trust: boolean;
}

/**
 * Whole episodes, seeded as those of `algorithm.evaluate`: in the same environment it gives the same returns. Nothing of the run but its
 * policy is loaded. Thread: main.
 *
 * @throws CheckpointError as `loadPolicy`; ConfigError `CONFIG_EVALUATION_ENV` for other spaces, `CONFIG_CONFLICT` for a sample of a policy
 * that has nothing to sample; EnvError.
 */
export async function evaluatePolicy(
  path: string,
  options: EvaluatePolicyOptions,
): Promise<EvaluationResult> {
  const {
    source,
    numEpisodes,
    deterministic,
    seed,
    numEnvs,
    trust,
    faults,
    maxEpisodeSteps = 100_000,
  } = options;
  const { spec, createActor, observationSpace, actionSpace } = await openPolicyActor(path, { trust });
  if (!deterministic && options.mustSample === true) requireStochastic(spec);
  const handling =
    faults === undefined ? undefined : forEvaluation(createEnvFaultLog(faults, source, 0).handling);
  const vectorEnv = await makeVectorEnv(source, Math.min(numEnvs, numEpisodes), 'same-step', handling);
  try {
    requireSameSpaces(source.id, vectorEnv, { observationSpace, actionSpace });
    const episodes = Array.from({ length: numEpisodes }, (_, k) => k);
    const request = { episodes, deterministic, seed, numEnvs, maxEpisodeSteps };
    const actor = createActor(vectorEnv.numRows);
    return summarizePlayed(await playAsync({ vectorEnv, actor, spec, request }));
  } catch (error) {
    throw placeEnvError(error, source, 0);
  } finally {
    vectorEnv.close?.();
  }
}

/** Of these, chance belongs to exploration in training, and the policy has none. */
const EXPLORED = ['epsilon-greedy', 'deterministic-tanh'];

function requireStochastic({ distribution: { kind } }: ActingSpec): void {
  if (!EXPLORED.includes(kind)) return;
  throw new ConfigError(
    'CONFIG_CONFLICT',
    `Expected a policy that samples its actions, got one of kind ${kind}, which explores in training only and has one best action: ` +
      'leave out --stochastic (`deterministic: false`).',
  );
}
