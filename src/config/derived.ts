/** What follows from the shared options: sugar, 'auto' and the combinations that cannot be. */
import { availableParallelism } from 'node:os';
import { clusterOptions } from './blocks/cluster.ts';
import { checkSchedules } from './blocks/schedules.ts';
import type { commonOptions } from './common-options.ts';
import { type Declarations, FUNCTION_PREFIX, type ResolvedConfig } from './option.ts';
import { conflict, type Problem } from './problems.ts';

type CommonConfig = ResolvedConfig<typeof commonOptions>;
/** Any of the shared sections may be left out. */
type SomeSections = Partial<CommonConfig>;

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
  if (typeof environment.env === 'function' || connects(environment.env)) return 0;
  return Math.min(numCores, MAX_AUTO_ENV_RUNNERS, envRunners.numEnvs);
}

/** Whether an environment is a simulator that connects: one thread listens for all rows, the main one, which has nothing else to do while they think. */
function connects(env: unknown): boolean {
  return typeof env === 'string' && /^(external|stdio|godot):/.test(env);
}

/** Those that are threads of this process: none where rollout workers are on a cluster. */
export function numLocalRunnersOf(config: Pick<CommonConfig, 'environment' | 'envRunners'>): number {
  return config.envRunners.runners === 'ray' ? 0 : numEnvRunnersOf(config);
}

/** Rewrites `numEnvsPerEnvRunner` as `numEnvs`, and a TensorFlow backend as the choice of that engine. */
export function foldCommon<D extends Declarations>(config: ResolvedConfig<D>): ResolvedConfig<D> {
  const { envRunners, learners } = config as SomeSections;
  return {
    ...config,
    ...(envRunners === undefined ? {} : { envRunners: foldEnvRunners(envRunners) }),
    ...(learners === undefined ? {} : { learners: foldLearners(learners) }),
  };
}

function foldEnvRunners(envRunners: CommonConfig['envRunners']): CommonConfig['envRunners'] {
  const { numEnvRunners, numEnvsPerEnvRunner } = envRunners;
  if (numEnvsPerEnvRunner === null || numEnvRunners === 'auto') return envRunners;
  return {
    ...envRunners,
    numEnvs: Math.max(1, numEnvRunners) * numEnvsPerEnvRunner,
    numEnvsPerEnvRunner: null,
  };
}

function foldLearners(learners: CommonConfig['learners']): CommonConfig['learners'] {
  const isImplied = learners.backend !== 'auto' && learners.engine === 'auto';
  return isImplied ? { ...learners, engine: 'tensorflow' } : learners;
}

/** What the shared options must be to each other, section by section: those that an algorithm does not have are not asked for. */
export function checkCommon(config: ResolvedConfig<Declarations>): readonly Problem[] {
  const { environment, envRunners, evaluation, stopping, checkpointing } = config as SomeSections;
  return [
    ...(checkpointing === undefined ? [] : checkInitialization(checkpointing)),
    ...(stopping === undefined ? [] : checkStopping(stopping, evaluation)),
    ...(environment === undefined ? [] : checkEnvironment(environment)),
    ...(evaluation === undefined ? [] : checkFilms(evaluation)),
    ...(environment === undefined || envRunners === undefined || evaluation === undefined
      ? []
      : checkEvaluationEnv(evaluation, numEnvRunnersOf({ environment, envRunners }))),
    ...(environment === undefined || envRunners === undefined
      ? []
      : checkEnvRunners({ environment, envRunners })),
    ...checkSchedules(config),
  ];
}

function checkStopping(
  stopping: CommonConfig['stopping'],
  evaluation: CommonConfig['evaluation'] | undefined,
): readonly Problem[] {
  if (evaluation !== undefined && evaluation.evaluationInterval !== null) return [];
  return (['stopEvaluationReturn', 'stopEvaluationPatience'] as const).flatMap((name) => {
    const value = stopping[name];
    if (value === null) return [];
    return [
      conflict(
        `${name} (${value}) looks at evaluations, and there are none while evaluationInterval is null: set evaluationInterval.`,
      ),
    ];
  });
}

