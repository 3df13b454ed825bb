/** Debug mode: values that look wrong in every place a runner must write, so that reading too early shows. */
import type { RolloutViews } from '../experience/layout.ts';

const POISON_INTEGER = -559038737; // 0xdeadbeef

/** Fills the columns that runners write. Caller owns the block set. */
export function poisonRollout(rollout: RolloutViews): void {
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
