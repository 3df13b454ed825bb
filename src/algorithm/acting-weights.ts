/** Who acts with which weights of a model: its acting network's part, published with how far actions may stray. */

import { type BatchActor, createCentralBatchActor } from '../acting/batch-actor.ts';
import type { ObjectiveLearner } from '../learner/objective-learner.ts';
import type { TensorFlowPolicy } from '../learner/tensorflow/central-policy.ts';
import type { Arena } from '../memory/arena.ts';
import { type ActingNetwork, actingRanges } from '../policy/networks/acting-network.ts';
import { type ActingSpec, isKernelNetwork } from '../policy/policy-spec.ts';
import { type Exploration, NO_EXPLORATION } from '../weights/exploration.ts';
import { openWeightBuffer, type WeightBufferLayout } from '../weights/weight-buffer.ts';
import type { ObservationScaling } from './observation-statistics.ts';

export interface ActingWeightsParts {
  readonly spec: ActingSpec;
  readonly acting: ActingNetwork;
  readonly learner: ObjectiveLearner;
  readonly central: TensorFlowPolicy | null;
  readonly scaling: ObservationScaling;
  readonly arena: Arena;
  readonly weightLayout: WeightBufferLayout;
}

export interface ActingWeights {
  /**
   * Makes the learner's acting network what everybody acts with, and returns its version. Cost: a copy of the acting parameters where
   * they have changed since this slot was written (two versions ago), else under a microsecond.
   *
   * @param exploration default: that of the version before.
   * @param perturb moves this version's copy of the acting parameters, f32 [acting parameters]; absent = it acts with them as they are.
   */
  publish(exploration?: Exploration, perturb?: (parameters: Float32Array) => void): number;
  /** The learner's parameters have changed: what `publish` copied before is stale. */
  noteUpdate(): void;
  /** For networks that runners cannot run: an actor in the main thread. null = the runners act. */
  readonly createCentralActor: ((maxRows: number) => BatchActor) | null;
}

const NEVER = -1;

export function createActingWeights(parts: ActingWeightsParts): ActingWeights {
  const { spec, acting, learner, central, scaling, arena, weightLayout } = parts;
  const weights = openWeightBuffer(arena.buffer, weightLayout);
  const ranges = actingRanges(learner.model, acting);
  const isCentral = central !== null && !isKernelNetwork(spec.network);
  const slotStamps = [NEVER, NEVER]; // which state of the learner each slot holds
  let stamp = 0;
  let exploration = NO_EXPLORATION;
  const copyParameters = (target: Float32Array): void => {
    if (ranges.length === 1) {
      learner.readNetwork(ranges[0].name, target); // a view of all of it would be made for nothing, in every step
      return;
    }
    let at = 0;
    for (const { name, size } of ranges) {
      learner.readNetwork(name, target.subarray(at, at + size));
      at += size;
    }
  };
  return {
    publish(given = exploration, perturb) {
      exploration = given;
      const parameters = weights.nextParameters();
      const slot = (weights.version + 1) % 2;
      if (slotStamps[slot] !== stamp) copyParameters(parameters);
      slotStamps[slot] = perturb === undefined ? stamp : NEVER;
      perturb?.(parameters);
      const { statistics } = scaling;
      central?.publish(parameters, statistics, exploration);
      return weights.publish(
        parameters,
        statistics?.mean ?? null,
        statistics?.inverseStd ?? null,
        exploration,
      );
    },
    noteUpdate() {
      stamp += 1;
    },
    createCentralActor: isCentral ? (maxRows) => createCentralBatchActor(central, spec, maxRows) : null,
  };
}
