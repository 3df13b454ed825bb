/** States that sequences begin with, run through the steps before them by the weights of now. */
import type { ParameterTensors } from '../../policy/tensor-layers.ts';
import type { TensorNetwork } from '../../policy/tensor-network.ts';
import type { SequenceTensors } from '../../policy/tensor-recurrent.ts';
import type { Tensor, TensorFlow } from '../../policy/tensor-types.ts';

/**
 * The sequences with the states that they truly begin with. To be called outside of what is differentiated: no gradient flows from a burn-in.
 *
 * @param prepare makes of raw observations what the network reads.
 */
export function runBurnIn(
  tf: TensorFlow,
  network: TensorNetwork,
  parameters: ParameterTensors,
  sequences: SequenceTensors | null,
  prepare: (raw: Tensor) => Tensor,
): SequenceTensors | null {
  if (sequences?.burnIn == null || network.statesAfter === undefined) return sequences;
  const { states, burnIn } = sequences;
  const { length, continues } = burnIn;
  const after = network.statesAfter(parameters, prepare(burnIn.observations), { length, states, continues });
  const [into, exists] = [burnIn.continuesInto, burnIn.exists].map((marks) => tf.reshape(marks, [-1, 1]));
  const kept = tf.mul(states, tf.sub(1, exists));
  return { ...sequences, states: tf.add(tf.mul(tf.mul(after, into), exists), kept), burnIn: null };
}
