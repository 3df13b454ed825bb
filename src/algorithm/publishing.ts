/** Who acts with which weights: runners and central inference, from one call. */

import { type BatchActor, createCentralBatchActor } from '../acting/batch-actor.ts';
import type { Learner } from '../learner/learner.ts';
import type { TensorFlowPolicy } from '../learner/tensorflow/central-policy.ts';
import type { Arena } from '../memory/arena.ts';
import { actsInRunners, type PolicySpec } from '../policy/policy-spec.ts';
import { openWeightBuffer, type WeightBufferLayout } from '../weights/weight-buffer.ts';
import type { ObservationScaling } from './observation-statistics.ts';

export interface PublishingParts {
  readonly spec: PolicySpec;
  readonly learner: Learner;
  readonly central: TensorFlowPolicy | null;
  readonly scaling: ObservationScaling;
  readonly arena: Arena;
  readonly weightLayout: WeightBufferLayout;
}

export interface Publishing {
  /** Makes the learner's weights and the frozen statistics those that everybody acts with; returns their version. */
  publish(): number;
  /** For networks that runners cannot run: an actor in the main thread. null = the runners act. */
  readonly createCentralActor: ((maxRows: number) => BatchActor) | null;
}

export function createPublishing(parts: PublishingParts): Publishing {
  const { spec, learner, central, scaling, arena, weightLayout } = parts;
  const weights = openWeightBuffer(arena.buffer, weightLayout);
  const parameters = new Float32Array(learner.layout.size); // [parameters] f32, reused
  const isCentral = central !== null && !actsInRunners(spec.network);
  return {
    publish() {
      learner.readParameters(parameters);
      const { statistics } = scaling;
      central?.publish(parameters, statistics);
      return weights.publish(parameters, statistics?.mean ?? null, statistics?.inverseStd ?? null);
    },
    createCentralActor: isCentral ? (maxRows) => createCentralBatchActor(central, spec, maxRows) : null,
  };
}
