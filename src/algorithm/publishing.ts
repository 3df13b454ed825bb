/** Who acts with which weights: runners, central inference and evaluation, all from one call. */
import type { Learner } from '../learner/learner.ts';
import type { TensorFlowPolicy } from '../learner/tensorflow/central-policy.ts';
import type { Arena } from '../memory/arena.ts';
import {
  type BatchActor,
  createCentralBatchActor,
  createKernelActor,
  type KernelActor,
} from '../policy/batch-actor.ts';
import type { PolicySpec } from '../policy/policy-spec.ts';
import type { KernelModule } from '../simd/kernels.ts';
import { openWeightBuffer, type WeightBufferLayout } from '../weights/weight-buffer.ts';
import type { ObservationScaling } from './observation-statistics.ts';

export interface PublishingParts {
  readonly kernels: KernelModule;
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
  /** Acts with the weights published last. The latest actor replaces the one before. */
  createActor(maxRows: number): BatchActor;
}

export function createPublishing(parts: PublishingParts): Publishing {
  const { kernels, spec, learner, central, scaling, arena, weightLayout } = parts;
  const weights = openWeightBuffer(arena.buffer, weightLayout);
  const parameters = new Float32Array(learner.layout.size); // [parameters] f32, reused
  let actor: KernelActor | null = null;
  return {
    publish() {
      learner.readParameters(parameters);
      const { statistics } = scaling;
      central?.publish(parameters, statistics);
      actor?.setWeights(parameters, statistics);
      return weights.publish(parameters, statistics?.mean ?? null, statistics?.inverseStd ?? null);
    },
    createActor(maxRows) {
      if (spec.network.kind !== 'mlp' && central !== null)
        return createCentralBatchActor(central, spec, maxRows);
      actor = createKernelActor(kernels, spec, learner.layout.size, maxRows);
      return actor;
    },
  };
}
