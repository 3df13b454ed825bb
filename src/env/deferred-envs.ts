/**
 * A vector environment of asynchronous ones. What an environment answers is kept until the vector environment's call comes, which finds a synchronous stand-in:
 * autoreset, time limits, checks and the handling of failures are those of every environment.
 */
import { EnvError } from '../errors.ts';
import { type AsyncEnv, assertAsyncEnv } from './async-env.ts';
import type { Env, ResetResult, StepResult } from './env.ts';
import { type EnvFaultHandling, mayBeginAnew } from './env-faults.ts';
import type { EnvKernel } from './env-kernel.ts';
import { actionMaskSize, flatActionSize, unflattenAction } from './flatten-action.ts';
import { flattenObservationSpace, unflattenObservation } from './flatten-space.ts';
import { checkNumEnvs, openVector, stepRow, vectorEnvOf } from './kernel-vector-env.ts';
import { awaitAnswer, type Outcome } from './outcome.ts';
import type { ActionArray, DeferredRows, ObservationArray, VectorEnv } from './vector-env.ts';
import { throwFirstFailure } from './vector-state.ts';
import { userEnvKernel, type VectorizeOptions } from './vectorize.ts';

/** So often is a reset that was rejected tried again, in a fresh instance each time. */
const MAX_RESETS = 3;
const DEADLINE_SECONDS = 30;
const NOTHING: Outcome<never> = {
  error: new EnvError(
    'ENV_ASYNC',
    'this call was made without what has to be awaited before it (`deferred`)',
  ),
};
const ignore = () => undefined;

/** What is kept of environment n between its answer and the call that takes it. */
interface Deferred {
  env: AsyncEnv;
  reset: Outcome<ResetResult>;
  step: Outcome<StepResult>;
  /** A fresh instance has taken its place, since its last step failed. */
  isReplaced: boolean;
  /** Steps of the running episode. */
  numSteps: number;
  /** Of the last replay. */
  numRepeated: number;
  isClosed: boolean;
}

interface DeferredEnvs {
  readonly rows: readonly Deferred[];
  readonly kernel: EnvKernel;
  readonly create: () => Promise<AsyncEnv>;
  readonly faults: EnvFaultHandling | undefined;
  /** Converts what is kept of environment n, as the call that follows will. @returns what is wrong with it. */
  readonly findFault: (n: number, phase: 'reset' | 'step') => unknown;
  /** The step that was just looked at, in memory of its own: the environment may write its next reset over it. */
  readonly copyLast: (result: StepResult) => StepResult;
}

/**
 * @param factory gives a fresh environment with every call, at once or later.
 * @param first one that it gave already.
 * @throws {@link ConfigError} `CONFIG_ENV_FACTORY` as `vectorizeEnv`; what the factory throws.
 */
export async function deferEnvs(
  factory: () => unknown,
  first: AsyncEnv,
  numEnvs: number,
  options: VectorizeOptions & { readonly envId: string },
): Promise<VectorEnv> {
  const create = async () => {
    const env: unknown = await factory();
    assertAsyncEnv(env, options.envId);
    return env;
  };
  const envs = [first];
  for (let n = 1; n < checkNumEnvs(numEnvs); n++) envs.push(await create());
  const rows = envs.map(
    (env): Deferred => ({
      ...{ env, reset: NOTHING, step: NOTHING },
      ...{ isReplaced: false, isClosed: false, numSteps: 0, numRepeated: 0 },
    }),
  );
  let made = 0;
  const inner = userEnvKernel(() => standIn(rows[made++]), numEnvs, options);
  const kernel: EnvKernel = {
    ...inner,
    isRepeatable: false,
    rebuild(n, failure) {
      if (!rows[n].isReplaced) throw failure;
    },
    ...(first.isRepeatable !== false && {
      repeat(n: number, actions: ActionArray) {
        if (rows[n].numRepeated > 0) kernel.step(n, actions, 0);
        return rows[n].numRepeated;
      },
    }),
    close: () => {
      for (const row of rows) close(row);
    },
  };
  // The stand-ins are asked through the kernel that checks, whose arrays are the same.
  const vector = openVector(kernel, options.autoreset, options.faults);
  const state = { rows, kernel, create, faults: options.faults, ...createConversion(rows, kernel) };
  return { ...vectorEnvOf(vector), deferred: deferredRows(state, vector) };
}

