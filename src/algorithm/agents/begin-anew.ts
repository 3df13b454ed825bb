/** A policy that learns from rollouts, as self-play keeps it and has it begin anew. */
import type { Learner } from '../../learner/learner.ts';
import { initializeParameters } from '../../policy/initialize.ts';
import type { PolicySpec } from '../../policy/policy-spec.ts';
import { beginAfresh as beCuriousAfresh, becomeAs as beCuriousAs } from '../curiosity/begin-again.ts';
import { policyStream } from '../policy-names.ts';
import type { LearningPolicy } from './agents-policies.ts';
import type { LeagueMoves } from './move-league.ts';

export function onPolicyMoves<C>(seed: number): LeagueMoves<LearningPolicy<C>> {
  return {
    weightsOf: ({ learner, scaling }) => ({
      parameters: learner.readParameters(),
      statistics: scaling.statistics,
    }),
    beginAfresh: (policy, generation) => beginAfresh(policy, seed, generation),
    becomeAs,
  };
}

/**
 * First weights of a generation, a function of the master seed, the policy's name and the generation; an optimizer that has seen nothing.
 * Statistics of observations and values are about the game more than about who plays it, and stay. A curious policy has seen nothing either.
 */
function beginAfresh<C>(policy: LearningPolicy<C>, seed: number, generation: number): void {
  const { name, spec, learner, critic, curiosity } = policy;
  const own = `${name}#${generation}`;
  const begin = (network: PolicySpec, target: Learner, purpose: string) => {
    target.writeParameters(initializeParameters(network, target.layout, policyStream(seed, purpose, own)));
    forgetMoments(target);
  };
  begin(spec, learner, 'initialize');
  if (critic !== null) begin(critic.spec, critic.learner, 'initialize-critic');
  if (curiosity !== null) beCuriousAfresh(curiosity.parts, seed, own);
}

/** Weights and statistics of another policy of the same kind; an optimizer that has seen nothing. */
function becomeAs<C>(policy: LearningPolicy<C>, other: LearningPolicy<C>): void {
  const parts = [
    [policy, other],
    [policy.critic, other.critic],
  ] as const;
  for (const [to, from] of parts) {
    if (to === null || from === null) continue;
    to.learner.writeParameters(from.learner.readParameters());
    to.scaling.setState(from.scaling.getState());
    forgetMoments(to.learner);
  }
  if (policy.curiosity !== null && other.curiosity !== null)
    beCuriousAs(policy.curiosity.parts, other.curiosity.parts);
  if (other.valueScale !== null) policy.valueScale?.setMoments(other.valueScale.moments());
}

function forgetMoments(learner: Learner): void {
  const { size } = learner.layout;
  learner.writeOptimizerState({ step: 0, m: new Float32Array(size), v: new Float32Array(size) });
}
