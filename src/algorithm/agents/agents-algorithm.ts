/** An algorithm among several agents: the shell around a system of several policies. */
import type { StatePart } from '../../checkpoint/state-part.ts';
import { configToJson } from '../../config/option.ts';
import { spaceToJson } from '../../env/space-json.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import type { CollectedAgents } from '../../rollout/agents/agents-runner-group.ts';
import type { Algorithm } from '../algorithm.ts';
import { checkAgentsOptions } from '../curriculum/check-options.ts';
import type { RunningLeague } from '../league/league.ts';
import { learnerState } from '../learner-state.ts';
import { statisticsState } from '../observation-statistics.ts';
import { policyState } from '../policy-state.ts';
import { createAlgorithm } from '../shell.ts';
import { createAgentsEvaluation } from './agents-evaluation.ts';
import type { AgentsConfig } from './agents-policies.ts';
import { tellAgents } from './agents-report.ts';
import { agentsState } from './agents-state.ts';
import type { AgentsSystem } from './agents-system.ts';
import { becomeAs, beginAfresh } from './begin-anew.ts';
import { frozenState } from './network-policy.ts';
import { DEFAULT_POLICY } from './policy-table.ts';

export interface AgentsAlgorithmParts<C extends AgentsConfig> {
  readonly name: string;
  readonly config: C;
  readonly system: AgentsSystem<C>;
  /** Collect, learn, and so on, once; `numEnvSteps` = steps before this iteration. */
  readonly iterate: (numEnvSteps: number) => Promise<{
    readonly collected: CollectedAgents;
    readonly metrics: Readonly<Partial<Record<string, number>>>;
  }>;
  /** The algorithm's own part of a checkpoint. */
  readonly state: readonly StatePart[];
  readonly setSchedule?: (name: string, schedule: JsonValue) => void;
}

export function createAgentsAlgorithm<C extends AgentsConfig>(parts: AgentsAlgorithmParts<C>): Algorithm {
  const { name, config, system } = parts;
  const { runners, seats, learning, frozen, source, table, league } = system;
  const { numEnvs, rolloutLength } = config.envRunners;
  return createAlgorithm({
    name,
    config,
    configJson: { algorithm: name, ...configToJson(config) },
    banner: createBanner(name, config, system),
    async iterate(numEnvSteps) {
      const { collected, metrics } = await parts.iterate(numEnvSteps);
      const { metrics: envMetrics } = collected;
      const episodes = league?.absorb(collected.episodes) ?? collected.episodes;
      if (league !== null) moveLeague(system, league, config, collected.groups);
      return {
        ...{ numEnvSteps: numEnvs * rolloutLength, episodes, envMetrics },
        metrics: { ...metrics, ...tellAgents(episodes), ...league?.metrics() },
        ...(league === null ? {} : { league: league.rows() }),
      };
    },
    isHalfDone: () => !runners.isCollecting,
    state: [
      castState(system),
      ...learning.flatMap(({ name: policy, group, spec, learner, scaling, critic, valueScale }) => [
        policyState({ source, spec, ...seats.groups[group].spaces }, learner.layout, policy),
        learnerState(learner, { policy, part: critic === null ? 'whole' : 'actor' }),
        statisticsState(scaling, spec, { policy }),
        ...(critic === null
          ? []
          : [
              learnerState(critic.learner, { policy, part: 'critic' }),
              statisticsState(critic.scaling, critic.spec, { policy, part: 'critic' }),
            ]),
        ...(valueScale === null ? [] : [valueScale.state]),
      ]),
      ...frozen.flatMap(({ name: policy, group, network }) =>
        frozenState(policy, network, seats.groups[group], source),
      ),
      ...(league === null ? [] : [league.state]),
      ...parts.state,
      agentsState(runners, seats, {
        numEnvs,
        rolloutLength,
        numPolicies: table.entries.length + (league === null ? 0 : config.selfPlay.maxSnapshots),
        criticSizes: system.criticSizes,
      }),
    ],
    policies: learning
      .map(({ name: policy }) => policy)
      .filter((policy) => !league?.exploiters.includes(policy)),
    runners,
    staging: { runners, source, curriculum: system.curriculum, check: checkAgentsOptions },
    evaluation: createAgentsEvaluation(system, config),
    ...(parts.setSchedule === undefined ? {} : { setSchedule: parts.setSchedule }),
    stop: system.stop,
  });
}

/** Past versions are kept, and exploiters begin anew, where that is due. */
function moveLeague<C extends AgentsConfig>(
  { learning }: AgentsSystem<C>,
  league: RunningLeague,
  { selfPlay, debugging }: AgentsConfig,
  groups: CollectedAgents['groups'],
): void {
  const named = (policy: string) => {
    const found = learning.find(({ name }) => name === policy);
    if (found === undefined) throw new TypeError(`Nobody called ${policy} learns.`);
    return found;
  };
  const weightsOf = (policy: string) => {
    const { learner, scaling } = named(policy);
    return { parameters: learner.readParameters(), statistics: scaling.statistics };
  };
  for (const { policy, generation } of league.keep(weightsOf, groups)) {
    if (selfPlay.exploiterReset === 'learner') becomeAs(named(policy), named(league.learner));
    else beginAfresh(named(policy), debugging.seed, generation);
  }
}

/** Who plays: a run goes on among the same agents with the same policies only. */
function castState<C extends AgentsConfig>({ source, seats, table, learning }: AgentsSystem<C>): StatePart {
  const cast: JsonObject = {
    agents: Object.fromEntries(
      seats.names.map((agent, s) => {
        const { observationSpace, actionSpace } = seats.groups[seats.groupOf[s]].spaces;
        return [
          agent,
          { observationSpace: spaceToJson(observationSpace), actionSpace: spaceToJson(actionSpace) },
        ];
      }),
    ),
    policies: Object.fromEntries(table.entries.map(({ name, acts: { kind } }) => [name, kind])),
  };
  const hasDefault = table.entries.some(({ name }) => name === DEFAULT_POLICY);
  const [first] = learning;
  const engine = first === undefined ? {} : { engine: first.learner.engine, backend: first.learner.backend };
  return {
    name: 'agents',
    files: ['cast.json'],
    identity: {
      here: { environment: source.id, cast },
      there: ({ description, json }) => ({
        environment: description.environment ?? null,
        cast: json['cast.json'] ?? null,
      }),
    },
    getState: () => ({
      description: hasDefault ? {} : { environment: source.id, ...engine },
      json: { 'cast.json': cast },
    }),
    readState: () => () => undefined,
  };
}

function createBanner<C extends AgentsConfig>(name: string, config: C, system: AgentsSystem<C>): string[] {
  const { runners, seats, source, table, learning } = system;
  const { numEnvs, rolloutLength } = config.envRunners;
  const numThreads = runners.numEnvRunners;
  const threads =
    numThreads === 0 ? 'in process' : `in ${numThreads} worker thread${numThreads === 1 ? '' : 's'}`;
  const who = seats.names.map((agent, s) => {
    const names = table.assignment[s].map((index) => table.entries[index].name);
    return `${agent}: ${names.join(' | ')}`;
  });
  const shown = who.length > 8 ? [...who.slice(0, 8), `and ${who.length - 8} more`] : who;
  const learners = learning.map(({ name: policy }) => policy).join(', ') || 'nobody';
  const backend = learning[0]?.learner.backend ?? 'none';
  return [
    `${name} on ${source.id}: ${numEnvs} environments x ${rolloutLength} steps ${threads}, seed ${config.debugging.seed}; ${shown.join(', ')}`,
    `learning: ${learners}; engine simd: ${backend}`,
  ];
}
