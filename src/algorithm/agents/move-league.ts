/** Self-play between two iterations. */
import type { CollectedAgents } from '../../rollout/agents/agents-runner-group.ts';
import type { RunningLeague } from '../league/league.ts';
import type { AgentsConfig } from './agents-policies.ts';
import type { AgentsSystem } from './agents-system.ts';
import { becomeAs, beginAfresh } from './begin-anew.ts';

/** Past versions are kept, and exploiters begin anew, where that is due. */
export function moveLeague<C extends AgentsConfig>(
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
