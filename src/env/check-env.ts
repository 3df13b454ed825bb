/** `checkEnv`: plays an environment and says which promises it breaks, and how to mend each. */
import { EnvError, isOperantError } from '../errors.ts';
import { checkSeveralAgents } from './agents/check-agents-env.ts';
import type { MultiAgentEnv, MultiAgentEnvFactory } from './agents/multi-agent-env.ts';
import {
  type Check,
  checkRender,
  checkReset,
  checkSavedState,
  checkSeeds,
  checkSharedState,
  checkStepAfterEnd,
} from './check-behaviour.ts';
import { checkGoals } from './check-goals.ts';
import { watchingRandomCalls } from './check-random.ts';
import { type CheckReport, errorsFirst, formatCheckReport } from './check-report.ts';
import { type CheckFinding, messageOf, playTrace, type Report, type Trace } from './check-trace.ts';
import type { Env, EnvFactory } from './env.ts';
import { classHint } from './env-class.ts';
import { actionMaskSize, flattenActionSpace } from './flatten-action.ts';
import { channelsFirst } from './image-layout.ts';
import { describeSpace } from './space-json.ts';
import { assertEnv } from './vectorize.ts';

export interface CheckOptions {
  /** Steps to play with random actions. @defaultValue 2000 */
  readonly numSteps?: number;
  /** Seed of the check's actions and episodes. @defaultValue 0 */
  readonly seed?: number;
  /** Throw an `EnvError` `ENV_CHECK` with the formatted report when there are errors. @defaultValue false */
  readonly throwOnError?: boolean;
}

/**
 * Plays an environment with random actions and looks for the mistakes people make: wrong shapes, kinds of value and
 * bounds; NaN; a reset that ignores its seed or does not clear the last episode; randomness from elsewhere; state shared
 * between two environments; masks, flags, metrics and saved states that do not hold; episodes that never end. Of an environment of several
 * agents, the contract of `MultiAgentEnv` besides; its report's returns are sums over the agents.
 *
 * @param env an environment, or better its factory: only then is shared state found. What the factory gives is closed in the end; an
 * environment that is given is not.
 * Cost: about four times `numSteps` steps.
 */
export function checkEnv(
  env: Env | EnvFactory | MultiAgentEnv | MultiAgentEnvFactory,
  options: CheckOptions = {},
): CheckReport {
  const findings = new Map<string, CheckFinding>();
  const opened = new Set<Env>();
  const report: Report = (severity, code, message, fix) => {
    if (!findings.has(code)) findings.set(code, { severity, code, message, fix });
  };
  const check: Check = {
    create: typeof env === 'function' ? opening(env as EnvFactory, opened) : () => env as Env,
    isFactory: typeof env === 'function',
    seed: options.seed ?? 0,
    numSteps: options.numSteps ?? 2000,
    traces: [],
    report,
  };
  let first: Env | null = null;
  let several: CheckReport | null = null;
  try {
    several = checkSeveralAgents(check, findings);
    if (several === null) first = createFirst(check);
    if (first !== null && checkSpaces(first, report)) playWatched(first, check, findings);
  } finally {
    for (const each of opened) close(each, report);
  }
  const summary = several ?? summarise(first, check, [...findings.values()]);
  if (options.throwOnError && !summary.ok) throw new EnvError('ENV_CHECK', formatCheckReport(summary));
  return summary;
}

/** A factory that keeps what it gave, to be closed. */
function opening(factory: EnvFactory, opened: Set<Env>): () => Env {
  return () => {
    const made = factory();
    if (typeof made === 'object' && made !== null) opened.add(made);
    return made;
  };
}

function close(env: Env, report: Report): void {
  try {
    env.close?.();
  } catch (error) {
    report(
      'warning',
      'ENV_CLOSE_THREW',
      `close threw: ${messageOf(error)}.`,
      'Let close free what the environment holds, also in mid-episode and before the first reset.',
    );
  }
}

/** Codes of what `Math.random` in a factory may have done. */
const UNREPEATABLE = ['ENV_SEED_IGNORED', 'ENV_NOT_DETERMINISTIC', 'ENV_SHARED'];

function playWatched(env: Env, check: Check, findings: ReadonlyMap<string, CheckFinding>): void {
  watchingRandomCalls(
    check.report,
    (watch) => play(env, { ...check, create: () => watch.creating(check.create) }),
    () => UNREPEATABLE.some((code) => findings.has(code)),
  );
}

function createFirst(check: Check): Env | null {
  try {
    const env: unknown = check.create();
    assertEnv(env, 'this module');
    if (check.isFactory && check.create() === env) {
      check.report(
        'error',
        'ENV_SHARED',
        'The factory gives the same object every time.',
        'Create a new environment, with its own state, on every call.',
      );
    }
    return env;
  } catch (error) {
    const isOurs = isOperantError(error);
    check.report(
      'error',
      isOurs ? error.code : 'ENV_FACTORY_THREW',
      isOurs ? error.message : `The factory threw: ${messageOf(error)}.`,
      classHint(error) ??
        fixOf(error) ??
        'Export a function that returns { observationSpace, actionSpace, reset, step }.',
    );
    return null;
  }
}

function fixOf(error: unknown): string | null {
  const isAsync = isOperantError(error) && error.code === 'CONFIG_ENV_ASYNC';
  return isAsync ? 'Train it: every answer is checked there, by the same rules.' : null;
}