/** Gives what is kept. */
function standIn(row: Deferred): Env {
  const { env } = row;
  return {
    observationSpace: env.observationSpace,
    actionSpace: env.actionSpace,
    ...(env.masksActions !== undefined && { masksActions: env.masksActions }),
    ...(env.maxEpisodeSteps !== undefined && { maxEpisodeSteps: env.maxEpisodeSteps }),
    ...(env.frameStack && { frameStack: env.frameStack }),
    reset: () => take(row.reset),
    step: () => take(row.step),
    ...(env.render && { render: (mode) => row.env.render?.(mode) ?? '' }),
  };
}

function take<T>(outcome: Outcome<T>): T {
  if (outcome.error !== undefined) throw outcome.error;
  return outcome.result;
}

function close(row: Deferred): void {
  if (row.isClosed) return;
  row.isClosed = true;
  closeInstance(row.env);
}

/** Nobody waits for it, and what it says to it is worth nothing: the instance is not used any more. */
function closeInstance(env: AsyncEnv): void {
  try {
    Promise.resolve(env.close?.()).catch(ignore);
  } catch {}
}

function createConversion(
  rows: readonly Deferred[],
  kernel: EnvKernel,
): Pick<DeferredEnvs, 'findFault' | 'copyLast'> {
  const { size, dtype } = flattenObservationSpace(kernel.observationSpace);
  const observation: ObservationArray = dtype === 'uint8' ? new Uint8Array(size) : new Float32Array(size); // [obsSize]
  const mask = new Uint8Array(kernel.masksActions ? actionMaskSize(kernel.actionSpace) : 0); // [maskSize] u8
  const actions = new Float32Array(flatActionSize(kernel.actionSpace)); // [A], which a stand-in does not read
  const findFault: DeferredEnvs['findFault'] = (n, phase) => {
    try {
      if (phase === 'reset') kernel.reset(n, 0);
      else kernel.step(n, actions, 0);
      kernel.writeObservation(n, observation, 0);
      const isOver = phase === 'step' && (hasEnded(kernel, n) || isAtLimit(kernel, rows[n]));
      if (!isOver && kernel.masksActions) kernel.writeMask?.(n, mask, 0);
      if (phase === 'step') kernel.reportMetrics?.(n, ignore);
      return null;
    } catch (error) {
      return error;
    } finally {
      // Told of by the call that follows.
      if (kernel.clipped !== undefined) kernel.clipped.length = 0;
      if (kernel.outside !== undefined) kernel.outside.element = -1;
    }
  };
  const copyLast = ({ info, ...result }: StepResult): StepResult => ({
    ...result,
    observation: unflattenObservation(kernel.observationSpace, observation.slice()),
    ...(info !== undefined && { info: { ...info, ...(info.metrics && { metrics: { ...info.metrics } }) } }),
  });
  return { findFault, copyLast };
}

function hasEnded({ terminated, truncated }: EnvKernel, n: number): boolean {
  return (terminated[n] | truncated[n]) === 1;
}

function isAtLimit({ maxEpisodeSteps }: EnvKernel, { numSteps }: Deferred): boolean {
  return maxEpisodeSteps !== null && numSteps >= maxEpisodeSteps;
}