function checkFilms({
  evaluationFilms,
  evaluationInterval,
  evaluationEpisodes,
}: CommonConfig['evaluation']): readonly Problem[] {
  if (evaluationFilms === 0) return [];
  if (evaluationInterval === null)
    return [
      conflict(
        `evaluationFilms (${evaluationFilms}) films evaluations, and there are none while evaluationInterval is null: set evaluationInterval.`,
      ),
    ];
  if (evaluationFilms <= evaluationEpisodes) return [];
  return [
    conflict(
      `evaluationFilms (${evaluationFilms}) must not exceed evaluationEpisodes (${evaluationEpisodes}): lower it, or raise evaluationEpisodes.`,
    ),
  ];
}

function checkInitialization({
  initFrom,
  initNetworks,
  initOptimizer,
  initPolicies,
}: CommonConfig['checkpointing']): readonly Problem[] {
  const strange = Object.entries(initPolicies ?? {}).find(([, source]) => typeof source !== 'string');
  if (strange !== undefined)
    return [
      conflict(
        `initPolicies begins \`${strange[0]}\` with ${JSON.stringify(strange[1])}: give the name of a policy of the checkpoint.`,
      ),
    ];
  const given = { initNetworks, initPolicies, initOptimizer: initOptimizer || null };
  const [name] = Object.entries(given).find(([, value]) => value !== null) ?? [];
  if (initFrom !== null || name === undefined) return [];
  return [
    conflict(
      `${name} says what to take of initFrom, which is null: give the checkpoint, or leave ${name} out.`,
    ),
  ];
}

function checkEnvironment({ env, curriculum }: CommonConfig['environment']): readonly Problem[] {
  return [...checkEnv(env), ...checkCurriculum(curriculum)];
}

