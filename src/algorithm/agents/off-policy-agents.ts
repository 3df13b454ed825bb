/** Policies that learn from replay beside each other: what off-policy algorithms share among several agents. */
import type { StatePart } from '../../checkpoint/state-part.ts';
import type { Declarations } from '../../config/option.ts';
import type { Problem } from '../../config/problems.ts';
import type { Metrics } from '../../metrics/metric-keys.ts';
import type { TransitionBatch } from '../../replay/gather.ts';
import { rowRingsState } from '../../replay/row-rings-state.ts';
import type { CollectedAgents } from '../../rollout/agents/agents-runner-group.ts';
import type { Algorithm } from '../algorithm.ts';
import { createFragments, type Fragments } from '../fragments.ts';
import { createIterationTally } from '../iteration-tally.ts';
import type { OffPolicyStudent, OffPolicyStudentParts } from '../off-policy-student.ts';
import { streamState } from '../own-state.ts';
import { fragmentsPerIteration, numUpdatesDue, type PaceOptions } from '../pace.ts';
import { policyStream, stateName } from '../policy-names.ts';
import type { Iteration } from '../shell.ts';
import { createAgentsAlgorithm } from './agents-algorithm.ts';
import { tellAgents } from './agents-report.ts';
import { observedBy, samplesOf } from './agents-samples.ts';
import { refuseAmongSeveral } from './agents-stage.ts';
import { moveLeague } from './move-league.ts';
import { learnedObjectiveState } from './objective-agents-state.ts';
import type {
  OffPolicyAgentsConfig,
  OffPolicyAgentsSystem,
  OffPolicyLearner,
} from './off-policy-agents-system.ts';
import { offPolicyMoves } from './off-policy-anew.ts';
import { refuseOwn, withOverrides } from './policy-config.ts';
import type { TableEntry } from './policy-table.ts';

/** The options of `training` that the shared loop reads. */
export type LoopConfig = OffPolicyAgentsConfig & {
  readonly training: PaceOptions & {
    readonly stepsPerIteration: number;
    readonly nStep: number;
    readonly gamma: number;
    readonly hindsight: string;
  };
};

/** Uniform batches of a policy's own transitions. Allocates nothing per batch. */
function createDraws<C extends LoopConfig>({
  name,
  config,
  replay,
}: OffPolicyLearner<C>): OffPolicyStudentParts<C>['transitions'] {
  const { batchSize, nStep, gamma } = config.training;
  const stream = policyStream(config.debugging.seed, 'replay', name);
  const indices = new Int32Array(batchSize); // [B] i32
  return {
    fill({ columns }) {
      replay.sample(nStep, stream, indices);
      replay.gather(indices, nStep, gamma, columns as unknown as TransitionBatch);
    },
    after: () => undefined,
    state: [streamState(stateName(name, 'replay'), stream)],
  };
}

/**
 * For each round of an iteration: a fragment of `trainEvery` steps in every environment; then, for one policy after the other in the order of their
 * names, its own steps into its own buffer, and the updates that are due.
 */
export function createOffPolicyAgents<C extends LoopConfig>(
  name: string,
  config: C,
  system: OffPolicyAgentsSystem<C>,
  createStudent: (parts: OffPolicyStudentParts<C>) => OffPolicyStudent,
): Algorithm {
  const { training, envRunners } = config;
  const students = system.learning.map((policy) =>
    createStudent({ ...policy, transitions: createDraws(policy) }),
  );
  const fragments = createFragments<CollectedAgents, number>({
    system: {
      publish: (step) => system.publish((k) => students[k].exploration(step)),
      runners: { collect: system.runners.collect, collectNow: null },
    },
    numSteps: training.trainEvery * envRunners.numEnvs,
    lag: training.lag,
    exploration: (step) => step,
  });
  const iterate = createIteration(config, system, students, fragments);
  return createAgentsAlgorithm({
    ...{ name, config, stage: system, rolloutLength: training.trainEvery },
    numPast: system.league === null ? 0 : config.selfPlay.maxSnapshots,
    engine: system.learning[0]?.learner ?? null,
    remembers: system.learning.map((policy) => `${policy.name} ${policy.replayMemory}`).join('; '),
    async iterate(numEnvSteps) {
      try {
        return await iterate(numEnvSteps);
      } catch (error) {
        await fragments.settle();
        throw error;
      }
    },
    isHalfDone: () => fragments.hasDelivered,
    policyState: system.learning.flatMap((policy) => learnedState(policy, system, config)),
    state: students.flatMap(({ state }) => state),
    setSchedule: (schedule, value) => {
      for (const student of students) student.setSchedule(schedule, value);
    },
    settle: fragments.settle,
  });
}

