/** What follows from the shared options: sugar, 'auto' and the combinations that cannot be. */
import { availableParallelism } from 'node:os';
import type { commonOptions } from './common-options.ts';
import { FUNCTION_PREFIX, type ResolvedConfig } from './option.ts';
import { conflict, type Problem } from './problems.ts';

type CommonConfig = ResolvedConfig<typeof commonOptions>;

/** More rollout threads than this seldom help small environments; ask for them by number. */
const MAX_AUTO_ENV_RUNNERS = 4;

/**
 * The number of rollout worker threads: what was asked for, or min(cores, 4, numEnvs); 0 for a factory function, which cannot
 * be posted to a thread.
 */
export function numEnvRunnersOf(
  { environment, envRunners }: Pick<CommonConfig, 'environment' | 'envRunners'>,
  numCores: number = availableParallelism(),
): number {
  if (envRunners.numEnvRunners !== 'auto') return envRunners.numEnvRunners;
  if (typeof environment.env === 'function') return 0;
  return Math.min(numCores, MAX_AUTO_ENV_RUNNERS, envRunners.numEnvs);
}

/** Rewrites `numEnvsPerEnvRunner` as `numEnvs`, and a TensorFlow backend as the choice of that engine. */
export function foldCommon<C extends CommonConfig>(config: C): C {
  const { numEnvRunners, numEnvsPerEnvRunner } = config.envRunners;
  let { envRunners, learners } = config;
  if (numEnvsPerEnvRunner !== null && numEnvRunners !== 'auto') {
    const numEnvs = Math.max(1, numEnvRunners) * numEnvsPerEnvRunner;
    envRunners = { ...envRunners, numEnvs, numEnvsPerEnvRunner: null };
  }
  if (learners.backend !== 'auto' && learners.engine === 'auto')
    learners = { ...learners, engine: 'tensorflow' };
  return { ...config, envRunners, learners };
}

export function checkCommon({ environment, envRunners }: CommonConfig): readonly Problem[] {
  const problems: Problem[] = [];
  const { numEnvRunners, numEnvs, numEnvsPerEnvRunner } = envRunners;
  if (environment.env === '') {
    problems.push(
      conflict("No environment: set `env` to an id such as 'CartPole' or a path such as './my-env.ts'."),
    );
  }
  if (typeof environment.env === 'string' && environment.env.startsWith(FUNCTION_PREFIX)) {
    const name = environment.env.slice(FUNCTION_PREFIX.length);
    problems.push(
      conflict(
        `This config was saved with a function as \`env\` (${name}), which a file cannot hold: give the function again.`,
      ),
    );
  }
  if (typeof environment.env === 'function' && numEnvRunners !== 'auto' && numEnvRunners > 0) {
    problems.push(
      conflict(
        `\`env\` is a function, which cannot be sent to a worker thread, but numEnvRunners is ${numEnvRunners}: set it to 0, or ` +
          "put the factory in a module and give its path, './my-env.ts#name'.",
      ),
    );
  }
  if (numEnvsPerEnvRunner !== null && numEnvRunners === 'auto') {
    problems.push(
      conflict(
        `numEnvsPerEnvRunner (${numEnvsPerEnvRunner}) needs numEnvRunners to be a number, got 'auto': the number of ` +
          'environments must not follow the number of cores. Set numEnvRunners, or numEnvs instead.',
      ),
    );
  }
  if (numEnvRunners !== 'auto' && numEnvRunners > numEnvs) {
    problems.push(
      conflict(
        `numEnvRunners (${numEnvRunners}) must not exceed numEnvs (${numEnvs}): lower it, or raise numEnvs.`,
      ),
    );
  }
  return problems;
}
