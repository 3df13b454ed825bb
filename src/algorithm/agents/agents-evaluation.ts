/** Evaluation of several policies as they are: whole episodes, with whom the run says or with named opponents. */
import type { commonOptions } from '../../config/common-options.ts';
import type { ResolvedConfig } from '../../config/option.ts';
import { ConfigError } from '../../errors.ts';
import type { SeatAssignment } from '../../rollout/agents/policy-plan.ts';
import { meansOf } from '../../rollout/metric-sums.ts';
import type { PlayedEpisodes, PlayedSeats, PlayRequest } from '../../rollout/play-episodes.ts';
import { meanInterval } from '../../statistics/student.ts';
import type { AgentEvaluation, EvaluateOptions, EvaluationResult, OpponentEvaluation } from '../algorithm.ts';
import type { Evaluation } from '../evaluation.ts';
import type { AgentsStage } from './agents-stage.ts';

type EvaluationConfig = Pick<ResolvedConfig<typeof commonOptions>, 'evaluation'>;

/** Episodes 0 .. numEpisodes - 1 of the evaluation's own seed, the same for every number of runners and of environments. */
export function createAgentsEvaluation(
  system: AgentsStage,
  { evaluation: defaults }: EvaluationConfig,
): Evaluation {
  return {
    interval: defaults.evaluationInterval,
    async run(options = {}) {
      const numEpisodes = options.numEpisodes ?? defaults.evaluationEpisodes;
      const request: PlayRequest = {
        episodes: Array.from({ length: numEpisodes }, (_, k) => k),
        deterministic: options.deterministic ?? defaults.evaluationDeterministic,
        seed: options.seed ?? defaults.evaluationSeed,
        numEnvs: defaults.evaluationNumEnvs,
        maxEpisodeSteps: options.maxEpisodeSteps ?? defaults.evaluationMaxEpisodeSteps,
        ...assignmentFor(system, options),
      };
      const { signal } = options;
      signal?.throwIfAborted();
      system.publish();
      const played = await system.runners.play(request, signal);
      signal?.throwIfAborted(); // then the episodes were cut somewhere
      const summary = summarize(system, played);
      const { opponents } = options;
      return opponents === undefined
        ? summary
        : { ...summary, opponents: byOpponent(system, played, opponents) };
    },
    close: () => undefined,
  };
}

/** Who acts for whom, where an evaluation says so. @throws ConfigError `CONFIG_POLICY`. */
function assignmentFor(
  system: AgentsStage,
  { policyFor, opponents }: Pick<EvaluateOptions, 'policyFor' | 'opponents'>,
): Pick<PlayRequest, 'assignment'> {
  if (opponents === undefined)
    return policyFor === undefined ? {} : { assignment: assignmentOf(system, policyFor) };
  if (policyFor !== undefined) throw refuse('`opponents` and `policyFor` exclude each other');
  if (opponents.length === 0) throw refuse('`opponents` names nobody');
  const learner = onlyLearner(system);
  const others = opponents.map((name) => policyNamed(system, name, learner.group));
  const { names } = system.seats;
  const assignment = names.map((_, s) =>
    others.flatMap((other) => names.map((_name, home) => (home === s ? learner.index : other))),
  );
  return { assignment };
}

function onlyLearner({ learning, seats, league }: AgentsStage) {
  const candidates = league === null ? learning : learning.filter(({ name }) => name === league.learner);
  const [first] = candidates;
  if (candidates.length !== 1)
    throw refuse(`\`opponents\` are of one policy that learns, and here ${learning.length} do`);
  if (seats.groups.length !== 1) throw refuse('`opponents` need agents that all have the same spaces');
  return first;
}

/** Index of a policy of the table, or of a past version. */
function policyNamed({ table, league }: AgentsStage, name: string, group: number): number {
  const index = table.entries.findIndex((entry) => entry.name === name);
  const found = index < 0 ? league?.policyOf(name) : index;
  if (found === undefined) {
    const names = new Set([...table.entries.map((entry) => entry.name), ...(league?.names ?? [])]);
    throw refuse(`there is no policy \`${name}\`, but ${[...names].join(', ')}`);
  }
  if (index >= 0 && table.entries[index].group !== group)
    throw refuse(`the policy \`${name}\` has other spaces than the agent that it would act for`);
  return found;
}

