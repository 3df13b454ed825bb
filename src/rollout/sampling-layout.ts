/** Where sampling keeps its state in the arena; plain JSON, posted to every worker. */

import {
  ON_POLICY_COLUMNS,
  type RolloutColumns,
  type RolloutLayout,
  rolloutLayout,
} from '../experience/layout.ts';
import type { ArenaPlanner, Region } from '../memory/arena.ts';
import { recurrentStateSize } from '../policy/networks/recurrent-state.ts';
import { type ActingSpec, noiseSize } from '../policy/policy-spec.ts';

/** Sampling runs in one set while the learner may still read the other. */
export const NUM_BLOCK_SETS = 2;

/**
 * Regions shared by all runners, indexed by row, so that the owner of rows [n0, n1) touches only its part:
 * `currentObservations` [N, obsSize] and `currentMasks` [N, maskSize] (what the next action is for),
 * `finalObservations` [N, obsSize] (row n after its episode ended), `noise` [N, noiseSize] f32, `recurrentStates` [N, S] f32.
 */
export interface SamplingLayout {
  readonly rollout: RolloutLayout;
  readonly setAddresses: readonly number[];
  readonly currentObservations: number;
  readonly currentMasks: number;
  readonly finalObservations: number;
  readonly noise: number;
  readonly recurrentStates: number;
  /** Index in the whole run of this arena's row 0: a host of a cluster has a part of the rows. */
  readonly firstEnv: number;
}

export function reserveSampling(
  planner: ArenaPlanner,
  spec: ActingSpec,
  numRows: number,
  rolloutLength: number,
  columns: RolloutColumns = ON_POLICY_COLUMNS,
  numSets = NUM_BLOCK_SETS,
  firstEnv = 0,
): SamplingLayout {
  const rollout = rolloutLayout(spec, numRows, rolloutLength, columns);
  const observationBytes = numRows * spec.observationSize * (spec.observationDtype === 'uint8' ? 1 : 4);
  const address = (bytes: number): number => (planner.reserve(bytes) satisfies Region).offset;
  return {
    rollout,
    setAddresses: Array.from({ length: numSets }, () => address(rollout.byteLength)),
    currentObservations: address(observationBytes),
    currentMasks: address(numRows * spec.actionMaskSize),
    finalObservations: address(observationBytes),
    noise: address(numRows * noiseSize(spec) * 4),
    recurrentStates: address((numRows + 4) * recurrentStateSize(spec) * 4), // kernels read rows in fours
    firstEnv,
  };
}
