/** Acts with weights that a page got of its trainer, one observation at a time. */
import { createActionMapping } from '../src/acting/action-mapping.ts';
import { createKernelActor } from '../src/acting/batch-actor.ts';
import { unflattenAction } from '../src/env/flatten-action.ts';
import { flattenObservation } from '../src/env/flatten-space.ts';
import type { Space } from '../src/env/spaces.ts';
import type { ActionArray } from '../src/env/vector-env.ts';
import type { ActingSpec } from '../src/policy/policy-spec.ts';
import type { KernelModule } from '../src/simd/kernels.ts';
import type { PolicyWeights } from './training.ts';

export interface PageActor {
  setWeights(weights: PolicyWeights): void;
  /** The most likely action, as the environment's `step` takes it. @param mask 1 = allowed, where actions are masked. */
  act(observation: unknown, mask?: ArrayLike<number>): unknown;
}

/**
 * @param kernels for unshared memory.
 * @param spaces of the environment that it acts in.
 * Cost: a small memory of its own; an action some microseconds.
 */
export function createPageActor(
  kernels: KernelModule,
  spec: ActingSpec,
  weights: PolicyWeights,
  spaces: { readonly observationSpace: Space; readonly actionSpace: Space },
): PageActor {
  const actor = createKernelActor(kernels, spec, weights.parameters.length, 1);
  const mapAction = createActionMapping(spec);
  const mapped: ActionArray = actor.actions.slice();
  const setWeights = ({ parameters, statistics }: PolicyWeights) => actor.setWeights(parameters, statistics);
  setWeights(weights);
  return {
    setWeights,
    act(observation, mask) {
      flattenObservation(spaces.observationSpace, observation, actor.observations, 0);
      if (mask !== undefined) actor.masks?.set(mask);
      actor.actNow(1, true);
      mapAction(actor.actions, 0, mapped, 0);
      return unflattenAction(spaces.actionSpace, mapped, 0);
    },
  };
}