/** Episode k is against opponent floor(k / S) mod opponents, from seat k mod S. */
function byOpponent(
  { seats: { names } }: AgentsStage,
  { seats: played = [] }: PlayedEpisodes,
  opponents: readonly string[],
): Readonly<Record<string, OpponentEvaluation>> {
  const S = names.length;
  const placed = played.map((episode, k) => ({
    episode,
    home: k % S,
    opponent: Math.floor(k / S) % opponents.length,
  }));
  const evaluate = (own: typeof placed) =>
    evaluatedParts(
      own.map(({ episode, home }) => ({ value: episode.returns[home], outcome: episode.outcomes[home] })),
    );
  return Object.fromEntries(
    opponents.map((name, o) => {
      const own = placed.filter(({ opponent }) => opponent === o);
      const bySeat = names.map((seat, s) => [seat, evaluate(own.filter(({ home }) => home === s))] as const);
      return [name, { ...evaluate(own), bySeat: Object.fromEntries(bySeat) }];
    }),
  );
}

/** @throws ConfigError `CONFIG_POLICY` for an agent or a policy that there is not, or one with other spaces. */
function assignmentOf(
  system: AgentsStage,
  policyFor: Readonly<Record<string, string | readonly string[]>>,
): SeatAssignment {
  const { seats, table } = system;
  for (const agent of Object.keys(policyFor)) {
    if (!seats.names.includes(agent))
      throw refuse(`there is no agent \`${agent}\`, but ${seats.names.join(', ')}`);
  }
  return seats.names.map((agent, s) => {
    const given = policyFor[agent];
    if (given === undefined) return table.assignment[s];
    return [given].flat().map((name) => policyNamed(system, name, seats.groupOf[s]));
  });
}

function refuse(reason: string): ConfigError {
  return new ConfigError('CONFIG_POLICY', `The evaluation cannot be played: ${reason}.`);
}

function summarize(
  { seats, learning, table }: AgentsStage,
  { lengths, metrics, numCut, seats: played = [] }: PlayedEpisodes,
): EvaluationResult {
  const learners = new Set(learning.map(({ index }) => index));
  const returns = played.map((episode) => countedReturn(episode, learners));
  const returnMean = mean(returns);
  const means = Object.entries(meansOf(metrics)).map(([name, value]) => [`env/${name}`, value] as const);
  const byName = (names: readonly string[], has: (episode: PlayedSeats, s: number, k: number) => boolean) =>
    Object.fromEntries(names.map((name, k) => [name, evaluated(played, (episode, s) => has(episode, s, k))]));
  return {
    returns,
    lengths,
    returnMean,
    returnStd: Math.sqrt(mean(returns.map((value) => (value - returnMean) ** 2))),
    returnInterval: meanInterval(returns),
    lengthMean: mean(lengths),
    numEpisodesCut: numCut,
    metrics: Object.fromEntries(means),
    agents: byName(seats.names, (_episode, s, k) => s === k),
    policies: byName(
      table.entries.map(({ name }) => name),
      ({ policies }, s, k) => policies[s] === k,
    ),
  };
}

/** The sum over those that learn; over all, where none does. */
function countedReturn({ returns, policies }: PlayedSeats, learners: ReadonlySet<number>): number {
  const own = returns.filter((_, s) => learners.has(policies[s]));
  return (own.length > 0 ? own : returns).reduce((sum, value) => sum + value, 0);
}

function evaluated(
  played: readonly PlayedSeats[],
  has: (episode: PlayedSeats, s: number) => boolean,
): AgentEvaluation {
  const parts = played.flatMap((episode) =>
    episode.returns.flatMap((value, s) => (has(episode, s) ? [{ value, outcome: episode.outcomes[s] }] : [])),
  );
  return evaluatedParts(parts);
}

function evaluatedParts(
  parts: readonly { readonly value: number; readonly outcome: number | null }[],
): AgentEvaluation {
  const outcomes = parts.flatMap(({ outcome }) => (outcome === null ? [] : [outcome]));
  const count = (isCounted: (outcome: number) => boolean) => outcomes.filter(isCounted).length;
  return {
    numEpisodes: parts.length,
    returnMean: parts.length === 0 ? null : mean(parts.map(({ value }) => value)),
    wins: count((outcome) => outcome > 0),
    draws: count((outcome) => outcome === 0),
    losses: count((outcome) => outcome < 0),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
