/** Everybody's weights, into where those who act read them. */
import { openWeightBuffer, type WeightBufferLayout } from '../../weights/weight-buffer.ts';
import type { CentralCritic, LearningPolicy, PreparedPolicy } from './agents-policies.ts';
import { publisherOfFrozen } from './network-policy.ts';
import type { ValueScale } from './value-scale.ts';

/** @returns publishes them; returns the version, the same for all. */
export function createPublishing<C>(
  buffer: ArrayBufferLike,
  prepared: readonly PreparedPolicy<C>[],
  learning: readonly LearningPolicy<C>[],
): () => number {
  const publishers = prepared.flatMap(({ plan: { acts }, frozen }, index) => {
    if (acts.kind !== 'network') return [];
    if (frozen !== null) return [publisherOfFrozen(buffer, acts.weights, frozen)];
    const policy = learning.find((candidate) => candidate.index === index) as LearningPolicy<C>;
    const { critic, valueScale } = policy;
    const own = publisherOf(buffer, acts.weights, policy, valueScale);
    if (critic === null || acts.critic === null) return [own];
    return [own, publisherOf(buffer, acts.critic.weights, critic, valueScale)];
  });
  let numPublished = 0; // without a network nobody has a version
  return () => {
    for (const publish of publishers) publish();
    return numPublished++;
  };
}

function publisherOf(
  buffer: ArrayBufferLike,
  layout: WeightBufferLayout,
  { learner, scaling }: Pick<CentralCritic, 'learner' | 'scaling'>,
  valueScale: ValueScale | null,
): () => void {
  const weights = openWeightBuffer(buffer, layout);
  const parameters = new Float32Array(layout.parameterCount); // [parameterCount] f32
  return () => {
    learner.readParameters(parameters);
    valueScale?.toReturns(parameters, learner.layout);
    const { statistics } = scaling;
    weights.publish(parameters, statistics?.mean ?? null, statistics?.inverseStd ?? null);
  };
}
