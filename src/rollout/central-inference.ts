/**
 * Central inference: runners only step, and the learner's engine acts for all rows in one call per vector step.
 *
 * For networks that the kernels do not cover. Noise comes from the same per-episode streams as in the workers.
 */

import { createActionNoise } from '../acting/noise.ts';
import { hasColumn, type RolloutViews } from '../experience/layout.ts';
import type { CentralPolicy } from '../policy/central-policy.ts';
import { type ActingSpec, actionDtype, actionSize, noiseSize } from '../policy/policy-spec.ts';
import { episodeSeed } from '../random/streams.ts';
import type { RowState } from './row-states.ts';
import type { SamplingLayout } from './sampling-layout.ts';

/** Rows [first, first + count). */
export interface RowSpan {
  readonly first: number;
  readonly count: number;
}

/** Drives the runners through one rollout, step by step. */
export interface Stepper {
  /** Whether every runner's rows lie in one half; otherwise all are stepped together. */
  readonly isSplit: boolean;
  begin(): Promise<void>;
  /** Steps the runners of one half, or, with null, all. */
  step(t: number, half: 0 | 1 | null): Promise<void>;
  finish(numSteps: number): Promise<void>;
}

export interface CentralActor {
  /** Begins (or continues) every row's action noise. */
  start(states: readonly RowState[] | null, restarted: readonly number[]): void;
  /** Acts for rows at step t: writes actions, log-probabilities and values. */
  act(rollout: RolloutViews, t: number, rows: RowSpan): Promise<void>;
  /** After step t: values of final observations of truncated rows, and new noise where episodes ended. */
  observeEnds(rollout: RolloutViews, t: number, rows: RowSpan): Promise<void>;
  /** Values of what follows the rollout. */
  bootstrap(rollout: RolloutViews): Promise<void>;
}

/** The two halves that are acted for in turn; they depend on N alone, so that results do not depend on the runners. */
export function halvesOf(numRows: number): RowSpan[] {
  const first = Math.floor(numRows / 2);
  const halves = [
    { first: 0, count: first },
    { first, count: numRows - first },
  ];
  return halves.filter(({ count }) => count > 0);
}

/**
 * One rollout, double-buffered: while one half of the environments steps, the engine acts for the other.
 *
 * (The idea is Sample Factory's, Petrenko et al. 2020, arXiv:2006.11751.)
 */
export async function collectCentrally(
  actor: CentralActor,
  stepper: Stepper,
  rollout: RolloutViews,
): Promise<void> {
  const halves = halvesOf(rollout.numRows);
  await stepper.begin();
  if (stepper.isSplit && halves.length === 2) await stepInTurn(actor, stepper, rollout, halves);
  else await stepTogether(actor, stepper, rollout, halves);
  await stepper.finish(rollout.rolloutLength);
  await actor.bootstrap(rollout);
}

async function stepTogether(
  actor: CentralActor,
  stepper: Stepper,
  rollout: RolloutViews,
  halves: readonly RowSpan[],
): Promise<void> {
  for (let t = 0; t < rollout.rolloutLength; t++) {
    for (const half of halves) await actor.act(rollout, t, half);
    await stepper.step(t, null);
    for (const half of halves) await actor.observeEnds(rollout, t, half);
  }
}

async function stepInTurn(
  actor: CentralActor,
  stepper: Stepper,
  rollout: RolloutViews,
  halves: readonly RowSpan[],
): Promise<void> {
  const T = rollout.rolloutLength;
  const stepping: Promise<void>[] = [];
  for (let t = 0; t <= T; t++) {
    for (const h of [0, 1] as const) {
      await stepping[h];
      if (t > 0) await actor.observeEnds(rollout, t - 1, halves[h]);
      if (t === T) continue;
      await actor.act(rollout, t, halves[h]);
      stepping[h] = stepper.step(t, h);
      stepping[h].catch(() => undefined); // awaited in the next turn; until then a failure is not unhandled
    }
  }
}

export interface CentralActorOptions {
  readonly policy: CentralPolicy;
  readonly spec: ActingSpec;
  readonly seed: number;
  readonly buffer: ArrayBufferLike;
  readonly layout: SamplingLayout;
}

