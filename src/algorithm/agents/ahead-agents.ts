/** Policies that learn beside each other from fragments that are collected while they do: what IMPALA and APPO share among several agents. */
import type { Declarations } from '../../config/option.ts';
import type { Problem } from '../../config/problems.ts';
import { ConfigError } from '../../errors.ts';
import { ON_POLICY_COLUMNS } from '../../experience/layout.ts';
import type { GroupViews } from '../../rollout/agents/agents-layout.ts';
import { type CollectedAgents, joinAgentsParts } from '../../rollout/agents/agents-runner-group.ts';
import { type ActorLearnerConfig, createPolicyLag, type PolicyLag } from '../actor-learner.ts';
import type { Algorithm } from '../algorithm.ts';
import { createIterationTally } from '../iteration-tally.ts';
import { createLaggedFragments } from '../lagged-fragments.ts';
import type { Iteration } from '../shell.ts';
import { createAgentsAlgorithm } from './agents-algorithm.ts';
import { type AgentsJudge, createAgentsJudge, judgeBytes } from './agents-judge.ts';
import { ofPolicies } from './agents-learning.ts';
import type { AgentsConfig, AgentsLearning, AgentsMemory, LearningPolicy } from './agents-policies.ts';
import { nameStudents, type StudentMetrics, tellAgents } from './agents-report.ts';
import { refuseAmongSeveral } from './agents-stage.ts';
import { type AgentsSystem, createAgentsSystem } from './agents-system.ts';
import { onPolicyMoves } from './begin-anew.ts';
import { moveLeague } from './move-league.ts';
import { refuseOwn, withOverrides } from './policy-config.ts';
import type { TableEntry } from './policy-table.ts';
import type { Student } from './rollout-agents.ts';

/** What belongs to the run and not to one of its policies. */
export const OF_THE_RUN = ['lag', 'maxPolicyLag', 'fragmentsPerIteration'] as const;

/** What an algorithm has of an actor-learner's config. */
type AheadConfig = Omit<AgentsConfig, 'learners' | 'training'> &
  ActorLearnerConfig & {
    readonly training: AgentsConfig['training'] & { readonly fragmentsPerIteration: number };
  };

/** With the learner in the main thread: workers have no time to help it. */
export type InOneThread<C extends AheadConfig> = C & {
  readonly learners: { readonly numLearnerThreads: 1 };
};

/**
 * The run's config with a policy's own options of `training`.
 *
 * @param declared the algorithm's `training`; `check` what it asks of a whole config. @param ofTheRun options that are the run's alone.
 * @throws ConfigError naming what is no such option; `CONFIG_POLICY`; `CONFIG_CURIOSITY`, since the bonus' advantages run by GAE among several agents.
 */
export function configOfActor<C extends AheadConfig>(
  config: InOneThread<C>,
  entry: TableEntry,
  declared: Declarations[string],
  check: (config: InOneThread<C>) => readonly Problem[],
  ofTheRun: readonly string[],
): InOneThread<C> {
  refuseOwn(entry, ofTheRun);
  const own = withOverrides(config, entry, declared, check);
  const { curiosity } = own.training;
  if (curiosity === null) return own;
  throw new ConfigError(
    'CONFIG_CURIOSITY',
    `curiosity (${curiosity}) among several agents is for ppo and a2c: leave it out, or use one of them.`,
  );
}

/** A fragment as a policy gets it, of its group. */
export interface GroupFragment {
  readonly group: GroupViews;
  /** The weights that learn from it: published when it was asked for. */
  readonly version: number;
  /** Its number in the iteration. */
  readonly k: number;
  /** Environment steps of the run before it. */
  readonly numEnvSteps: number;
  /** Of the iteration: what is learnt from is added, as often as it is. */
  readonly lag: PolicyLag;
}

/** A policy that learns, with all that is its own. */
export type AheadStudent = Pick<Student, 'name' | 'state' | 'setSchedule'> & {
  /** Nothing is left of the last iteration. */
  begin(): void;
  learn(fragment: GroupFragment): Promise<void>;
  /** Of the iteration. */
  tell(): StudentMetrics;
};

export interface AheadOptions<C extends AheadConfig> {
  readonly name: string;
  readonly learning: (config: InOneThread<C>) => AgentsLearning<InOneThread<C>>;
  /** Fragments that are learnt from at a time: the newest and those that are kept. */
  readonly numKept: number;
  /** Weights of each policy that are not published. */
  readonly numOwnSlots: number;
  /** Columns of each policy's own, f32 [N, C]. */
  readonly numColumns: number;
  readonly createStudent: (policy: LearningPolicy<InOneThread<C>>, judge: AgentsJudge) => AheadStudent;
}

