/** How many threads TensorFlow's CPU kernels share one operation among. */
import { availableParallelism } from 'node:os';
import process from 'node:process';

const VARIABLE = 'TF_NUM_INTRAOP_THREADS';

/** On this many cores, or fewer, operations are not split. */
const FEW_CORES = 2;

/**
 * Has every operation run in one thread where that is faster or asked for; TensorFlow's own choice is as many as there are cores. A user's
 * setting of the variable stays.
 *
 * Operations that do not depend on each other (the actor's and the critic's) run side by side in any case. Splitting each of
 * them as well leaves more threads than cores: on two, an update of 2048 rows then takes 1.3 times as long (bench/NOTES.md). With one thread
 * sums are in the same order on any number of cores, so `deterministic` asks for it.
 *
 * TensorFlow reads the variable once, with its first operation in the process: later calls change nothing.
 */
export function limitOperationThreads(
  deterministic: boolean,
  numCores: number = availableParallelism(),
): void {
  if (process.env[VARIABLE] === undefined && (deterministic || numCores <= FEW_CORES))
    process.env[VARIABLE] = '1';
}
