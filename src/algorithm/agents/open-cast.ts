/** Who acts for whom in an episode that is shown, as a run's options say. */
import type { CheckpointContent } from '../../checkpoint/content.ts';
import type { MultiAgentEnv } from '../../env/agents/multi-agent-env.ts';
import { createSeatLayout, seatsOf } from '../../env/agents/seat-layout.ts';
import { sampleAllowed } from '../../env/sample-allowed.ts';
import type { Space } from '../../env/spaces.ts';
import { ConfigError } from '../../errors.ts';
import { locateModule } from '../../modules/module-reference.ts';
import { openStream, type Stream } from '../../random/streams.ts';
import { importScript } from '../../rollout/agents/create-batches.ts';
import type { SelfPlayConfig } from '../league/plan-league.ts';
import { loadPolicy, openContentPolicy } from '../load-policy.ts';
import {
  createPolicyTable,
  createSelfPlayTable,
  type ExploiterCounts,
  type PoliciesConfig,
  type TableEntry,
} from './policy-table.ts';

/** Chooses an agent's actions in one episode after another. */
export interface SeatPlayer {
  reset(seed: number): void;
  act(observation: unknown, mask: ArrayLike<number> | undefined, deterministic: boolean): unknown;
}

/** By agent. */
export type Cast = ReadonlyMap<string, SeatPlayer>;

export interface CastOptions {
  readonly content: CheckpointContent;
  /** Of the checkpoint, for messages. */
  readonly path: string;
  /** The run's. */
  readonly config: PoliciesConfig;
  /** Its learner takes all seats then, where `policyFor` does not say otherwise. */
  readonly isSelfPlay: boolean;
  /** Of self-play. @defaultValue none */
  readonly exploiters?: ExploiterCounts;
  /** Instead of the run's own, for the agents that it names. */
  readonly policyFor?: Readonly<Record<string, string | readonly string[]>>;
  /** Where policies take turns, entry `turn` mod length acts. */
  readonly turn: number;
}

/** Of a run with several agents. */
export function castOptions({
  multiAgent,
  selfPlay,
}: {
  readonly multiAgent?: PoliciesConfig | undefined;
  readonly selfPlay?: SelfPlayConfig | undefined;
}): Pick<CastOptions, 'config' | 'isSelfPlay' | 'exploiters'> {
  if (multiAgent === undefined) throw refuse('the algorithm knows one agent alone');
  const isSelfPlay = selfPlay !== undefined && selfPlay.selfPlay !== 'off';
  return { config: multiAgent, isSelfPlay, ...(isSelfPlay && { exploiters: selfPlay }) };
}

/**
 * @throws ConfigError `CONFIG_POLICY` for an agent or a policy that there is not; what loading a policy throws. Past versions of self-play cannot
 * be named: only the run itself has them at hand.
 */
export async function openCast(env: MultiAgentEnv, envId: string, options: CastOptions): Promise<Cast> {
  const { config, isSelfPlay, exploiters = NO_EXPLOITERS, policyFor = {}, turn } = options;
  const seats = createSeatLayout(seatsOf(env, envId));
  for (const agent of Object.keys(policyFor))
    if (!seats.names.includes(agent))
      throw refuse(`there is no agent \`${agent}\`, but ${seats.names.join(', ')}`);
  const cast = new Map<string, SeatPlayer>();
  const { entries, choices } = isSelfPlay
    ? selfPlayChoices(config, seats, exploiters)
    : tableChoices(config, seats);
  for (const [s, agent] of seats.names.entries()) {
    const names = [policyFor[agent] ?? choices[s]].flat();
    const name = names[turn % names.length];
    const entry = entries.find((each) => each.name === name);
    if (entry === undefined)
      throw refuse(
        `there is no policy \`${name}\` to be shown, but ${entries.map((each) => each.name).join(', ')}`,
      );
    if (entry.group !== seats.groupOf[s])
      throw refuse(`the policy \`${name}\` has other spaces than the agent ${agent}`);
    cast.set(agent, await openPlayer(entry, env.agents[agent].actionSpace, agent, options));
  }
  return cast;
}

type Seats = ReturnType<typeof createSeatLayout>;

function tableChoices(config: PoliciesConfig, seats: Seats) {
  const { entries, assignment } = createPolicyTable(config, seats);
  return { entries, choices: assignment.map((list) => list.map((p) => entries[p].name)) };
}

const NO_EXPLOITERS: ExploiterCounts = { mainExploiters: 0, leagueExploiters: 0 };

function selfPlayChoices(config: PoliciesConfig, seats: Seats, exploiters: ExploiterCounts) {
  const { entries, learner } = createSelfPlayTable(config, seats, exploiters);
  return { entries, choices: seats.names.map(() => [entries[learner].name]) };
}

async function openPlayer(
  { name, acts }: TableEntry,
  actionSpace: Space,
  agent: string,
  { content, path }: CastOptions,
): Promise<SeatPlayer> {
  if (acts.kind === 'random')
    return chancePlayer(agent, (mask, stream) => sampleAllowed(actionSpace, mask, stream));
  if (acts.kind === 'module') {
    const { url, exportName = 'default' } = locateModule(acts.reference, {
      code: 'CONFIG_POLICY',
      what: 'policy',
    });
    const script = await importScript({ name }, { kind: 'module', module: url, export: exportName });
    return chancePlayer(agent, (mask, stream, observation) => {
      const actionMask = mask === undefined ? null : Uint8Array.from(mask);
      return script(observation, { agent, actionMask, random: () => stream.uniform() });
    });
  }
  const policy =
    acts.kind === 'network'
      ? await openContentPolicy(content, path, { policy: name })
      : await loadPolicy(acts.path, { policy: acts.policy });
  const actor = policy.actor();
  return {
    reset: (seed) => actor.reset(seed),
    act: (observation, mask, deterministic) =>
      actor.actAsync(observation, { deterministic, ...(mask !== undefined && { actionMask: mask }) }),
  };
}

function chancePlayer(
  agent: string,
  choose: (mask: ArrayLike<number> | undefined, stream: Stream, observation: unknown) => unknown,
): SeatPlayer {
  let stream = openStream(0, 'action', agent);
  return {
    reset(seed) {
      stream = openStream(seed, 'action', agent);
    },
    act: (observation, mask) => choose(mask, stream, observation),
  };
}

function refuse(reason: string): ConfigError {
  return new ConfigError('CONFIG_POLICY', `The episode cannot be shown: ${reason}.`);
}
