/** How far workers may be ahead of the learner, and how V-trace makes up for it. */
import { option } from '../option.ts';
import { conflict, type Problem } from '../problems.ts';
import * as kind from '../value-kind.ts';
import { learnersOptions } from './learners.ts';

/** More than this, and V-trace has little left to learn from. */
const MAX_LAG = 16;
/** A finished rollout waits for two others at most. */
const MIN_BOUND = 3;

export const actorLearnerOptions = {
  lag: option(kind.orWord('free', kind.integer({ min: 0, max: MAX_LAG })), {
    default: 1,
    unit: 'versions',
    doc: 'Fragment i of an iteration is collected with the weights after max(0, i - lag) updates, while others are learnt from: the same run for any number of workers. free = what is ready; such a run cannot be repeated.',
  }),
  maxPolicyLag: option(kind.integer({ min: MIN_BOUND, max: 1000 }), {
    default: 8,
    unit: 'versions',
    doc: 'With lag free: the learner waits before its weights are more versions newer than those of a step that it will learn from; of hosts on Ray it drops what comes later.',
    needs: { option: 'lag', values: ['free'] },
    alsoCalled: ['max_policy_lag', 'max_requests_in_flight_per_env_runner'],
  }),
  fragmentsPerIteration: option(kind.integer({ min: 1, max: 10000 }), {
    default: 16,
    unit: 'fragments',
    doc: 'Fragments of rolloutLength steps in every environment between two reports; each is learnt from when it is there. An iteration begins and ends with nothing in flight.',
  }),
  vtraceLambda: option(kind.number({ min: 0, max: 1 }), {
    default: 1,
    doc: "Trace decay of V-trace's targets: 0 = one-step TD, 1 = the paper's.",
  }),
  rhoClip: option(kind.number({ above: 0 }), {
    default: 1,
    doc: 'Bound of the probability ratio that weighs temporal differences and advantages.',
    alsoCalled: ['vtrace_clip_rho_threshold', 'clip_rho_threshold', 'vtrace_clip_pg_rho_threshold'],
  }),
  traceClip: option(kind.number({ above: 0 }), {
    default: 1,
    doc: "Bound of the probability ratio in V-trace's trace.",
    alsoCalled: ['clip_c_threshold'],
  }),
};

const { numLearnerThreads: _workers, ...learners } = learnersOptions;

/** The learner computes in the main thread: rollout workers have no time to help. */
export const actorLearnerLearners = learners;

interface CheckedConfig {
  readonly training: {
    readonly lag: number | 'free';
    readonly fragmentsPerIteration: number;
    readonly network: string;
  };
  readonly envRunners: {
    readonly numEnvRunners: number | 'auto';
    readonly numEnvs: number;
    readonly inference: string;
    readonly normalizeRewards: boolean;
  };
}

export function checkActorLearner({ training, envRunners }: CheckedConfig): readonly Problem[] {
  const { lag, fragmentsPerIteration, network } = training;
  const problems: Problem[] = [];
  if (network !== 'mlp' || envRunners.inference === 'central') {
    const what = network === 'mlp' ? "inference: 'central'" : `network: '${network}'`;
    problems.push(
      conflict(
        `${what} has the learner act, and here workers act while it learns: use network: 'mlp' and leave inference out, or take ppo or a2c.`,
      ),
    );
  }
  if (lag !== 'free' && lag > 0 && lag >= fragmentsPerIteration) {
    problems.push(
      conflict(
        `lag (${lag}) must be below fragmentsPerIteration (${fragmentsPerIteration}), or no fragment is that late: lower lag, or raise fragmentsPerIteration.`,
      ),
    );
  }
  if (lag === 'free') problems.push(...checkFree(envRunners));
  return problems;
}

function checkFree({
  numEnvRunners,
  numEnvs,
  normalizeRewards,
}: CheckedConfig['envRunners']): readonly Problem[] {
  const problems: Problem[] = [];
  if (numEnvRunners === 0)
    problems.push(conflict("lag 'free' needs rollout workers, and numEnvRunners is 0: set it to 1 or more."));
  if (numEnvRunners !== 'auto' && numEnvRunners > 0 && numEnvs % numEnvRunners !== 0) {
    problems.push(
      conflict(
        `lag 'free' needs workers with as many environments each, and numEnvs (${numEnvs}) is no multiple of numEnvRunners (${numEnvRunners}): change one of the two.`,
      ),
    );
  }
  if (normalizeRewards) {
    problems.push(
      conflict(
        "normalizeRewards follows each environment's return from fragment to fragment, and with lag 'free' these come in any order: set it to false, or lag to a number.",
      ),
    );
  }
  return problems;
}
