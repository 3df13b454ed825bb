/** What episodes of several agents tell, by agent and by policy. */
import type { AgentSummary, EpisodeSummary } from '../../rollout/episode-summary.ts';

/** Key of a metric of one agent or policy: `agent/x/returnMean`. */
export type AgentMetrics = Record<`agent/${string}` | `policy/${string}`, number>;

/** What learning tells of one policy, as in a run with one agent. */
export type StudentMetrics = Partial<Record<string, number>>;

/** Keys of what learning tells: those of a run with one agent for the only policy that learns, or for the one that a league is for. */
export function nameStudents(
  students: readonly { readonly name: string }[],
  league: { readonly learner: string } | null,
): (policy: string, key: string) => string {
  const first = students.length === 1 ? students[0].name : league?.learner;
  return (policy, key) => (policy === first ? key : key.replace(/^train\//, `policy/${policy}/`));
}

/** Means over the episodes that ended; nothing where none did, no outcome where the environment tells none. */
export function tellAgents(episodes: readonly EpisodeSummary[]): AgentMetrics {
  const told: AgentMetrics = {};
  tellBy(told, 'agent', episodes, ({ agent }) => agent);
  tellBy(told, 'policy', episodes, ({ policy }) => (policy.includes('@') ? 'past' : policy)); // snapshots are told as one
  return told;
}

function tellBy(
  told: AgentMetrics,
  prefix: 'agent' | 'policy',
  episodes: readonly EpisodeSummary[],
  nameOf: (part: AgentSummary) => string,
): void {
  const sums = new Map<string, { games: number; returns: number; outcomes: number; numOutcomes: number }>();
  for (const { agents = [] } of episodes) {
    for (const part of agents) {
      const name = nameOf(part);
      const sum = sums.get(name) ?? { games: 0, returns: 0, outcomes: 0, numOutcomes: 0 };
      sums.set(name, sum);
      sum.games += 1;
      sum.returns += part.episodeReturn;
      if (part.outcome === null) continue;
      sum.outcomes += part.outcome;
      sum.numOutcomes += 1;
    }
  }
  for (const [name, { games, returns, outcomes, numOutcomes }] of sums) {
    told[`${prefix}/${name}/returnMean`] = returns / games;
    if (numOutcomes > 0) told[`${prefix}/${name}/outcomeMean`] = outcomes / numOutcomes;
  }
}
