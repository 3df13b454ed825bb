/** Debug mode: values that look wrong in every place a runner must write, so that reading too early shows. */
import type { RolloutViews } from '../experience/layout.ts';

const POISON_INTEGER = -559038737; // 0xdeadbeef

/** Fills the columns that runners write. Caller owns the block set. */
export function poisonRollout(rollout: RolloutViews): void {
  poisonRows(rollout, 0, rollout.numRows);
}

/** Of rows [first, first + count). */
export function poisonRows(whole: RolloutViews, first: number, count: number): void {
  const rollout = rowsOf(whole, first, count);
  const { actions, observations } = rollout;
  observations.fill(observations instanceof Uint8Array ? 0xaa : Number.NaN);
  actions.fill(actions instanceof Int32Array ? POISON_INTEGER : Number.NaN);
  for (const column of [rollout.logProbs, rollout.values, rollout.rewards, rollout.finalValues])
    column.fill(Number.NaN);
  for (const column of [rollout.bootstrapValues, rollout.advantages, rollout.returns])
    column.fill(Number.NaN);
  rollout.finalSlots.fill(POISON_INTEGER);
  rollout.finalObservations.fill(observations instanceof Uint8Array ? 0xaa : Number.NaN);
  rollout.terminated.fill(0xaa);
  rollout.truncated.fill(0xaa);
}

type Columns = Pick<
  RolloutViews,
  | ('actions' | 'observations' | 'logProbs' | 'values' | 'rewards' | 'finalValues')
  | (
      | 'bootstrapValues'
      | 'advantages'
      | 'returns'
      | 'finalSlots'
      | 'finalObservations'
      | 'terminated'
      | 'truncated'
    )
>;

/** The part of each column that belongs to some rows. */
function rowsOf(rollout: RolloutViews, first: number, count: number): Columns {
  const part = <A extends Float32Array | Int32Array | Uint8Array>(column: A): A => {
    const size = column.length / rollout.numRows;
    return column.subarray(first * size, (first + count) * size) as A;
  };
  return {
    actions: part(rollout.actions),
    observations: part(rollout.observations),
    logProbs: part(rollout.logProbs),
    values: part(rollout.values),
    rewards: part(rollout.rewards),
    finalValues: part(rollout.finalValues),
    bootstrapValues: part(rollout.bootstrapValues),
    advantages: part(rollout.advantages),
    returns: part(rollout.returns),
    finalSlots: part(rollout.finalSlots),
    finalObservations: part(rollout.finalObservations),
    terminated: part(rollout.terminated),
    truncated: part(rollout.truncated),
  };
}
