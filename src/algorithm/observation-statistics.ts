/** What a policy's observations are shifted and scaled by: running statistics, fixed pixel scaling, or nothing. */

import * as z from 'zod/mini';
import type { CheckpointContent, NamedTensor } from '../checkpoint/content.ts';
import { atField, hasField, momentsSchema, readField } from '../checkpoint/field-state.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import type { WarmStart } from '../checkpoint/warm-start.ts';
import type { Space } from '../env/spaces.ts';
import type { JsonValue } from '../json.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import type { MomentsState } from '../statistics/running-moments.ts';
import { createObservationNormalizer, type ObservedRows } from '../statistics/running-moments.ts';
import type { ObservationStatistics } from '../weights/observation-statistics.ts';
import { folderOf, type LearnerRole, policyField } from './learner-state.ts';
import { inPolicy, NOTHING_WARM } from './warm-policies.ts';

export interface ObservationScaling {
  /** Frozen between calls of `absorb`; null = observations pass unchanged. The arrays stay the same objects. */
  readonly statistics: ObservationStatistics | null;
  /** Whether `absorb` changes anything. */
  readonly isRunning: boolean;
  /** Learns from a rollout, after it has been learnt from. */
  absorb(rollout: ObservedRows): void;
  getState(): MomentsState | null;
  setState(state: MomentsState | null): void;
}

export function createObservationScaling(
  spec: ActingSpec,
  space: Space,
  normalizes: boolean,
): ObservationScaling {
  if (normalizes) {
    const normalizer = createObservationNormalizer(spec.observationSize);
    return {
      statistics: normalizer,
      isRunning: true,
      absorb: normalizer.absorb,
      getState: normalizer.getState,
      setState: (state) => state !== null && normalizer.setState(state),
    };
  }
  return {
    statistics: spec.normalizeObservations ? pixelScaling(spec, space) : null,
    isRunning: false,
    absorb: () => undefined,
    getState: () => null,
    setState: () => undefined,
  };
}

/** mean 0, inverseStd 1 / high: pixels to [0, 1] (detail 22 of the 37). */
function pixelScaling({ observationSize }: ActingSpec, space: Space): ObservationStatistics {
  const high = space.kind === 'box' ? space.high : new Float32Array(observationSize).fill(255);
  return { mean: new Float32Array(observationSize), inverseStd: high.map((bound) => 1 / bound) };
}

/**
 * The statistics' part of a checkpoint: mean and inverseStd f32 [obsSize], under which the weights act, beside these, and the
 * moments that they follow from.
 */
export function statisticsState(
  { statistics, getState, setState }: ObservationScaling,
  { observationSize }: ActingSpec,
  role: LearnerRole = { policy: 'default' },
): StatePart {
  const policy = folderOf(role, role.policy);
  const WEIGHTS = `policies/${policy}/weights.safetensors`;
  const field = policyField(policy, 'observationMoments');
  const schema = z.nullable(momentsSchema(observationSize));
  const tensor = (data: Float32Array): NamedTensor => ({
    dtype: 'float32',
    shape: [observationSize],
    data: data.slice(),
  });
  return {
    name: policy === 'default' ? 'observation statistics' : `observation statistics ${policy}`,
    files: ['state.json'],
    getState: () => ({
      ...(statistics === null
        ? {}
        : {
            tensors: {
              [WEIGHTS]: {
                'observation/mean': tensor(statistics.mean),
                'observation/inverseStd': tensor(statistics.inverseStd),
              },
            },
          }),
      json: { 'state.json': atField(field, getState() as unknown as JsonValue) },
    }),
    readState(content) {
      const moments = readField(content, field, schema);
      return () => setState(moments);
    },
    readWarmStart: (content, { sources }) =>
      Object.hasOwn(sources, role.policy)
        ? readWarmMoments(content, { getState, setState }, observationSize, {
            name: inPolicy(role.policy, role.part === 'critic' ? `critic ${STATISTICS}` : STATISTICS),
            field: policyField(folderOf(role, sources[role.policy]), 'observationMoments'),
          })
        : NOTHING_WARM,
  };
}

const STATISTICS = 'observation statistics';

/** Weights act on what they were trained on only under the statistics of their own run. */
function readWarmMoments(
  content: CheckpointContent,
  { getState, setState }: Pick<ObservationScaling, 'getState' | 'setState'>,
  observationSize: number,
  { name, field }: { readonly name: string; readonly field: readonly string[] },
): WarmStart {
  const leave = (why: string): WarmStart => ({ taken: [], left: [{ name, why }], apply: () => undefined });
  const isHere = getState() !== null;
  const saved = hasField(content, field) ? readField(content, field, z.any()) : null;
  if (saved === null)
    return isHere
      ? leave('not in the checkpoint, whose weights learned from observations as they are')
      : NOTHING_WARM;
  if (!isHere)
    return leave('this run does not normalise observations as that one did: set normalizeObservations');
  const { mean } = saved as { readonly mean?: unknown };
  if (Array.isArray(mean) && mean.length !== observationSize)
    return leave(`of ${mean.length} elements in the checkpoint, ${observationSize} here`);
  const moments = readField(content, field, momentsSchema(observationSize));
  return { taken: [name], left: [], apply: () => setState(moments) };
}
