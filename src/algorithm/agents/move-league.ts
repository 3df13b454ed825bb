/** Self-play between two iterations. */
import type { CollectedAgents } from '../../rollout/agents/agents-runner-group.ts';
import type { ActingWeights, RunningLeague } from '../league/league.ts';
import type { SelfPlayConfig } from '../league/plan-league.ts';

/** P = a policy that learns. */
export interface LeagueMoves<P> {
  /** What it acts with; the caller's. */
  readonly weightsOf: (policy: P) => ActingWeights;
  /** First weights of a generation, and nothing learned. */
  readonly beginAfresh: (policy: P, generation: number) => void;
  /** What another one is, and nothing learned since. */
  readonly becomeAs: (policy: P, other: P) => void;
}

/** Past versions are kept, and exploiters begin anew, where that is due. */
export function moveLeague<P extends { readonly name: string }>(
  learning: readonly P[],
  league: RunningLeague,
  { exploiterReset }: Pick<SelfPlayConfig, 'exploiterReset'>,
  groups: CollectedAgents['groups'],
  { weightsOf, beginAfresh, becomeAs }: LeagueMoves<P>,
): void {
  const named = (policy: string) => {
    const found = learning.find(({ name }) => name === policy);
    if (found === undefined) throw new TypeError(`Nobody called ${policy} learns.`);
    return found;
  };
  for (const { policy, generation } of league.keep((name) => weightsOf(named(name)), groups)) {
    if (exploiterReset === 'learner') becomeAs(named(policy), named(league.learner));
    else beginAfresh(named(policy), generation);
  }
}
