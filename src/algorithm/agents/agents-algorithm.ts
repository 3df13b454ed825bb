/** An algorithm among several agents: the shell around a stage on which several policies act and learn. */
import type { StatePart } from '../../checkpoint/state-part.ts';
import { configToJson } from '../../config/option.ts';
import { spaceToJson } from '../../env/space-json.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import type { Algorithm } from '../algorithm.ts';
import { checkAgentsOptions } from '../curriculum/check-options.ts';
import { DEFAULT_POLICY } from '../policy-names.ts';
import { createAlgorithm, type Iteration } from '../shell.ts';
import { createAgentsEvaluation } from './agents-evaluation.ts';
import type { AgentsStage, StageConfig } from './agents-stage.ts';
import { agentsState } from './agents-state.ts';
import { frozenState } from './network-policy.ts';

export interface AgentsAlgorithmParts {
  readonly name: string;
  readonly config: StageConfig;
  readonly stage: AgentsStage;
  /** Of what learns; null = nobody does. */
  readonly engine: { readonly engine: string; readonly backend: string } | null;
  /** Steps of each environment in one call of `collect`. */
  readonly rolloutLength: number;
  /** Of self-play: past versions that there may be. */
  readonly numPast: number;
  /** Collect, learn, and so on, once; `numEnvSteps` = steps before this iteration. */
  readonly iterate: (numEnvSteps: number) => Promise<Iteration>;
  /** As `ShellParts.isHalfDone`. */
  readonly isHalfDone: () => boolean;
  /** Of the policies that learn: networks, optimizers, statistics. */
  readonly policyState: readonly StatePart[];
  /** The algorithm's own part of a checkpoint. */
  readonly state: readonly StatePart[];
  /** For people, beside the engine; absent = nothing. */
  readonly remembers?: string;
  readonly setSchedule?: (name: string, schedule: JsonValue) => void;
  /** Before the stage stops. */
  readonly settle?: () => Promise<void>;
}

export function createAgentsAlgorithm(parts: AgentsAlgorithmParts): Algorithm {
  const { name, config, stage, rolloutLength } = parts;
  const { runners, seats, learning, frozen, source, table, league } = stage;
  const { numEnvs } = config.envRunners;
  return createAlgorithm({
    name,
    config,
    configJson: { algorithm: name, ...configToJson(config) },
    banner: createBanner(parts),
    iterate: parts.iterate,
    isHalfDone: parts.isHalfDone,
    state: [
      castState(parts),
      ...parts.policyState,
      ...frozen.flatMap(({ name: policy, group, network }) =>
        frozenState(policy, network, seats.groups[group], source),
      ),
      ...(league === null ? [] : [league.state]),
      ...parts.state,
      agentsState(runners, seats, {
        numEnvs,
        rolloutLength,
        numPolicies: table.entries.length + parts.numPast,
        criticSizes: stage.criticSizes,
      }),
    ],
    policies: learning
      .map(({ name: policy }) => policy)
      .filter((policy) => !league?.exploiters.includes(policy)),
    runners,
    staging: { runners, source, curriculum: stage.curriculum, check: checkAgentsOptions },
    evaluation: createAgentsEvaluation(stage, config),
    ...(parts.setSchedule === undefined ? {} : { setSchedule: parts.setSchedule }),
    async stop() {
      await parts.settle?.();
      await stage.stop();
    },
  });
}

/** Who plays: a run goes on among the same agents with the same policies only. */
function castState({ stage: { source, seats, table }, engine }: AgentsAlgorithmParts): StatePart {
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
  const engineJson = engine === null ? {} : { engine: engine.engine, backend: engine.backend };
  const hasDefault = table.entries.some(({ name }) => name === DEFAULT_POLICY);
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
      description: hasDefault ? {} : { environment: source.id, ...engineJson },
      json: { 'cast.json': cast },
    }),
    readState: () => () => undefined,
  };
}

function createBanner({
  name,
  config,
  stage,
  engine,
  rolloutLength,
  remembers,
}: AgentsAlgorithmParts): string[] {
  const { runners, seats, source, table, learning } = stage;
  const { numEnvs } = config.envRunners;
  const numThreads = runners.numEnvRunners;
  const threads =
    numThreads === 0 ? 'in process' : `in ${numThreads} worker thread${numThreads === 1 ? '' : 's'}`;
  const who = seats.names.map((agent, s) => {
    const names = table.assignment[s].map((index) => table.entries[index].name);
    return `${agent}: ${names.join(' | ')}`;
  });
  const shown = who.length > 8 ? [...who.slice(0, 8), `and ${who.length - 8} more`] : who;
  const learners = learning.map(({ name: policy }) => policy).join(', ') || 'nobody';
  return [
    `${name} on ${source.id}: ${numEnvs} environments x ${rolloutLength} steps ${threads}, seed ${config.debugging.seed}; ${shown.join(', ')}`,
    `learning: ${learners}; engine simd: ${engine?.backend ?? 'none'}${remembers === undefined ? '' : `; ${remembers}`}`,
  ];
}
