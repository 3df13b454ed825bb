/**
 * The sampler: steps the environments of a contiguous range of rows and writes their part of a rollout.
 *
 * The same code runs in every worker thread and, with `numEnvRunners: 0`, in the main thread.
 */

import { createActionMapping, type MapAction } from '../acting/action-mapping.ts';
import { type ActionNoise, createActionNoise } from '../acting/noise.ts';
import type { ActionArray, StepRows, VectorEnv } from '../env/vector-env.ts';
import { hasColumn, openRollout, type RolloutViews } from '../experience/layout.ts';
import { type ActingSpec, actionDtype, actionSize, noiseSize } from '../policy/policy-spec.ts';
import type { RowPolicy } from '../policy/row-policy.ts';
import { episodeSeed } from '../random/streams.ts';
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
interface EpisodeCounters {
  readonly episodeNumbers: Int32Array; // [rows] i32
  readonly episodeSteps: Int32Array; // [rows] i32
  readonly episodeReturns: Float64Array; // [rows] f64, raw rewards of the running episode
  readonly nextSeeds: Uint32Array; // [rows] u32, seeds of the episodes after the running ones
}

export type Sampler = EpisodeCounters & {
  /** Index of its first environment in the whole run. */
  readonly firstEnv: number;
  readonly numRows: number;
  readonly noise: ActionNoise;
  /** What the policy remembers of each row; null = nothing. */
  readonly memory: RowMemory | null;
  /** Where environments write; current observations by default. */
  readonly rows: StepRows;
  /** Points `rows` at the current observations (and masks). */
  aimAtCurrent(): void;
  /** Collects T steps into block set `set` with the published weights of `version`. */
  collect(set: number, version: number): void;
  begin(set: number): void;
  step(set: number, t: number): void;
  finish(set: number, version: number): void;
  takeMetrics(): MetricSums | null;
};

