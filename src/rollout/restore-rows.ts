/** Puts environments back into the middle of their episodes: on resume, and when a dead worker is replaced. */

import { createActionMapping } from '../acting/action-mapping.ts';
import { copyState } from '../env/saved-state.ts';
import type { ActionArray, StepRows, VectorEnv } from '../env/vector-env.ts';
import type { JsonValue } from '../json.ts';
import { type ActingSpec, actionDtype, actionSize } from '../policy/policy-spec.ts';
import { episodeSeed } from '../random/streams.ts';
import type { RowState } from './row-states.ts';
import type { Sampler } from './sampler.ts';

export interface RestoreContext {
  readonly vectorEnv: VectorEnv;
  readonly sampler: Sampler;
  readonly spec: ActingSpec;
  readonly seed: number;
  /** Makes a copy of row r's environment, for vector environments that can save a state but not replay one row. */
  readonly makeSingle: (r: number) => Promise<VectorEnv>;
}

/**
 * Starts every row's running episode and brings it to where `states` says.
 *
 * From the environment's own state where there is one, else from the episode's seed, its actions are repeated: in place,
 * or in a one-row copy whose state is then transferred. When that does not lead to the stored observation, the
 * environment is not deterministic: that row restarts its episode.
 *
 * @returns rows (indices within this sampler) that had to restart.
 */
export async function restoreRows(context: RestoreContext, states: readonly RowState[]): Promise<number[]> {
  const { sampler, vectorEnv, seed } = context;
  const seeds = Uint32Array.from(states, (state, r) => rowSeed(sampler, seed, r, state.episodeNumber));
  const { deferred } = vectorEnv;
  sampler.aimAtCurrent();
  if (deferred !== undefined) await Promise.all([...seeds].map((rowsSeed, r) => deferred.reset(r, rowsSeed)));
  vectorEnv.reset(seeds, sampler.rows);
  const restarted: number[] = [];
  for (const [r, state] of states.entries()) {
    const isRestored = state.episodeStep === 0 || (await restoreRow(context, r, state, seeds[r]));
    if (!isRestored) {
      await deferred?.reset(r, seeds[r]);
      vectorEnv.resetRows(
        Uint8Array.from(states, (_, k) => (k === r ? 1 : 0)),
        seeds,
        sampler.rows,
      );
      restarted.push(r);
    }
    sampler.episodeNumbers[r] = state.episodeNumber;
    sampler.episodeSteps[r] = isRestored ? state.episodeStep : 0;
    sampler.episodeReturns[r] = isRestored ? state.episodeReturn : 0;
    sampler.nextSeeds[r] = rowSeed(sampler, seed, r, state.episodeNumber + 1);
    sampler.noise.begin(r, seeds[r], isRestored ? state.episodeStep : 0);
    sampler.memory?.restore(r, isRestored ? (state.recurrentState ?? null) : null);
  }
  return restarted;
}

function rowSeed(sampler: Sampler, seed: number, r: number, episodeNumber: number): number {
  return episodeSeed(seed, sampler.firstEnv + r, episodeNumber);
}

async function restoreRow(
  context: RestoreContext,
  r: number,
  state: RowState,
  seedOfEpisode: number,
): Promise<boolean> {
  const { vectorEnv, sampler, spec } = context;
  const { rows } = sampler;
  const numSteps = state.actions.length / actionSize(spec.distribution);
  if (state.envState !== null) {
    if (vectorEnv.setState === undefined) return false;
    vectorEnv.setState(r, copyState(state.envState), rows);
    if (numSteps === 0) return true;
  } else if (numSteps !== state.episodeStep) {
    return false;
  }
  const actions = mapActions(spec, state.actions);
  const fromSeed = state.envState === null ? seedOfEpisode : null;
  if (vectorEnv.replay !== undefined) await vectorEnv.deferred?.replay(r, fromSeed, actions, numSteps);
  const isSameEpisode =
    vectorEnv.replay !== undefined
      ? vectorEnv.replay(r, fromSeed, actions, numSteps, rows)
      : await replayInCopy(context, r, state.envState, actions, seedOfEpisode);
  return isSameEpisode && (state.observation === null || isEqual(rows, r, state.observation));
}

/** [steps, A]: the stored actions as the environment gets them. */
function mapActions(spec: ActingSpec, stored: ActionArray): ActionArray {
  const A = actionSize(spec.distribution);
  const mapped =
    actionDtype(spec.distribution) === 'int32'
      ? new Int32Array(stored.length)
      : new Float32Array(stored.length);
  const mapAction = createActionMapping(spec);
  for (let k = 0; k < stored.length; k += A) mapAction(stored, k, mapped, k);
  return mapped;
}

async function replayInCopy(
  { vectorEnv, sampler, spec, makeSingle }: RestoreContext,
  r: number,
  envState: JsonValue,
  actions: ActionArray,
  seed: number,
): Promise<boolean> {
  if (vectorEnv.setState === undefined) return false;
  const single = await makeSingle(r);
  try {
    const rows = privateRow(spec);
    const A = actionSize(spec.distribution);
    const seeds = Uint32Array.of(seed);
    single.reset(seeds, rows);
    if (envState !== null) single.setState?.(0, copyState(envState), rows);
    for (let k = 0; k < actions.length; k += A) {
      single.step(actions.subarray(k, k + A), seeds, rows);
      if (rows.terminated[0] !== 0 || rows.truncated[0] !== 0) return false;
    }
    const reached = copyState(single.getState?.(0));
    if (reached !== null) vectorEnv.setState(r, reached, sampler.rows);
    return reached !== null;
  } finally {
    single.close?.();
  }
}

/** Rows for a one-row environment whose output nobody keeps. */
function privateRow(spec: ActingSpec): StepRows {
  const observation = () =>
    spec.observationDtype === 'uint8'
      ? new Uint8Array(spec.observationSize)
      : new Float32Array(spec.observationSize);
  return {
    observations: observation(),
    observationOffset: 0,
    observationStride: spec.observationSize,
    rewards: new Float32Array(1),
    terminated: new Uint8Array(1),
    truncated: new Uint8Array(1),
    scalarOffset: 0,
    scalarStride: 1,
    actionMasks: spec.actionMaskSize > 0 ? new Uint8Array(spec.actionMaskSize) : null,
    maskOffset: 0,
    maskStride: spec.actionMaskSize,
    finalObservations: observation(),
    onMetric: null,
  };
}

function isEqual(rows: StepRows, r: number, expected: Float32Array | Uint8Array): boolean {
  const offset = rows.observationOffset + r * rows.observationStride;
  return expected.every((value, k) => Object.is(rows.observations[offset + k], value));
}
