/**
 * The sampler: steps the environments of a contiguous range of rows and writes their part of a rollout.
 *
 * The same code runs in every worker thread and, with `numEnvRunners: 0`, in the main thread.
 */

import type { ActionNoise } from '../acting/noise.ts';
import type { DeferredRows, StepRows } from '../env/vector-env.ts';
import type { RolloutViews } from '../experience/layout.ts';
import { actionSize } from '../policy/policy-spec.ts';
import { episodeSeed } from '../random/streams.ts';
import { createTurns } from '../threads/next-turn.ts';
import type { MetricSums } from './metric-sums.ts';
import type { RowMemory } from './row-memory.ts';
import {
  aimAt,
  aimAtCurrent,
  createState,
  type EpisodeCounters,
  type SamplerOptions,
  type SamplerState,
} from './sampler-state.ts';

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
  /** What takes the place of `collect` and `step` where environments answer later; null = they answer at once. */
  readonly paced: PacedSampler | null;
  /** Collects T steps into block set `set` with the published weights of `version`. */
  collect(set: number, version: number): void;
  begin(set: number): void;
  step(set: number, t: number): void;
  finish(set: number, version: number): void;
  takeMetrics(): MetricSums | null;
};

/** The same rollouts, without blocking the thread. */
export interface PacedSampler {
  /** Each row collects its T steps at its own pace: blocks are rows, so no row waits for another until the rollout is full. */
  collect(set: number, version: number): Promise<void>;
  /** Waits for all rows, since the next step is acted for centrally. */
  step(set: number, t: number): Promise<void>;
}

export function createSampler(options: SamplerOptions): Sampler {
  const sums: { taken: MetricSums | null } = { taken: null };
  const state = createState(options, sums);
  const { vectorEnv, firstRow, weights } = options;
  const { acting, noise, memory } = state;
  const { numRows, deferred } = vectorEnv;
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
    paced: deferred === undefined ? null : pacedSampler(state, deferred),
    begin: (set) => begin(state, set),
    step: (set, t) => step(state, set, t),
    finish: (set, version) => finish(state, set, version),
    collect(set, version) {
      if (acting === null) throw noPolicy();
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
  mapActions(state, set, t);
  advance(state, set, t);
}

function mapActions({ options, sets, envActions, mapAction }: SamplerState, set: number, t: number): void {
  const { firstRow, vectorEnv, spec } = options;
  const rollout = sets[set];
  const A = actionSize(spec.distribution);
  for (let r = 0; r < vectorEnv.numRows; r++)
    mapAction(rollout.actions, ((firstRow + r) * rollout.rolloutLength + t) * A, envActions, r * A);
}

/** Steps the environments with `envActions`. */
function advance(state: SamplerState, set: number, t: number): void {
  const { options, sets, rows, envActions, episodeReturns, episodeSteps } = state;
  const { firstRow, vectorEnv } = options;
  const rollout = sets[set];
  const T = rollout.rolloutLength;
  const numRows = vectorEnv.numRows;
  const { keepsFinalObservations } = state;
  aimAtStep(state, rollout, t);
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

/** What step t gives goes to t, what it leads to to t + 1. */
function aimAtStep(state: SamplerState, rollout: RolloutViews, t: number): void {
  const { rows, options } = state;
  const T = rollout.rolloutLength;
  if (t + 1 < T) aimAt(state, rollout, t + 1);
  else aimAtCurrent(state);
  rows.rewards = rollout.rewards;
  rows.terminated = rollout.terminated;
  rows.truncated = rollout.truncated;
  rows.scalarOffset = options.firstRow * T + t;
}

function pacedSampler(state: SamplerState, deferred: DeferredRows): PacedSampler {
  const { options, envActions, nextSeeds } = state;
  const { numRows } = options.vectorEnv;
  const rowNumbers = Array.from({ length: numRows }, (_, r) => r);
  return {
    async collect(set, version) {
      if (state.acting === null) throw noPolicy();
      state.acting.useWeights(options.weights.slotAddress(version));
      begin(state, set);
      const running = { isOver: false };
      try {
        await Promise.all(rowNumbers.map((r) => collectRow(state, deferred, set, r, running)));
      } finally {
        running.isOver = true; // the others write no more
      }
      finish(state, set, version);
    },
    async step(set, t) {
      mapActions(state, set, t);
      await Promise.all(rowNumbers.map((r) => deferred.step(r, envActions, nextSeeds[r])));
      advance(state, set, t);
    },
  };
}

/** Row r's T steps, each as soon as the one before it is answered. */
async function collectRow(
  state: SamplerState,
  deferred: DeferredRows,
  set: number,
  r: number,
  running: { readonly isOver: boolean },
): Promise<void> {
  const { options, sets, rows, acting, noise, memory, envActions, mapAction, nextSeeds } = state;
  const A = actionSize(options.spec.distribution);
  const rollout = sets[set];
  const T = rollout.rolloutLength;
  const turns = createTurns();
  for (let t = 0; t < T; t++) {
    const i = (options.firstRow + r) * T + t;
    noise.fill(r);
    memory?.recordRow(rollout, t, r);
    acting?.actRow(set, t, r);
    mapAction(rollout.actions, i * A, envActions, r * A);
    await deferred.step(r, envActions, nextSeeds[r]);
    if (turns.isDue()) await turns.take(); // answers that are there at once leave no turn to others
    if (running.isOver) return;
    aimAtStep(state, rollout, t);
    deferred.stepRow(r, envActions, nextSeeds, rows);
    state.episodeReturns[r] += rollout.rewards[i];
    state.episodeSteps[r] += 1;
    if (state.keepsFinalObservations) rollout.finalSlots[i] = -1;
    if (rollout.terminated[i] !== 0 || rollout.truncated[i] !== 0) endEpisode(state, set, r, i);
    options.onStep?.();
  }
}

function noPolicy(): TypeError {
  return new TypeError('collect() needs a policy; central inference uses begin/step/finish.');
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
