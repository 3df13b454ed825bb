/** Evaluation of several policies as they are: whole episodes, with whom the run says or with named opponents. */
import type { commonOptions } from '../../config/common-options.ts';
import type { ResolvedConfig } from '../../config/option.ts';
import { ConfigError } from '../../errors.ts';
import type { SeatAssignment } from '../../rollout/agents/policy-plan.ts';
import { meansOf } from '../../rollout/metric-sums.ts';
import type { PlayedEpisodes, PlayedSeats, PlayRequest } from '../../rollout/play-episodes.ts';
import { meanInterval } from '../../statistics/student.ts';
import type { AgentEvaluation, EvaluationResult } from '../algorithm.ts';
import type { Evaluation } from '../evaluation.ts';
import type { AgentsConfig } from './agents-policies.ts';
import type { AgentsSystem } from './agents-system.ts';

type EvaluationConfig = Pick<ResolvedConfig<typeof commonOptions>, 'evaluation'>;

/** Episodes 0 .. numEpisodes - 1 of the evaluation's own seed, the same for every number of runners and of environments. */
export function createAgentsEvaluation<C extends AgentsConfig>(
  system: AgentsSystem<C>,
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
        ...(options.policyFor === undefined ? {} : { assignment: assignmentOf(system, options.policyFor) }),
      };
      const { signal } = options;
      signal?.throwIfAborted();
      system.publish();
      const played = await system.runners.play(request, signal);
      signal?.throwIfAborted(); // then the episodes were cut somewhere
      return summarize(system, played);
    },
    close: () => undefined,
  };
}

/** @throws ConfigError `CONFIG_POLICY` for an agent or a policy that there is not, or one with other spaces. */
function assignmentOf<C extends AgentsConfig>(
  { seats, table }: AgentsSystem<C>,
  policyFor: Readonly<Record<string, string | readonly string[]>>,
): SeatAssignment {
  const names = table.entries.map(({ name }) => name);
  for (const agent of Object.keys(policyFor)) {
    if (!seats.names.includes(agent))
      throw refuse(`there is no agent \`${agent}\`, but ${seats.names.join(', ')}`);
  }
  return seats.names.map((agent, s) => {
    const given = policyFor[agent];
    if (given === undefined) return table.assignment[s];
    return [given].flat().map((name) => {
      const index = names.indexOf(name);
      if (index < 0) throw refuse(`there is no policy \`${name}\`, but ${names.join(', ')}`);
      if (table.entries[index].group !== seats.groupOf[s])
        throw refuse(`the policy \`${name}\` has other spaces than agent \`${agent}\``);
      return index;
    });
  });
}

function refuse(reason: string): ConfigError {
  return new ConfigError('CONFIG_POLICY', `The evaluation cannot be played: ${reason}.`);
}

function summarize<C extends AgentsConfig>(
  { seats, learning, table }: AgentsSystem<C>,
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