function deferredRows(state: DeferredEnvs, vector: ReturnType<typeof openVector>): DeferredRows {
  const { rows, kernel } = state;
  const actionSize = flatActionSize(kernel.actionSpace);
  const ask = (n: number, actions: ActionArray, offset: number): Promise<Outcome<StepResult>> => {
    const { env } = rows[n];
    const action = unflattenAction(kernel.actionSpace, actions, offset);
    return awaitAnswer(() => env.step(action), 'step', deadlineOf(env));
  };
  return {
    reset: (n, seed) => begin(state, n, seed),
    async step(n, actions, nextSeed) {
      const row = rows[n];
      row.step = await ask(n, actions, n * actionSize);
      row.numSteps += 1;
      const isRejected = row.step.error !== undefined;
      const fault = state.findFault(n, 'step');
      if (fault === null) {
        if (!hasEnded(kernel, n) && !isAtLimit(kernel, row)) return;
        row.step = { result: state.copyLast(row.step.result as StepResult) };
        await begin(state, n, nextSeed);
      } else if (!row.isClosed && mayCut(state.faults, fault, isRejected)) {
        await replace(state, n);
        await begin(state, n, nextSeed);
      }
    },
    async replay(n, seed, actions, numSteps) {
      const row = rows[n];
      row.numRepeated = 0;
      if (seed !== null) await begin(state, n, seed);
      for (let k = 0; k < numSteps; k++) {
        const outcome = await ask(n, actions, k * actionSize);
        if (outcome.error !== undefined) {
          row.numRepeated = 0;
          await replace(state, n);
          return;
        }
        row.step = outcome;
        row.numSteps += 1;
        row.numRepeated = k + 1;
        if (outcome.result?.terminated || outcome.result?.truncated) return;
      }
    },
    stepRow(n, actions, nextSeeds, out) {
      stepRow(vector, n, actions, nextSeeds, out);
      if (vector.failures[n] !== null) throwFirstFailure(vector);
    },
  };
}

function deadlineOf({ deadlineSeconds = DEADLINE_SECONDS }: AsyncEnv): number | null {
  return deadlineSeconds;
}

/** Whether a step that failed ends its episode alone: what did not answer may by itself, what answered wrongly where the config says so. */
function mayCut(faults: EnvFaultHandling | undefined, fault: unknown, isRejected: boolean): boolean {
  if (faults === undefined) return false;
  if (isRejected && faults.restartFailedEnvs !== 'off') return true;
  return fault instanceof EnvError && mayBeginAnew(faults, fault);
}

/** Begins an episode of environment n; a rejected reset is tried again in fresh instances. */
async function begin(state: DeferredEnvs, n: number, seed: number): Promise<void> {
  const { rows, faults } = state;
  const row = rows[n];
  row.numSteps = 0;
  for (let k = 1; ; k++) {
    const { env } = row;
    row.reset = await awaitAnswer(() => env.reset({ seed }), 'reset', deadlineOf(env));
    if (row.reset.error === undefined) {
      const fault = state.findFault(n, 'reset');
      if (fault !== null) row.reset = { error: fault as EnvError };
      return;
    }
    const mayRetry = faults !== undefined && faults.restartFailedEnvs !== 'off' && !row.isClosed;
    const { error } = row.reset;
    if (!mayRetry || k === MAX_RESETS || isFinal(error)) return;
    faults.onFault({ error: placed(state.kernel.envId, n, seed, error), outcome: 'repeated' });
    if (!(await replace(state, n))) return;
  }
}

/** Whether it would be no use to try again. */
function isFinal({ cause }: EnvError): boolean {
  return (cause as { isFinal?: true } | undefined)?.isFinal === true;
}

function placed(envId: string, envIndex: number, episodeSeed: number, error: EnvError): EnvError {
  const place = { envId, envIndex, episodeSeed, episodeStep: 0 };
  return new EnvError(
    error.code as 'ENV_RESET_THREW',
    `${envId}, episode seed ${episodeSeed}, reset: ${error.message}`,
    place,
    {
      cause: error.cause,
    },
  );
}

/** @returns false when there is no fresh instance: what its factory threw is kept as the next reset. */
async function replace({ rows, create }: DeferredEnvs, n: number): Promise<boolean> {
  const row = rows[n];
  row.isReplaced = true;
  const old = row.env;
  try {
    const env = await create(); // first: what instances share stays open
    if (row.isClosed) closeInstance(env);
    row.env = env;
    return true;
  } catch (error) {
    row.reset = { error: new EnvError('ENV_RESET_THREW', `the factory threw: ${String(error)}`) };
    return false;
  } finally {
    closeInstance(old);
  }
}