export function createCentralActor({
  policy,
  spec,
  seed,
  buffer,
  layout,
}: CentralActorOptions): CentralActor {
  const N = layout.rollout.numRows;
  const { observationSize, actionMaskSize } = spec;
  const A = actionSize(spec.distribution);
  const createObservations = (length: number) =>
    spec.observationDtype === 'uint8' ? new Uint8Array(length) : new Float32Array(length);
  const isDiscrete = actionDtype(spec.distribution) === 'int32';
  const noise = new Float32Array(N * noiseSize(spec)); // [N, noiseSize] f32
  const actionNoise = createActionNoise(spec, N, noise);
  const episodeNumbers = new Int32Array(N);
  const observations = createObservations(N * observationSize); // [N, obsSize]
  const masks = actionMaskSize > 0 ? new Uint8Array(N * actionMaskSize) : null; // [N, maskSize] u8
  const actions = isDiscrete ? new Int32Array(N * A) : new Float32Array(N * A); // [N, A]
  const logProbs = new Float32Array(N);
  const values = new Float32Array(N);
  const hasValues = hasColumn(layout.rollout, 'values');
  const hasLogProbs = hasColumn(layout.rollout, 'logProbs');
  const finalObservations = openFinalObservations(spec, buffer, layout); // [N, obsSize], the workers'
  return {
    start(states, restarted) {
      for (let n = 0; n < N; n++) {
        episodeNumbers[n] = states?.[n].episodeNumber ?? 0;
        const numSteps = restarted.includes(n) ? 0 : (states?.[n].episodeStep ?? 0);
        actionNoise.begin(n, episodeSeed(seed, n, episodeNumbers[n]), numSteps);
      }
    },
    async act(rollout, t, { first, count }) {
      const T = rollout.rolloutLength;
      for (let k = 0; k < count; k++) {
        const i = (first + k) * T + t;
        actionNoise.fill(first + k);
        copyRow(rollout.observations, i, observations, k, observationSize);
        if (masks !== null) copyRow(rollout.actionMasks, i, masks, k, actionMaskSize);
      }
      const rowNoise = noise.subarray(first * noiseSize(spec));
      const call = { numRows: count, observations, masks, noise: rowNoise, actions, logProbs, values };
      await policy.act({ ...call, deterministic: false });
      for (let k = 0; k < count; k++) {
        const i = (first + k) * T + t;
        copyRow(actions, k, rollout.actions, i, A);
        if (hasLogProbs) rollout.logProbs[i] = logProbs[k];
        if (hasValues) rollout.values[i] = values[k];
      }
    },
    async observeEnds(rollout, t, { first, count }) {
      const T = rollout.rolloutLength;
      const truncatedRows: number[] = [];
      for (let n = first; n < first + count; n++) {
        const i = n * T + t;
        if (rollout.terminated[i] === 0 && rollout.truncated[i] === 0) continue;
        if (rollout.terminated[i] === 0) truncatedRows.push(n);
        episodeNumbers[n] += 1;
        actionNoise.begin(n, episodeSeed(seed, n, episodeNumbers[n]));
      }
      if (!hasValues || truncatedRows.length === 0) return;
      const lastObservations = createObservations(truncatedRows.length * observationSize);
      for (const [k, n] of truncatedRows.entries()) {
        copyRow(finalObservations, n, lastObservations, k, observationSize);
      }
      await policy.values(lastObservations, truncatedRows.length, values);
      for (const [k, n] of truncatedRows.entries()) rollout.finalValues[n * T + t] = values[k];
    },
    async bootstrap(rollout) {
      if (!hasValues) return;
      await policy.values(rollout.bootstrapObservations.slice(), N, values);
      rollout.bootstrapValues.set(values);
    },
  };
}

function openFinalObservations(spec: ActingSpec, buffer: ArrayBufferLike, layout: SamplingLayout) {
  const length = layout.rollout.numRows * spec.observationSize;
  return spec.observationDtype === 'uint8'
    ? new Uint8Array(buffer, layout.finalObservations, length)
    : new Float32Array(buffer, layout.finalObservations, length);
}

type Numbers = Float32Array | Int32Array | Uint8Array;

function copyRow(from: Numbers, fromRow: number, to: Numbers, toRow: number, size: number): void {
  for (let k = 0; k < size; k++) to[toRow * size + k] = from[fromRow * size + k];
}
