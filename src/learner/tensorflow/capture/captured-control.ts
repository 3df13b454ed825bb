/** What a captured update keeps count of by itself, so that nothing has to be read between minibatches. */
import type { Scalar, Tensor, TensorFlow } from '../../../policy/tensor-types.ts';
import { MAX_STATS, type UpdateTotals } from '../update-runner.ts';
import type { GraphRecorder } from './graph-recorder.ts';
import type { GraphSession, VariableWrite } from './graph-session.ts';

export interface UpdateControl {
  /** Writes that begin an update. */
  reset(stopAtFailure: boolean, numSteps: number): VariableWrite[];
  /** Takes the statistics of a minibatch into account, which is applied in any case with `clips`; only inside a function that is being recorded. */
  track(stats: Tensor, clips: boolean): TrackedMinibatch;
  readTotals(session: GraphSession): UpdateTotals;
}

export interface TrackedMinibatch {
  /** Finite, and no earlier failure that stops the update. */
  readonly apply: Tensor; // [] bool
  /** Number of the optimizer's step. */
  readonly t: Scalar;
  /** Minibatches run, this one included. */
  readonly numRun: Tensor; // [1] f32
}

/**
 * Declares the variables: `totals` [S + 3] holds the sums of the statistics of the finite minibatches, the number applied, the
 * number run, and the number clipped; `failed` [S] the statistics of the first minibatch that was not finite. S = MAX_STATS, zeros behind.
 */
export function createControl(tf: TensorFlow, recorder: GraphRecorder): UpdateControl {
  const numStats = MAX_STATS;
  const totals = recorder.zeros([numStats + 3]);
  const failed = recorder.zeros([numStats]);
  const stopAtFailure = recorder.zeros([]);
  const firstStep = recorder.zeros([]);

  return {
    reset: (stop, numSteps) => [
      { variable: totals, values: new Float32Array(numStats + 3) },
      { variable: failed, values: new Float32Array(numStats) },
      { variable: stopAtFailure, values: Float32Array.of(stop ? 1 : 0) },
      { variable: firstStep, values: Float32Array.of(numSteps) },
    ],
    track(minibatchStats, clips) {
      const stats = tf.pad(minibatchStats, [[0, numStats - minibatchStats.size]]);
      const sums = tf.slice(totals.standIn, [0], [numStats]);
      const numApplied = tf.slice(totals.standIn, [numStats], [1]);
      const numRun = tf.slice(totals.standIn, [numStats + 1], [1]);
      const numClipped = tf.slice(totals.standIn, [numStats + 2], [1]);
      const finiteStats = tf.isFinite(stats); // [S] bool
      const finite = tf.all(finiteStats); // [] bool
      const noFailure = tf.reshape(tf.equal(numRun, numApplied), []);
      const goesOn = tf.logicalOr(noFailure, tf.equal(stopAtFailure.standIn, 0));
      const counts = tf.logicalAnd(finite, goesOn);
      const apply = clips ? tf.onesLike(counts) : counts;
      const applied = tf.cast(apply, 'float32');
      const inMeans = tf.cast(counts, 'float32');
      const counted = tf.mul(tf.where(finiteStats, stats, tf.zerosLike(stats)), inMeans);
      const isFirstFailure = tf.logicalAnd(tf.logicalNot(finite), noFailure);
      const nextRun = tf.add(numRun, 1);
      const nextClipped = tf.add(numClipped, tf.sub(applied, inMeans));
      failed.standIn.assign(tf.where(isFirstFailure, stats, failed.standIn));
      totals.standIn.assign(
        tf.concat([tf.add(sums, counted), tf.add(numApplied, applied), nextRun, nextClipped], 0),
      );
      const t = tf.add(tf.add(firstStep.standIn, tf.reshape(numApplied, [])), 1) as Scalar;
      return { apply, t, numRun: nextRun };
    },
    readTotals(session) {
      const values = session.read(totals);
      const numApplied = values[numStats];
      const numRun = values[numStats + 1];
      // Where a failure stops the update, all minibatches before the first one were applied.
      const failure = numRun === numApplied ? null : { minibatch: numApplied, stats: session.read(failed) };
      const numClipped = values[numStats + 2];
      return { sums: values.subarray(0, numStats), numRun, numApplied, numClipped, failure };
    },
  };
}