/**
 * For each fragment of an iteration: publish, and say what may be collected with these weights; take the next fragment; have each policy learn from its
 * own steps in it, one after the other, in the order of their names. A step that is still open when a fragment ends is a hole of that and a step of the next one, which
 * its worker goes on with by itself; so fragments need to know nothing of each other. In self-play whom episodes are played against is drawn
 * when an iteration begins, with nothing in flight.
 *
 * @throws ConfigError when environment, policies and options do not fit together; `CONFIG_SEVERAL_AGENTS` for lag 'free'.
 */
export async function createAheadAgents<C extends AheadConfig>(
  config: C,
  options: AheadOptions<C>,
): Promise<Algorithm> {
  const { lag, fragmentsPerIteration } = config.training;
  if (lag === 'free') refuseAmongSeveral("lag: 'free'");
  const inOneThread = { ...config, learners: { ...config.learners, numLearnerThreads: 1 } } as InOneThread<C>;
  const memory: AgentsMemory = {
    numSets: Math.max(2, lag + options.numKept),
    numVersions: lag + 2,
    columns: { ...ON_POLICY_COLUMNS, finalObservations: true },
    scratchBytes: (policy, numSamples) => judgeBytes(policy, numSamples, options.numColumns),
    numOwnSlots: options.numOwnSlots,
  };
  const system = await createAgentsSystem(inOneThread, options.learning(inOneThread), memory);
  const { runners, seats } = system;
  const { numEnvs, rolloutLength } = config.envRunners;
  const students = system.learning.map((policy) => {
    const numSamples = numEnvs * seats.groups[policy.group].seats.length * (rolloutLength + 1);
    return options.createStudent(policy, createAgentsJudge(policy, numSamples, options.numColumns));
  });
  let isFirst = true;
  const fragments = createLaggedFragments({
    ...{ runners, numSets: runners.sets.length, lag },
    publish() {
      const version = isFirst ? system.publish() : system.publishWeights();
      isFirst = false;
      return version;
    },
    join: (set, parts: Parameters<typeof joinAgentsParts>[1]) => joinAgentsParts(runners.sets[set], parts),
  });
  const iterate = createIteration(inOneThread, system, students, fragments);
  return createAgentsAlgorithm({
    ...{ name: options.name, config, stage: system, rolloutLength },
    ...ofPolicies(inOneThread, system),
    iterate(numEnvSteps) {
      isFirst = true;
      for (const student of students) student.begin();
      fragments.begin(fragmentsPerIteration);
      return iterate(numEnvSteps);
    },
    isHalfDone: () => fragments.hasBegun,
    state: students.flatMap(({ state }) => state),
    setSchedule: (schedule, value) => {
      for (const student of students) student.setSchedule(schedule, value);
    },
    settle: fragments.settle,
  });
}

function createIteration<C extends AheadConfig>(
  config: InOneThread<C>,
  system: AgentsSystem<InOneThread<C>>,
  students: readonly AheadStudent[],
  fragments: ReturnType<typeof createLaggedFragments<never, CollectedAgents>>,
): (numEnvSteps: number) => Promise<Iteration> {
  const { learning, league } = system;
  const { numEnvs, rolloutLength } = config.envRunners;
  const { fragmentsPerIteration } = config.training;
  const numSteps = numEnvs * rolloutLength;
  const keyOf = nameStudents(students, league);
  const moves = onPolicyMoves<InOneThread<C>>(config.debugging.seed);
  return async (numEnvSteps) => {
    const tally = createIterationTally();
    const lag = createPolicyLag();
    let learnMs = 0;
    let groups: readonly GroupViews[] = [];
    for (let k = 0; k < fragmentsPerIteration; k++) {
      const fragment = await fragments.next();
      const { version } = fragment;
      ({ groups } = fragment);
      tally.addFragment(fragment);
      const begin = performance.now();
      for (const [p, student] of students.entries()) {
        const group = groups[learning[p].group];
        await student.learn({ group, version, k, numEnvSteps: numEnvSteps + k * numSteps, lag });
      }
      learnMs += performance.now() - begin;
    }
    const metrics: StudentMetrics = lag.isEmpty ? {} : { ...lag.metrics() };
    for (const student of students)
      for (const [key, value] of Object.entries(student.tell())) metrics[keyOf(student.name, key)] = value;
    metrics['time/rolloutMs'] = fragments.takeMs();
    metrics['time/learnMs'] = learnMs;
    const { episodes: ended, ...told } = tally.finish(fragmentsPerIteration * numSteps, {});
    const episodes = league?.absorb(ended) ?? ended;
    if (league !== null) moveLeague(learning, league, config.selfPlay, groups, moves);
    return {
      ...{ ...told, episodes },
      metrics: { ...metrics, ...tellAgents(episodes), ...league?.metrics() },
      ...(league === null ? {} : { league: league.rows() }),
    };
  };
}
