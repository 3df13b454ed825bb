/**
 * Central inference: runners only step, and the learner's engine acts for all rows in one call per vector step.
 *
 * For networks that the kernels do not cover. Noise comes from the same per-episode streams as in the workers.
 */
import type { CentralPolicy } from '../learner/learner.ts';
import { actionDtype, actionSize, noiseSize, type PolicySpec } from '../policy/policy-spec.ts';
import { episodeSeed } from '../random/streams.ts';
import type { RolloutViews } from './layout.ts';
import { createActionNoise } from './noise.ts';
import type { RowState } from './row-states.ts';
import type { SamplingLayout } from './sampling-layout.ts';

/** Drives the runners through one rollout, step by step. */
export interface Stepper {
  begin(): Promise<void>;
  step(t: number): Promise<void>;
  finish(numSteps: number): Promise<void>;
}

export interface CentralActor {
  /** Begins (or continues) every row's action noise. */
  start(states: readonly RowState[] | null, restarted: readonly number[]): void;
  /** Acts for all rows at step t: writes actions, log-probabilities and values. */
  act(rollout: RolloutViews, t: number): Promise<void>;
  /** After step t: values of final observations of truncated rows, and new noise where episodes ended. */
  observeEnds(rollout: RolloutViews, t: number): Promise<void>;
  /** Values of what follows the rollout. */
  bootstrap(rollout: RolloutViews): Promise<void>;
}

export async function collectCentrally(
  actor: CentralActor,
  stepper: Stepper,
  rollout: RolloutViews,
): Promise<void> {
  await stepper.begin();
  for (let t = 0; t < rollout.rolloutLength; t++) {
    await actor.act(rollout, t);
    await stepper.step(t);
    await actor.observeEnds(rollout, t);
  }
  await stepper.finish(rollout.rolloutLength);
  await actor.bootstrap(rollout);
}

export interface CentralActorOptions {
  readonly policy: CentralPolicy;
  readonly spec: PolicySpec;
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
  const finalObservations = openFinalObservations(spec, buffer, layout); // [N, obsSize], the workers'
  return {
    start(states, restarted) {
      for (let n = 0; n < N; n++) {
        episodeNumbers[n] = states?.[n].episodeNumber ?? 0;
        const numSteps = restarted.includes(n) ? 0 : (states?.[n].episodeStep ?? 0);
        actionNoise.begin(n, episodeSeed(seed, n, episodeNumbers[n]), numSteps);
      }
    },
    async act(rollout, t) {
      const T = rollout.rolloutLength;
      for (let n = 0; n < N; n++) {
        const i = n * T + t;
        actionNoise.fill(n);
        copyRow(rollout.observations, i, observations, n, observationSize);
        if (masks !== null) copyRow(rollout.actionMasks, i, masks, n, actionMaskSize);
      }
      await policy.act({
        numRows: N,
        observations,
        masks,
        noise,
        deterministic: false,
        actions,
        logProbs,
        values,
      });
      for (let n = 0; n < N; n++) {
        const i = n * T + t;
        copyRow(actions, n, rollout.actions, i, A);
        rollout.logProbs[i] = logProbs[n];
        rollout.values[i] = values[n];
      }
    },
    async observeEnds(rollout, t) {
      const T = rollout.rolloutLength;
      const truncatedRows: number[] = [];
      for (let n = 0; n < N; n++) {
        const i = n * T + t;
        if (rollout.terminated[i] === 0 && rollout.truncated[i] === 0) continue;
        if (rollout.terminated[i] === 0) truncatedRows.push(n);
        episodeNumbers[n] += 1;
        actionNoise.begin(n, episodeSeed(seed, n, episodeNumbers[n]));
      }
      if (truncatedRows.length === 0) return;
      const lastObservations = createObservations(truncatedRows.length * observationSize);
      for (const [k, n] of truncatedRows.entries()) {
        copyRow(finalObservations, n, lastObservations, k, observationSize);
      }
      await policy.values(lastObservations, truncatedRows.length, values);
      for (const [k, n] of truncatedRows.entries()) rollout.finalValues[n * T + t] = values[k];
    },
    async bootstrap(rollout) {
      await policy.values(rollout.bootstrapObservations.slice(), N, values);
      rollout.bootstrapValues.set(values);
    },
  };
}

function openFinalObservations(spec: PolicySpec, buffer: ArrayBufferLike, layout: SamplingLayout) {
  const length = layout.rollout.numRows * spec.observationSize;
  return spec.observationDtype === 'uint8'
    ? new Uint8Array(buffer, layout.finalObservations, length)
    : new Float32Array(buffer, layout.finalObservations, length);
}

type Numbers = Float32Array | Int32Array | Uint8Array;

function copyRow(from: Numbers, fromRow: number, to: Numbers, toRow: number, size: number): void {
  for (let k = 0; k < size; k++) to[toRow * size + k] = from[fromRow * size + k];
}
