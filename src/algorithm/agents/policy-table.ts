/** From the options `policies`, `policyFor` and `policiesToTrain` to a table: who may act, for whom, and who of them learns. */
import type { SeatLayout } from '../../env/agents/seat-layout.ts';
import { ConfigError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import { isModuleReference } from '../../modules/module-text.ts';
import type { SeatAssignment } from '../../rollout/agents/policy-plan.ts';
import type { DiscountBy } from '../../targets/gae-with-holes.ts';
import { DEFAULT_POLICY } from '../policy-names.ts';

/** Who acts for whom, and who of them learns. */
export interface PoliciesConfig {
  readonly policies: JsonObject;
  readonly policyFor: JsonObject;
  readonly policiesToTrain: readonly string[] | null;
}

export interface MultiAgentConfig extends PoliciesConfig {
  readonly critic: 'own' | 'central';
  readonly normalizeValues: boolean;
  readonly discountBy: DiscountBy;
}

export interface TableEntry {
  readonly name: string;
  /** Group of seats that it acts for. */
  readonly group: number;
  readonly acts: /** `overrides`: options of `training` of its own. */
    | { readonly kind: 'network'; readonly overrides: JsonObject; readonly learns: boolean }
    | { readonly kind: 'random' }
    | { readonly kind: 'module'; readonly reference: string }
    | { readonly kind: 'checkpoint'; readonly path: string; readonly policy: string };
}

export interface PolicyTable {
  /** In the order of names: in this order they learn. */
  readonly entries: readonly TableEntry[];
  readonly assignment: SeatAssignment;
}

/**
 * @throws ConfigError `CONFIG_POLICY` naming the policy or agent that there is not, a policy that nobody plays, one that would act for
 * agents with different spaces.
 */
export function createPolicyTable(config: PoliciesConfig, seats: SeatLayout): PolicyTable {
  const policies = Object.keys(config.policies).length > 0 ? config.policies : defaultPolicies(seats);
  const names = Object.keys(policies).sort();
  const choices = seatChoices(config, seats, names);
  const trained = config.policiesToTrain;
  for (const name of trained ?? []) checkTrainable(name, policies, names);
  const entries = names.map((name): TableEntry => {
    const group = groupOf(name, choices, seats);
    return {
      name,
      group,
      acts: readPolicy(name, policies[name], trained === null || trained.includes(name)),
    };
  });
  return { entries, assignment: choices.map((list) => list.map((name) => names.indexOf(name))) };
}

/** The table of a run of self-play: one that learns, and policies that never change. */
export interface SelfPlayTable extends PolicyTable {
  /** Indices. */
  readonly learner: number;
  readonly anchors: readonly number[];
  readonly exploiters: readonly ExploiterEntry[];
}

export interface ExploiterEntry {
  readonly name: string;
  readonly index: number;
  readonly kind: 'main' | 'league';
}

/** How many policies learn to beat the learner, and how many to beat the league. */
export interface ExploiterCounts {
  readonly mainExploiters: number;
  readonly leagueExploiters: number;
}

/**
 * Of the policies given, or of a learner `default`; a `random` one is added where nobody else stays as they are. The assignment is for
 * evaluation: the learner against each of the others in turn, from every seat. Exploiters stand behind all others and learn as the learner does.
 *
 * @throws ConfigError `CONFIG_POLICY` as `createPolicyTable`, and for seats or policies that self-play is not for.
 */
export function createSelfPlayTable(
  config: PoliciesConfig,
  seats: SeatLayout,
  counts: ExploiterCounts,
): SelfPlayTable {
  const S = seats.names.length;
  if (S < 2 || seats.groups.length > 1)
    throw refuse('self-play is for two agents or more, all with the same spaces and masks');
  if (Object.keys(config.policyFor).length > 0)
    throw refuse('`selfPlay` draws who plays whom: leave `policyFor` out');
  const given: JsonObject =
    Object.keys(config.policies).length > 0 ? config.policies : { [DEFAULT_POLICY]: {} };
  const trained = config.policiesToTrain;
  const names = Object.keys(given).sort();
  for (const name of trained ?? []) checkTrainable(name, given, names);
  const read = (name: string, policy: JsonValue | undefined): TableEntry => {
    const acts = readPolicy(name, policy, trained === null || trained.includes(name));
    return { name, group: 0, acts };
  };
  const isLearner = ({ acts }: TableEntry) => acts.kind === 'network' && acts.learns;
  const own = names.map((name) => read(name, given[name]));
  const entries = own.every(isLearner) ? [...own, read('random', 'random')] : own;
  const learners = entries.filter(isLearner);
  if (learners.length !== 1)
    throw refuse(
      `self-play is of one policy that learns, and here ${learners.length} do: set \`policiesToTrain\``,
    );
  const learner = entries.findIndex(isLearner);
  const anchors = [...entries.keys()].filter((index) => index !== learner);
  const assignment = seats.names.map((_, s) =>
    anchors.flatMap((anchor) => seats.names.map((_name, home) => (home === s ? learner : anchor))),
  );
  const exploiters = nameExploiters(counts).map((each, k) => ({ ...each, index: entries.length + k }));
  for (const { name } of exploiters)
    if (names.includes(name)) throw refuse(`\`${name}\` is the name of an exploiter: call yours otherwise`);
  const all = [...entries, ...exploiters.map(({ name }) => ({ ...entries[learner], name }))];
  return { entries: all, assignment, learner, anchors, exploiters };
}

function nameExploiters({ mainExploiters, leagueExploiters }: ExploiterCounts) {
  const named = (kind: ExploiterEntry['kind'], count: number) =>
    Array.from({ length: count }, (_, k) => ({
      kind,
      name: k === 0 ? `${kind}-exploiter` : `${kind}-exploiter-${k + 1}`,
    }));
  return [...named('main', mainExploiters), ...named('league', leagueExploiters)];
}

/** One policy for each kind of agent, called as the first agent of it where there are several kinds. */
function defaultPolicies({ groups, names }: SeatLayout): JsonObject {
  if (groups.length === 1) return { [DEFAULT_POLICY]: {} };
  return Object.fromEntries(groups.map(({ seats: [first] }) => [names[first], {}]));
}

/** Names of the policies that take turns in each seat. */
function seatChoices({ policies, policyFor }: PoliciesConfig, seats: SeatLayout, names: readonly string[]) {
  const agents = seats.names;
  for (const agent of Object.keys(policyFor)) {
    if (agent === '*' || agents.includes(agent)) continue;
    throw refuse(`\`policyFor\` names the agent \`${agent}\`, and the environment has ${agents.join(', ')}`);
  }
  return agents.map((agent, s) => {
    const given = policyFor[agent] ?? policyFor['*'] ?? impliedPolicy(policies, seats, names, s);
    const list = typeof given === 'string' ? [given] : given;
    const isList = Array.isArray(list) && list.length > 0 && list.every((name) => typeof name === 'string');
    if (!isList) {
      throw refuse(
        `agent \`${agent}\` has no policy: give \`policyFor\` its name, or a list of names that take turns (${names.join(', ')})`,
      );
    }
    for (const name of list as readonly string[]) {
      if (!names.includes(name))
        throw refuse(
          `\`policyFor.${agent}\` names the policy \`${name}\`, and \`policies\` has ${names.join(', ')}`,
        );
    }
    return list as readonly string[];
  });
}

function impliedPolicy(
  policies: JsonObject,
  seats: SeatLayout,
  names: readonly string[],
  s: number,
): JsonValue {
  if (names.length === 1) return names[0];
  if (names.includes(seats.names[s])) return seats.names[s];
  const isDefault = Object.keys(policies).length === 0;
  return isDefault ? seats.names[seats.groups[seats.groupOf[s]].seats[0]] : null;
}

function groupOf(name: string, choices: readonly (readonly string[])[], seats: SeatLayout): number {
  const own = seats.names.flatMap((_, s) => (choices[s].includes(name) ? [s] : []));
  if (own.length === 0)
    throw refuse(
      `nobody plays the policy \`${name}\`: give it to an agent in \`policyFor\`, or leave it out`,
    );
  const groups = new Set(own.map((s) => seats.groupOf[s]));
  if (groups.size === 1) return seats.groupOf[own[0]];
  const agents = own.map((s) => seats.names[s]).join(', ');
  throw refuse(
    `the policy \`${name}\` would act for ${agents}, whose spaces differ: give each kind of agent its own`,
  );
}

function checkTrainable(name: string, policies: JsonObject, names: readonly string[]): void {
  if (!names.includes(name))
    throw refuse(
      `\`policiesToTrain\` names the policy \`${name}\`, and \`policies\` has ${names.join(', ')}`,
    );
  if (readPolicy(name, policies[name], true).kind !== 'network')
    throw refuse(
      `\`policiesToTrain\` names the policy \`${name}\`, which cannot learn: ${JSON.stringify(policies[name])}`,
    );
}

function readPolicy(name: string, given: JsonValue | undefined, learns: boolean): TableEntry['acts'] {
  if (!/^[\w-][\w.-]*$/.test(name))
    throw refuse(`a policy is called \`${name}\`; use letters, digits, dots, dashes and underscores`);
  if (given === 'random') return { kind: 'random' };
  if (typeof given === 'string' && isModuleReference(given)) return { kind: 'module', reference: given };
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) {
    const { checkpoint, policy = DEFAULT_POLICY, ...rest } = given as JsonObject;
    if (checkpoint === undefined) return { kind: 'network', overrides: given as JsonObject, learns };
    if (typeof checkpoint === 'string' && typeof policy === 'string' && Object.keys(rest).length === 0)
      return { kind: 'checkpoint', path: checkpoint, policy };
  }
  throw refuse(
    `the policy \`${name}\` is ${JSON.stringify(given)}; expected {} or options of \`training\`, 'random', a module such as './bot.ts#name', or { checkpoint, policy }`,
  );
}

function refuse(reason: string): ConfigError {
  return new ConfigError('CONFIG_POLICY', `The policies cannot be used: ${reason}.`);
}