function createIteration<C extends LoopConfig>(
  { training, selfPlay, debugging }: C,
  { learning, league }: OffPolicyAgentsSystem<C>,
  students: readonly OffPolicyStudent[],
  fragments: Fragments<CollectedAgents>,
): (numEnvSteps: number) => Promise<Iteration> {
  const { numSteps } = fragments;
  /** Whose metrics are called as those of a run with one policy. */
  const first = learning.length === 1 ? learning[0].name : league?.learner;
  const moves = offPolicyMoves<C>(debugging.seed);
  return async (numEnvSteps) => {
    const tally = createIterationTally();
    let groups: CollectedAgents['groups'] = [];
    league?.prepare();
    const own = learning.map(() => ({ tally: createIterationTally(), numSteps: 0 }));
    const numFragments = fragmentsPerIteration(training.stepsPerIteration, numSteps);
    fragments.begin(numFragments, numEnvSteps);
    let learnMs = 0;
    let step = numEnvSteps;
    for (let f = 0; f < numFragments; f++, step += numSteps) {
      const collected = await fragments.next();
      groups = collected.groups;
      tally.addFragment(collected);
      const begin = performance.now();
      for (const [k, policy] of learning.entries()) {
        own[k].numSteps += takeIn(policy, collected);
        const { training: pace } = policy.config;
        const holdsBatch = policy.replay.numSampleable(pace.nStep) >= pace.batchSize;
        const numUpdates = holdsBatch ? numUpdatesDue(pace, step, step + numSteps) : 0;
        if (numUpdates > 0) own[k].tally.addUpdates(await students[k].learn(numUpdates, step + numSteps));
        students[k].afterRound?.(step, step + numSteps);
      }
      learnMs += performance.now() - begin;
    }
    const { episodes: played, ...told } = tally.finish(numFragments * numSteps, {});
    const episodes = league?.absorb(played) ?? played;
    if (league !== null) moveLeague(learning, league, selfPlay, groups, moves);
    const metrics: Record<string, number | undefined> = { ...tellAgents(episodes), ...league?.metrics() };
    for (const [k, policy] of learning.entries()) {
      const learned = { ...own[k].tally.trainMetrics(), ...students[k].metrics(step) };
      Object.assign(metrics, tellPolicy(policy, learned, own[k].numSteps, policy.name === first));
    }
    metrics['time/rolloutMs'] = fragments.takeMs();
    metrics['time/learnMs'] = learnMs;
    return { ...told, episodes, metrics, ...(league === null ? {} : { league: league.rows() }) };
  };
}

function tellPolicy(
  { name, replay }: Pick<OffPolicyLearner<unknown>, 'name' | 'replay'>,
  learned: Metrics,
  numSteps: number,
  isFirst: boolean,
): Record<string, number | undefined> {
  const all = Object.entries({ ...learned, 'replay/size': replay.size });
  const keyOf = (key: string) => (isFirst ? key : `policy/${name}/${key.replace(/^train\//, '')}`);
  return {
    ...Object.fromEntries(all.map(([key, value]) => [keyOf(key), value])),
    [`policy/${name}/numSteps`]: numSteps,
  };
}

/** A policy's own steps go into its buffer, and its statistics take them in. @returns their number. */
function takeIn<C>(
  { group: g, index, experience, scaling }: OffPolicyLearner<C>,
  { groups }: CollectedAgents,
): number {
  const group = groups[g];
  const numSteps = experience.append(group);
  if (scaling.isRunning)
    scaling.absorb(observedBy(group, group.rollout.observations, samplesOf(group, index)));
  return numSteps;
}

function learnedState<C extends LoopConfig>(
  policy: OffPolicyLearner<C>,
  system: OffPolicyAgentsSystem<C>,
  { training }: C,
): readonly StatePart[] {
  return [
    ...learnedObjectiveState(policy, system),
    rowRingsState(policy.replay, policy.name, training.checkpointReplay ?? true),
  ];
}

/** What belongs to the run and not to one of its policies. */
const OF_THE_RUN = ['trainEvery', 'stepsPerIteration', 'lag', 'checkpointReplay'];

/**
 * The run's config with a policy's own options of `training`.
 *
 * @param declared the algorithm's `training`; `check` what it asks of a whole config.
 * @throws ConfigError naming what is no such option; `CONFIG_POLICY` for one that is the run's alone; `CONFIG_SEVERAL_AGENTS` for what is for one
 * agent.
 */
export function configOfLearner<C extends LoopConfig>(
  config: C,
  entry: TableEntry,
  declared: Declarations[string],
  check: (config: C) => readonly Problem[],
): C {
  refuseOwn(entry, OF_THE_RUN);
  const own = withOverrides(config, entry, declared, check);
  // They know of environments, and not of agents.
  if (own.training.hindsight !== 'none') refuseAmongSeveral('hindsight');
  if (own.training.prefill !== null) refuseAmongSeveral('prefill');
  return own;
}