type SamplerState = EpisodeCounters & {
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

export function createSampler(options: SamplerOptions): Sampler {
  const sums: { taken: MetricSums | null } = { taken: null };
  const state = createState(options, sums);
  const { vectorEnv, firstRow, weights } = options;
  const { acting, noise, memory } = state;
  const numRows = vectorEnv.numRows;
  const T = options.layout.rollout.rolloutLength;
  return {
    firstEnv: options.layout.firstEnv + firstRow,
    numRows,
    noise,
    memory,
    rows: state.rows,
    episodeNumbers: state.episodeNumbers,
    episodeSteps: state.episodeSteps,
    episodeReturns: state.episodeReturns,
    nextSeeds: state.nextSeeds,
    aimAtCurrent: () => aimAtCurrent(state),
    begin: (set) => begin(state, set),
    step: (set, t) => step(state, set, t),
    finish: (set, version) => finish(state, set, version),
    collect(set, version) {
      if (acting === null)
        throw new TypeError('collect() needs a policy; central inference uses begin/step/finish.');
      acting.useWeights(weights.slotAddress(version));
      begin(state, set);
      for (let t = 0; t < T; t++) {
        for (let r = 0; r < numRows; r++) noise.fill(r);
        memory?.record(state.sets[set], t);
        acting.act(set, t);
        step(state, set, t);
      }
      finish(state, set, version);
    },
    takeMetrics() {
      const { taken } = sums;
      sums.taken = null;
      return taken;
    },
  };
}

function createState(options: SamplerOptions, sums: { taken: MetricSums | null }): SamplerState {
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

function aimAtCurrent({ rows, current, currentMasks, options: { spec } }: SamplerState): void {
  rows.observations = current;
  rows.observationOffset = 0;
  rows.observationStride = spec.observationSize;
  rows.actionMasks = spec.actionMaskSize > 0 ? currentMasks : null;
  rows.maskOffset = 0;
  rows.maskStride = spec.actionMaskSize;
}

/** Points the next step's observations and masks at column t of a rollout. */
function aimAt({ rows, options: { spec, firstRow } }: SamplerState, rollout: RolloutViews, t: number): void {
  const T = rollout.rolloutLength;
  const first = firstRow * T + t;
  rows.observations = rollout.observations;
  rows.observationOffset = first * spec.observationSize;
  rows.observationStride = T * spec.observationSize;
  if (spec.actionMaskSize > 0) rows.actionMasks = rollout.actionMasks;
  rows.maskOffset = first * spec.actionMaskSize;
  rows.maskStride = T * spec.actionMaskSize;
}

/** Carries the current observations and masks into column t = 0. */
function begin({ sets, current, currentMasks, options, numEnds }: SamplerState, set: number): void {
  const rollout = sets[set];
  numEnds.fill(0);
  const { observationSize, actionMaskSize } = options.spec;
  for (let r = 0; r < options.vectorEnv.numRows; r++) {
    const i = (options.firstRow + r) * rollout.rolloutLength;
    rollout.observations.set(
      current.subarray(r * observationSize, (r + 1) * observationSize),
      i * observationSize,
    );
    if (actionMaskSize === 0) continue;
    rollout.actionMasks.set(
      currentMasks.subarray(r * actionMaskSize, (r + 1) * actionMaskSize),
      i * actionMaskSize,
    );
  }
}

/** Steps the environments with the actions that lie in column t; what they give goes to t and t + 1. */
function step(state: SamplerState, set: number, t: number): void {
  const { options, sets, rows, envActions, mapAction, episodeReturns, episodeSteps } = state;
  const { firstRow, vectorEnv, spec } = options;
  const rollout = sets[set];
  const T = rollout.rolloutLength;
  const A = actionSize(spec.distribution);
  const numRows = vectorEnv.numRows;
  const { keepsFinalObservations } = state;
  for (let r = 0; r < numRows; r++) {
    mapAction(rollout.actions, ((firstRow + r) * T + t) * A, envActions, r * A);
  }
  if (t + 1 < T) aimAt(state, rollout, t + 1);
  else aimAtCurrent(state);
  rows.rewards = rollout.rewards;
  rows.terminated = rollout.terminated;
  rows.truncated = rollout.truncated;
  rows.scalarOffset = firstRow * T + t;
  vectorEnv.step(envActions, state.nextSeeds, rows);
  for (let r = 0; r < numRows; r++) {
    const i = (firstRow + r) * T + t;
    episodeReturns[r] += rollout.rewards[i];
    episodeSteps[r] += 1;
    if (keepsFinalObservations) rollout.finalSlots[i] = -1;
    if (rollout.terminated[i] !== 0 || rollout.truncated[i] !== 0) endEpisode(state, set, r, i);
  }
  options.onStep?.();
}

function endEpisode(state: SamplerState, set: number, r: number, i: number): void {
  const { options, sets, acting, noise, episodeNumbers, episodeReturns, episodeSteps } = state;
  const firstEnv = options.layout.firstEnv + options.firstRow;
  const rollout = sets[set];
  if (rollout.terminated[i] === 0) acting?.finalValue(set, r, i);
  if (state.keepsFinalObservations) keepFinalObservation(state, rollout, r, i);
  rollout.episodeReturns[i] = episodeReturns[r];
  rollout.episodeLengths[i] = episodeSteps[r];
  episodeReturns[r] = 0;
  episodeSteps[r] = 0;
  episodeNumbers[r] += 1;
  state.memory?.forget(r);
  noise.begin(r, state.nextSeeds[r]);
  state.nextSeeds[r] = episodeSeed(options.seed, firstEnv + r, episodeNumbers[r] + 1);
}

/** Copies what the environment gave as its last observation into this end's slot. */
function keepFinalObservation(state: SamplerState, rollout: RolloutViews, r: number, i: number): void {
  const { rows, numEnds, options } = state;
  const size = options.spec.observationSize;
  const slot = (options.firstRow + r) * rollout.rolloutLength + numEnds[r]++;
  rollout.finalSlots[i] = slot;
  for (let k = 0; k < size; k++)
    rollout.finalObservations[slot * size + k] = rows.finalObservations[r * size + k];
}

/** Records what follows step T - 1. */
function finish(state: SamplerState, set: number, version: number): void {
  const { options, sets, current, currentMasks, acting } = state;
  const { firstRow, spec, vectorEnv } = options;
  const rollout = sets[set];
  rollout.bootstrapObservations.set(current, firstRow * spec.observationSize);
  if (spec.actionMaskSize > 0) rollout.bootstrapMasks.set(currentMasks, firstRow * spec.actionMaskSize);
  rollout.policyVersions.fill(version, firstRow, firstRow + vectorEnv.numRows);
  acting?.bootstrapValues(set);
  state.memory?.finish(rollout);
}

function openShared(options: SamplerOptions, address: number): Float32Array | Uint8Array {
  const { spec, buffer, firstRow, vectorEnv } = options;
  const first = firstRow * spec.observationSize;
  const length = vectorEnv.numRows * spec.observationSize;
  return spec.observationDtype === 'uint8'
    ? new Uint8Array(buffer, address + first, length)
    : new Float32Array(buffer, address + first * 4, length);
}