function checkSpaces(env: Env, report: Report): boolean {
  try {
    const action = flattenActionSpace(env.actionSpace);
    if (env.masksActions) actionMaskSize(env.actionSpace);
    if (action.kind === 'box' && [...action.low, ...action.high].some((bound) => !Number.isFinite(bound))) {
      report(
        'warning',
        'ENV_ACTION_UNBOUNDED',
        `The action space ${describeSpace(env.actionSpace)} has infinite bounds.`,
        'Give finite bounds, such as [-1, 1], and scale inside step: exploration noise has no scale otherwise.',
      );
    }
  } catch (error) {
    if (!isOperantError(error)) throw error;
    report('error', error.code, error.message, 'Choose a supported action space.');
    return false;
  }
  const order = channelsFirst(env.observationSpace);
  if (order !== null) {
    const fix =
      'Turn the picture round where it is made; a network reads neighbouring rows and columns, not neighbouring channels.';
    report('warning', 'ENV_CHANNELS_FIRST', order, fix);
  }
  const limit = env.maxEpisodeSteps ?? null;
  if (limit !== null && !(Number.isSafeInteger(limit) && limit >= 1)) {
    report(
      'error',
      'ENV_MAX_EPISODE_STEPS',
      `maxEpisodeSteps is ${limit}.`,
      'Give an integer >= 1, or leave it out (or null) for no limit.',
    );
  }
  if ((env.getState === undefined) !== (env.setState === undefined)) {
    report(
      'warning',
      'ENV_STATE_HALF',
      'Only one of getState and setState is there.',
      'Write both, or neither.',
    );
  }
  return true;
}

function play(env: Env, check: Check): void {
  const { report, seed, numSteps } = check;
  let numLeft = numSteps;
  for (let episode = 0; numLeft > 0; episode++) {
    const limit = Math.min(numLeft, env.maxEpisodeSteps ?? numLeft);
    const trace = playTrace(env, seed + episode, seed + episode, limit, report);
    check.traces.push(trace);
    numLeft -= Math.max(1, trace.actions.length);
    if (trace.end === 'broken') return;
    if (episode === 0) checkStepAfterEnd(env, trace, report);
  }
  checkReset(env, check);
  checkSeeds(check);
  if (check.isFactory) checkSharedState(check);
  checkSavedState(env, check);
  checkGoals(env, check);
  checkRender(env, report);
  judgeTraces(env, check);
}

/** Smells in what the episodes looked like. */
function judgeTraces(env: Env, { traces, report, numSteps }: Check): void {
  const ended = traces.filter((trace) => trace.end === 'terminated' || trace.end === 'truncated');
  if (ended.length === 0 && (env.maxEpisodeSteps ?? null) === null) {
    report(
      'warning',
      'ENV_NEVER_ENDS',
      `No episode ended within ${numSteps} random steps, and there is no \`maxEpisodeSteps\`.`,
      'Set `maxEpisodeSteps` on the environment, so that training sees ends and new starts.',
    );
  }
  const lengths = new Set(ended.map((trace) => trace.actions.length));
  if (
    ended.length >= 5 &&
    lengths.size === 1 &&
    ended.every((trace) => trace.end === 'terminated') &&
    !ended.every(endsWithOutcome) &&
    !lengths.has(1)
  ) {
    report(
      'warning',
      'ENV_TIME_LIMIT_TERMINATES',
      `Every episode terminated after exactly ${[...lengths][0]} steps, which looks like a time limit.`,
      'Leave time limits to `maxEpisodeSteps`, or report them as `truncated`: `terminated` says that nothing of value follows.',
    );
  }
  const largestObservation = Math.max(0, ...traces.map((trace) => trace.largestObservation));
  if (
    env.observationSpace.kind === 'box' &&
    env.observationSpace.dtype === 'float32' &&
    largestObservation > 100
  ) {
    report(
      'warning',
      'ENV_OBSERVATION_SCALE',
      `Observations reach ${largestObservation.toPrecision(3)}.`,
      'Networks learn best from numbers of about [-1, 1]: scale them, or train with normalizeObservations.',
    );
  }
  const largestReward = Math.max(0, ...traces.map((trace) => Math.max(0, ...trace.rewards.map(Math.abs))));
  if (largestReward > 1000) {
    report(
      'warning',
      'ENV_REWARD_SCALE',
      `Rewards reach ${largestReward.toPrecision(3)}.`,
      'Scale them to about [-10, 10], or train with normalizeRewards.',
    );
  }
  if (traces.length > 1 && largestReward === 0) {
    report(
      'warning',
      'ENV_REWARD_ALWAYS_ZERO',
      'No random step gave any reward.',
      'A learner explores at random in the beginning and will see nothing: reward a first step towards the goal, or train with `curiosity`.',
    );
  }
}

/** Whether the last step paid, or cost, more than any before it: the task itself was decided there. */
function endsWithOutcome({ rewards }: Trace): boolean {
  const sizes = rewards.map(Math.abs);
  return sizes[sizes.length - 1] > Math.max(0, ...sizes.slice(0, -1));
}

function summarise(env: Env | null, { traces }: Check, findings: CheckFinding[]): CheckReport {
  const isReady = env !== null;
  const numEpisodes = traces.length;
  const total = (measure: (trace: Trace) => number) => traces.reduce((sum, trace) => sum + measure(trace), 0);
  const numSteps = total((trace) => trace.actions.length);
  return {
    ok: findings.every(({ severity }) => severity !== 'error'),
    findings: errorsFirst(findings),
    observationSpace: isReady ? describeSpace(env.observationSpace) : 'unknown',
    actionSpace: isReady ? describeSpace(env.actionSpace) : 'unknown',
    numSteps,
    numEpisodes,
    meanReturn:
      total((trace) => trace.rewards.reduce((sum, reward) => sum + reward, 0)) / Math.max(1, numEpisodes),
    meanLength: numSteps / Math.max(1, numEpisodes),
  };
}
