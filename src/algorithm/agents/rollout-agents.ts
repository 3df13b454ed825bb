/** Policies that learn beside each other, each from the steps that it took in a rollout: the loop that they share. */
import type { StatePart } from '../../checkpoint/state-part.ts';
import type { JsonValue } from '../../json.ts';
import type { GroupViews } from '../../rollout/agents/agents-layout.ts';
import type { CollectedAgents } from '../../rollout/agents/agents-runner-group.ts';
import type { Algorithm } from '../algorithm.ts';
import type { Iteration } from '../shell.ts';
import { type AgentsAlgorithmParts, createAgentsAlgorithm } from './agents-algorithm.ts';
import { nameStudents, type StudentMetrics, tellAgents } from './agents-report.ts';
import type { StageConfig } from './agents-stage.ts';

const CURIOSITY_MS = 'time/curiosityMs';

/** A policy that learns, with all that is its own. */
export interface Student {
  readonly name: string;
  /** Learns from the steps that it took in a rollout of its group. */
  learn(group: GroupViews, numEnvSteps: number): Promise<StudentMetrics>;
  readonly setSchedule: (name: string, schedule: JsonValue) => void;
  readonly state: readonly StatePart[];
}

export type RolloutAgentsParts = Pick<
  AgentsAlgorithmParts,
  'name' | 'stage' | 'engine' | 'numPast' | 'policyState'
> & {
  readonly config: StageConfig & { readonly envRunners: { readonly rolloutLength: number } };
  /** Of `stage.learning`, in its order. */
  readonly students: readonly Student[];
  /** Makes everybody's weights those that they act with in the rollout that begins at this environment step; returns the version. */
  readonly publish: (numEnvSteps: number) => number;
  /** After all have learned. */
  readonly afterLearning?: (groups: CollectedAgents['groups']) => void;
};

/** Collects, and has all policies that learn do so, one after the other, in the order of their names. */
export function createRolloutAgents(parts: RolloutAgentsParts): Algorithm {
  const { config, stage, students, publish, afterLearning, ...common } = parts;
  const { runners, learning, league } = stage;
  const { numEnvs, rolloutLength } = config.envRunners;
  const keyOf = nameStudents(students, league);
  const iterate = async (numEnvSteps: number): Promise<Iteration> => {
    const start = performance.now();
    const collected = await runners.collect(publish(numEnvSteps));
    const collectedAt = performance.now();
    const metrics: StudentMetrics = {};
    for (const [k, student] of students.entries()) {
      const told = await student.learn(collected.groups[learning[k].group], numEnvSteps);
      for (const key of Object.keys(told))
        if (key !== CURIOSITY_MS) metrics[keyOf(student.name, key)] = told[key];
        else metrics[key] = (metrics[key] ?? 0) + Number(told[key]); // of all policies together
    }
    metrics['time/rolloutMs'] = collectedAt - start;
    metrics['time/learnMs'] = performance.now() - collectedAt;
    const episodes = league?.absorb(collected.episodes) ?? collected.episodes;
    afterLearning?.(collected.groups);
    return {
      ...{ numEnvSteps: numEnvs * rolloutLength, episodes },
      envMetrics: collected.metrics,
      metrics: { ...metrics, ...tellAgents(episodes), ...league?.metrics() },
      ...(league === null ? {} : { league: league.rows() }),
    };
  };
  return createAgentsAlgorithm({
    ...common,
    ...{ config, stage, iterate, rolloutLength },
    isHalfDone: () => !runners.isCollecting,
    state: students.flatMap(({ state }) => state),
    setSchedule: (schedule, value) => {
      for (const student of students) student.setSchedule(schedule, value);
    },
  });
}
