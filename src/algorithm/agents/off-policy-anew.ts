/** A policy that learns from replay, as self-play keeps it and has it begin anew. */
import { actingParameters } from '../../policy/networks/acting-network.ts';
import { initializeModel } from '../../policy/networks/initialize-model.ts';
import { policyStream } from '../policy-names.ts';
import type { LeagueMoves } from './move-league.ts';
import type { OffPolicyLearner } from './off-policy-agents-system.ts';

/** A new generation has an optimizer that has seen nothing and an empty buffer: what is in it was done by, and against, others. */
export function offPolicyMoves<C>(seed: number): LeagueMoves<OffPolicyLearner<C>> {
  return {
    weightsOf: ({ learner, acting, scaling }) => ({
      parameters: actingParameters(learner.model, acting, learner.readParameters()),
      statistics: scaling.statistics,
    }),
    beginAfresh(policy, generation) {
      const { name, learner, parts } = policy;
      const stream = policyStream(seed, 'initialize', `${name}#${generation}`);
      learner.writeParameters(initializeModel(parts.model, stream, parts.initialization));
      forget(policy);
    },
    becomeAs(policy, other) {
      policy.learner.writeParameters(other.learner.readParameters());
      policy.scaling.setState(other.scaling.getState());
      forget(policy);
    },
  };
}

function forget<C>({ learner, replay }: OffPolicyLearner<C>): void {
  const { steps, m, v } = learner.readOptimizerState();
  learner.writeOptimizerState({
    numUpdates: 0,
    steps: Object.fromEntries(Object.keys(steps).map((group) => [group, 0])),
    m: new Float32Array(m.length),
    v: new Float32Array(v.length),
  });
  replay.clear();
}
