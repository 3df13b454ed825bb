/** What a vector environment made of a kernel keeps, and how one environment's step is written and its error placed. */
import { EnvError, type EnvErrorPlace } from '../errors.ts';
import type { EnvFaultHandling } from './env-faults.ts';
import type { EnvKernel } from './env-kernel.ts';
import type { Recovery } from './recovery.ts';
import type { ActionArray, AutoresetMode, StepRows } from './vector-env.ts';

export interface Vector {
  readonly kernel: EnvKernel;
  readonly autoreset: AutoresetMode;
  readonly obsSize: number;
  readonly actionSize: number;
  readonly maskSize: number;
  readonly limit: number;
  readonly elapsed: Float64Array; // [numEnvs] f64, steps of the episode that goes on
  readonly seeds: Float64Array; // [numEnvs] f64, seed of the episode that goes on
  readonly hasEnded: Uint8Array; // [numEnvs] u8, ended and not yet reset (next-step, disabled)
  readonly failures: (EnvError | null)[]; // [numEnvs]
  numFailures: number;
  /** Whether an observation out of bounds was told of: more are counted by nobody. */
  hasToldOutside: boolean;
  readonly faults: EnvFaultHandling | null;
  /** null = an environment that fails is not restarted here. */
  readonly recovery: Recovery | null;
}

/** One step of environment n; its row is written when the episode goes on, else its final observation. */
export function takeStep(vector: Vector, n: number, actions: ActionArray, out: StepRows): void {
  const { kernel, elapsed } = vector;
  kernel.step(n, actions, n * vector.actionSize);
  const terminated = kernel.terminated[n];
  const truncated = elapsed[n] >= vector.limit ? 1 : kernel.truncated[n];
  const isOver = (terminated | truncated) === 1;
  if (isOver) kernel.writeObservation(n, out.finalObservations, n * vector.obsSize);
  else writeRow(vector, n, out);
  if (out.onMetric !== null) kernel.reportMetrics?.(n, out.onMetric);
  writeScalars(out, n, kernel.rewards[n], terminated, truncated);
  vector.recovery?.onStep(n, actions, out);
}

export function writeRow(vector: Vector, n: number, out: StepRows): void {
  vector.kernel.writeObservation(n, out.observations, out.observationOffset + n * out.observationStride);
  if (vector.maskSize > 0 && out.actionMasks !== null) {
    vector.kernel.writeMask?.(n, out.actionMasks, out.maskOffset + n * out.maskStride);
  }
}

export function writeScalars(
  out: StepRows,
  n: number,
  reward: number,
  terminated: number,
  truncated: number,
): void {
  const offset = out.scalarOffset + n * out.scalarStride;
  out.rewards[offset] = reward;
  out.terminated[offset] = terminated;
  out.truncated[offset] = truncated;
}

export function fail(vector: Vector, n: number, error: EnvError): void {
  if (vector.failures[n] === null) vector.numFailures += 1;
  vector.failures[n] = error;
}

export function forgetFailure(vector: Vector, n: number): void {
  if (vector.failures[n] === null) return;
  vector.failures[n] = null;
  vector.numFailures -= 1;
}

export function throwFirstFailure(vector: Vector, mask?: Uint8Array): void {
  if (vector.numFailures === 0) return;
  const failure = vector.failures.find((error, n) => error !== null && (mask === undefined || mask[n] === 1));
  if (failure) throw failure;
}

/** The error as an EnvError that says where it happened. */
export function placeError(vector: Vector, n: number, error: unknown, phase: 'reset' | 'step'): EnvError {
  const { envId } = vector.kernel;
  const place: EnvErrorPlace = {
    envId,
    envIndex: n,
    episodeSeed: vector.seeds[n],
    episodeStep: vector.elapsed[n],
  };
  const where = `${envId}, episode seed ${place.episodeSeed}, ${phase === 'reset' ? 'reset' : `step ${place.episodeStep}`}`;
  if (error instanceof EnvError) {
    const code = error.code as `ENV_${string}`;
    return new EnvError(code, `${where}: ${error.message}`, place, { cause: error.cause });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new EnvError(
    phase === 'reset' ? 'ENV_RESET_THREW' : 'ENV_STEP_THREW',
    `${where}: the environment threw: ${reason}`,
    place,
    { cause: error },
  );
}