/** The clock differs from run to run, and an evaluation that a signal cuts is made up for when the run goes on. */
function checkCurriculum(curriculum: CommonConfig['environment']['curriculum']): readonly Problem[] {
  if (curriculum === null || typeof curriculum === 'string') return [];
  return curriculum.flatMap(({ metric = '' }) => {
    if (!/^(time|evaluation)\//.test(metric)) return [];
    const why = metric.startsWith('time/')
      ? 'follows from the clock'
      : 'is of an evaluation, which a signal may put off';
    return [
      conflict(
        `The curriculum's metric \`${metric}\` ${why}: no two runs would be the same. Take one of the rollout, env/<name> or rollout/episodeReturnMean.`,
      ),
    ];
  });
}

function checkEnv(env: CommonConfig['environment']['env']): readonly Problem[] {
  if (env === '')
    return [
      conflict("No environment: set `env` to an id such as 'CartPole' or a path such as './my-env.ts'."),
    ];
  if (typeof env === 'function' || !env.startsWith(FUNCTION_PREFIX)) return [];
  const name = env.slice(FUNCTION_PREFIX.length);
  return [
    conflict(
      `This config was saved with a function as \`env\` (${name}), which a file cannot hold: give the function again.`,
    ),
  ];
}

function checkEvaluationEnv(
  { evaluationEnv }: CommonConfig['evaluation'],
  numEnvRunners: number,
): readonly Problem[] {
  if (typeof evaluationEnv === 'string' && evaluationEnv.startsWith(FUNCTION_PREFIX)) {
    const name = evaluationEnv.slice(FUNCTION_PREFIX.length);
    return [
      conflict(
        `This config was saved with a function as \`evaluationEnv\` (${name}), which a file cannot hold: give the function again.`,
      ),
    ];
  }
  if (connects(evaluationEnv) && numEnvRunners > 0)
    return [
      conflict(
        `\`evaluationEnv\` is ${evaluationEnv}, which connects to the main thread, but there are ${numEnvRunners} worker threads: set numEnvRunners to 0.`,
      ),
    ];
  if (typeof evaluationEnv !== 'function' || numEnvRunners === 0) return [];
  return [
    conflict(
      `\`evaluationEnv\` is a function, which cannot be sent to a worker thread, but there are ${numEnvRunners} of these: set numEnvRunners to 0, or ` +
        "put the factory in a module and give its path, './my-env.ts#name'.",
    ),
  ];
}

function checkEnvRunners({
  environment,
  envRunners,
}: Pick<CommonConfig, 'environment' | 'envRunners'>): readonly Problem[] {
  const problems: Problem[] = [];
  const { numEnvRunners, numEnvs, numEnvsPerEnvRunner } = envRunners;
  if (envRunners.runners === 'ray') problems.push(...checkCluster({ environment, envRunners }));
  if (
    connects(environment.env) &&
    (envRunners.runners === 'ray' || (numEnvRunners !== 'auto' && numEnvRunners > 0))
  )
    problems.push(
      conflict(
        `${environment.env} connects to the main thread, which has nothing else to do while it thinks: leave runners and numEnvRunners (${numEnvRunners}) out, or set numEnvRunners to 0.`,
      ),
    );
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

/** Hosts are sent modules, and act for themselves. */
function checkCluster({
  environment,
  envRunners,
}: Pick<CommonConfig, 'environment' | 'envRunners'>): readonly Problem[] {
  const { numEnvRunners, numEnvs, inference, hostResources, hostLabels } = envRunners;
  const { numRolloutHosts, minRolloutHosts, hostWaitSeconds, requestHosts } = envRunners;
  const problems: Problem[] = [];
  const refuse = (text: string) => void problems.push(conflict(text));
  if (typeof environment.env === 'function')
    refuse(
      "`env` is a function, which cannot be sent to a host, and runners is 'ray': put the factory in a module and give its path, './my-env.ts#name'.",
    );
  if (numEnvRunners === 0)
    refuse("numEnvRunners is 0, and with runners 'ray' it is the threads of a host: set it to 1 or more.");
  const numThreads = numEnvRunners === 'auto' ? 1 : Math.max(1, numEnvRunners);
  const [name, numHosts] =
    numRolloutHosts === 'all'
      ? ['minRolloutHosts', minRolloutHosts ?? 1]
      : ['numRolloutHosts', numRolloutHosts];
  if (minRolloutHosts !== null && numRolloutHosts !== 'all' && minRolloutHosts > numRolloutHosts)
    refuse(
      `minRolloutHosts (${minRolloutHosts}) must not exceed numRolloutHosts (${numRolloutHosts}): lower it, raise the other, or set numRolloutHosts to 'all'.`,
    );
  if (
    minRolloutHosts === null &&
    !requestHosts &&
    numRolloutHosts !== 'all' &&
    hostWaitSeconds !== clusterOptions.hostWaitSeconds.default
  )
    refuse(
      `hostWaitSeconds (${hostWaitSeconds}) is for hosts that come and go, and there are always numRolloutHosts (${numRolloutHosts}): set minRolloutHosts or requestHosts, or leave it out.`,
    );
  if (requestHosts && numRolloutHosts === 'all')
    refuse(
      "requestHosts asks for a number of hosts, and numRolloutHosts is 'all': set it to the most that are wanted, with minRolloutHosts for the fewest.",
    );
  if (requestHosts && numEnvRunners === 'auto')
    refuse(
      "requestHosts asks for the CPUs of hosts, one for each thread, and numEnvRunners is 'auto': set it to the threads of a host.",
    );
  if (numHosts * numThreads > numEnvs)
    refuse(
      `${name} (${numHosts}) x numEnvRunners (${numThreads}) must not exceed numEnvs (${numEnvs}): lower one of them, or raise numEnvs.`,
    );
  if (inference === 'central')
    refuse(
      "inference 'central' has the learner act, and hosts act for themselves: leave one of the two out.",
    );
  if (Object.values(hostResources).some((amount) => typeof amount !== 'number' || !(amount > 0)))
    refuse(`hostResources must be positive numbers by name, got ${JSON.stringify(hostResources)}.`);
  if (Object.values(hostLabels).some((label) => typeof label !== 'string'))
    refuse(`hostLabels must be texts by name, got ${JSON.stringify(hostLabels)}.`);
  return problems;
}
