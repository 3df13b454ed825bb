/** The bonus's side of a rollout: rewards, values, targets of its own, and no ends. */
import type { ValuedSteps } from '../../targets/valued-steps.ts';

/** As a rollout, in ordinary memory. Nothing terminates: the bonus's return goes on over the end of an episode (Burda et al. 2018, section 2.3). */
export interface IntrinsicSteps extends ValuedSteps {
  readonly advantages: Float32Array; // [N, T] f32
  readonly returns: Float32Array; // [N, T] f32
}

export function createIntrinsicSteps(numRows: number, rolloutLength: number): IntrinsicSteps {
  const numSamples = numRows * rolloutLength;
  const numbers = () => new Float32Array(numSamples);
  const noEnds = new Uint8Array(numSamples);
  return {
    numRows,
    rolloutLength,
    rewards: numbers(),
    values: numbers(),
    terminated: noEnds,
    truncated: noEnds,
    finalValues: new Float32Array(0),
    bootstrapValues: new Float32Array(numRows),
    advantages: numbers(),
    returns: numbers(),
  };
}
