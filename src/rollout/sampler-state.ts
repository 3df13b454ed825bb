/** What a sampler keeps, and where its environments write. */

import { createActionMapping, type MapAction } from '../acting/action-mapping.ts';
import { type ActionNoise, createActionNoise } from '../acting/noise.ts';
import type { ActionArray, StepRows, VectorEnv } from '../env/vector-env.ts';
import { hasColumn, openRollout, type RolloutViews } from '../experience/layout.ts';
import { type ActingSpec, actionDtype, actionSize, noiseSize } from '../policy/policy-spec.ts';
import type { RowPolicy } from '../policy/row-policy.ts';
import type { WeightBuffer } from '../weights/weight-buffer.ts';
import { type Acting, createActing } from './acting.ts';
import { addMetric, type MetricSums } from './metric-sums.ts';
import { createRowMemory, type RowMemory } from './row-memory.ts';
import type { SamplingLayout } from './sampling-layout.ts';

export interface SamplerOptions {
  readonly vectorEnv: VectorEnv; // steps rows [firstRow, firstRow + vectorEnv.numRows)
  readonly firstRow: number;
  readonly seed: number;
  readonly spec: ActingSpec;
  readonly buffer: ArrayBufferLike;
  readonly layout: SamplingLayout;
  readonly weights: WeightBuffer;
  /** null under central inference: the main thread acts. */
  readonly policy: RowPolicy | null;
  /** Called after every vector step. */
  readonly onStep?: () => void;
}

/** Where each row's running episode stands. */
export interface EpisodeCounters {
  readonly episodeNumbers: Int32Array; // [rows] i32
  readonly episodeSteps: Int32Array; // [rows] i32
  readonly episodeReturns: Float64Array; // [rows] f64, raw rewards of the running episode
  readonly nextSeeds: Uint32Array; // [rows] u32, seeds of the episodes after the running ones
}

export type SamplerState = EpisodeCounters & {
  readonly options: SamplerOptions;
  readonly sets: readonly RolloutViews[];
  readonly rows: StepRows;
  readonly current: Float32Array | Uint8Array; // [rows, obsSize]
  readonly currentMasks: Uint8Array; // [rows, maskSize] u8
  readonly noise: ActionNoise;
  readonly mapAction: MapAction;
  /** [rows, A] dense, private to this thread */
  readonly envActions: ActionArray;
  readonly acting: Acting | null;
  readonly memory: RowMemory | null;
  readonly keepsFinalObservations: boolean;
  readonly numEnds: Int32Array; // [rows] i32, episodes that ended in the running rollout
};

export function createState(options: SamplerOptions, sums: { taken: MetricSums | null }): SamplerState {
  const { vectorEnv, firstRow, spec, buffer, layout, policy } = options;
  const numRows = vectorEnv.numRows;
  const maskSize = spec.actionMaskSize;
  const sets = layout.setAddresses.map((address) => openRollout(buffer, address, layout.rollout));
  const current = openShared(options, layout.currentObservations);
  const currentMasks = new Uint8Array(buffer, layout.currentMasks + firstRow * maskSize, numRows * maskSize);
  const noiseLength = numRows * noiseSize(spec);
  const noise = new Float32Array(buffer, layout.noise + firstRow * noiseSize(spec) * 4, noiseLength); // [rows, noiseSize] f32
  const rows: StepRows = {
    observations: current,
    observationOffset: 0,
    observationStride: spec.observationSize,
    rewards: sets[0].rewards,
    terminated: sets[0].terminated,
    truncated: sets[0].truncated,
    scalarOffset: 0,
    scalarStride: layout.rollout.rolloutLength,
    actionMasks: maskSize > 0 ? currentMasks : null,
    maskOffset: 0,
    maskStride: maskSize,
    finalObservations: openShared(options, layout.finalObservations),
    onMetric: (_n, name, value) => {
      sums.taken ??= {};
      addMetric(sums.taken, name, value);
    },
  };
  const actionElements = numRows * actionSize(spec.distribution);
  return {
    options,
    sets,
    rows,
    current,
    currentMasks,
    noise: createActionNoise(spec, numRows, noise),
    mapAction: createActionMapping(spec),
    envActions:
      actionDtype(spec.distribution) === 'int32'
        ? new Int32Array(actionElements)
        : new Float32Array(actionElements),
    acting: policy === null ? null : createActing({ policy, spec, layout, firstRow, numRows }),
    memory: createRowMemory(spec, buffer, layout, firstRow, numRows),
    keepsFinalObservations: hasColumn(layout.rollout, 'finalSlots'),
    numEnds: new Int32Array(numRows),
    episodeNumbers: new Int32Array(numRows),
    episodeSteps: new Int32Array(numRows),
    episodeReturns: new Float64Array(numRows),
    nextSeeds: new Uint32Array(numRows),
  };
}

export function aimAtCurrent({ rows, current, currentMasks, options: { spec } }: SamplerState): void {
  rows.observations = current;
  rows.observationOffset = 0;
  rows.observationStride = spec.observationSize;
  rows.actionMasks = spec.actionMaskSize > 0 ? currentMasks : null;
  rows.maskOffset = 0;
  rows.maskStride = spec.actionMaskSize;
}

/** Points the next step's observations and masks at column t of a rollout. */
export function aimAt(
  { rows, options: { spec, firstRow } }: SamplerState,
  rollout: RolloutViews,
  t: number,
): void {
  const T = rollout.rolloutLength;
  const first = firstRow * T + t;
  rows.observations = rollout.observations;
  rows.observationOffset = first * spec.observationSize;
  rows.observationStride = T * spec.observationSize;
  if (spec.actionMaskSize > 0) rows.actionMasks = rollout.actionMasks;
  rows.maskOffset = first * spec.actionMaskSize;
  rows.maskStride = T * spec.actionMaskSize;
}

function openShared(options: SamplerOptions, address: number): Float32Array | Uint8Array {
  const { spec, buffer, firstRow, vectorEnv } = options;
  const first = firstRow * spec.observationSize;
  const length = vectorEnv.numRows * spec.observationSize;
  return spec.observationDtype === 'uint8'
    ? new Uint8Array(buffer, address + first, length)
    : new Float32Array(buffer, address + first * 4, length);
}
