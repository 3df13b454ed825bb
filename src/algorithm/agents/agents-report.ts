/** What episodes of several agents tell, by agent and by policy. */
import type { AgentSummary, EpisodeSummary } from '../../rollout/episode-summary.ts';

/** Key of a metric of one agent or policy: `agent/x/returnMean`. */
export type AgentMetrics = Record<`agent/${string}` | `policy/${string}`, number>;

/** Means over the episodes that ended; nothing where none did, no outcome where the environment tells none. */
export function tellAgents(episodes: readonly EpisodeSummary[]): AgentMetrics {
  const parts = episodes.flatMap(({ agents = [] }) => agents);
  return {
    ...tellBy('agent', parts, ({ agent }) => agent),
    ...tellBy('policy', parts, ({ policy }) => (policy.includes('@') ? 'past' : policy)), // snapshots are told as one
  };
}

function tellBy(
  prefix: 'agent' | 'policy',
  parts: readonly AgentSummary[],
  nameOf: (part: AgentSummary) => string,
): AgentMetrics {
  const told: AgentMetrics = {};
  for (const name of new Set(parts.map(nameOf))) {
    const own = parts.filter((part) => nameOf(part) === name);
    told[`${prefix}/${name}/returnMean`] = mean(own.map(({ episodeReturn }) => episodeReturn));
    const outcomes = own.flatMap(({ outcome }) => (outcome === null ? [] : [outcome]));
    if (outcomes.length > 0) told[`${prefix}/${name}/outcomeMean`] = mean(outcomes);
  }
  return told;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
