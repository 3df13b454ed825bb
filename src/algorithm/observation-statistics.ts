/** What a policy's observations are shifted and scaled by: running statistics, fixed pixel scaling, or nothing. */

import type { MomentsState } from '../advantage/running-moments.ts';
import { createObservationNormalizer } from '../advantage/running-moments.ts';
import type { Space } from '../env/spaces.ts';
import type { ObservationStatistics } from '../learner/learner.ts';
import type { PolicySpec } from '../policy/policy-spec.ts';
import type { RolloutViews } from '../rollout/layout.ts';

export interface ObservationScaling {
  /** Frozen between calls of `absorb`; null = observations pass unchanged. The arrays stay the same objects. */
  readonly statistics: ObservationStatistics | null;
  /** Learns from a rollout, after it has been learnt from. */
  absorb(rollout: RolloutViews): void;
  getState(): MomentsState | null;
  setState(state: MomentsState | null): void;
}

export function createObservationScaling(
  spec: PolicySpec,
  space: Space,
  normalizes: boolean,
): ObservationScaling {
  if (normalizes) {
    const normalizer = createObservationNormalizer(spec.observationSize);
    return {
      statistics: normalizer,
      absorb: normalizer.absorb,
      getState: normalizer.getState,
      setState: (state) => state !== null && normalizer.setState(state),
    };
  }
  return {
    statistics: spec.normalizeObservations ? pixelScaling(spec, space) : null,
    absorb: () => undefined,
    getState: () => null,
    setState: () => undefined,
  };
}

/** mean 0, inverseStd 1 / high: pixels to [0, 1] (detail 22 of the 37). */
function pixelScaling({ observationSize }: PolicySpec, space: Space): ObservationStatistics {
  const high = space.kind === 'box' ? space.high : new Float32Array(observationSize).fill(255);
  return { mean: new Float32Array(observationSize), inverseStd: high.map((bound) => 1 / bound) };
}
