/**
 * N environments in Python as a kernel: one call steps them all beforehand, and what the vector environment then asks of each is answered from
 * that. What was not foreseen (an episode led back to where it was, a fresh instance) is a call of its own.
 */
import type { EnvError } from '../../errors.ts';
import { EnvError as EnvironmentError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { EnvFaultHandling } from '../env-faults.ts';
import type { EnvKernel } from '../env-kernel.ts';
import { flatBound } from '../flatten-space.ts';
import { checkRow, finiteReward } from '../user-results.ts';
import type { ActionArray, AutoresetMode } from '../vector-env.ts';
import { findPython } from './find-python.ts';
import { type PythonHost, RowCommand, type RowError, RowEnd, startHost } from './python-host.ts';
import type { PythonOptions } from './python-options.ts';

export interface PythonKernel {
  readonly kernel: EnvKernel;
  readonly autoresetModes: readonly AutoresetMode[];
  /** Resets rows with `mask[n]` 1 in one call; `kernel.reset` then takes the results. */
  foreseeReset(mask: Uint8Array | null, seeds: Uint32Array): void;
  /**
   * Steps rows in one call; `kernel.step`, and `kernel.reset` where an episode ended, then take the results.
   *
   * @param commands RowCommand of each row.
   */
  foreseeStep(commands: Uint8Array, actions: ActionArray, nextSeeds: Uint32Array, resets: boolean): void;
}

interface KernelState {
  host: PythonHost;
  /** What a call has answered beforehand, until it is asked for. */
  readonly hasStep: Uint8Array; // [numEnvs] u8
  readonly hasReset: Uint8Array; // [numEnvs] u8
  readonly resetSeeds: Uint32Array; // [numEnvs] u32
  readonly stepErrors: (EnvError | null)[]; // [numEnvs]
  readonly resetErrors: (EnvError | null)[]; // [numEnvs]
  readonly results: { readonly rewards: Float64Array; readonly ends: Uint8Array }; // [numEnvs] f64, u8
  /** Whether what `writeObservation` writes is the last of an episode. */
  readonly isFinal: Uint8Array; // [numEnvs] u8
  /** Its environment is gone with a process, or was never reset; why. */
  readonly lost: (EnvError | null)[]; // [numEnvs]
  readonly needsRebuild: Uint8Array; // [numEnvs] u8
  /** Elements of the last answer's metrics that were told of; they come in the order of rows. */
  metricsTold: number;
}

/** @param faults what becomes of numbers that are not finite; absent = they are errors. */
export function createPythonKernel(
  numEnvs: number,
  options: PythonOptions,
  faults?: EnvFaultHandling,
): PythonKernel {
  const start = () => startHost(findPython(options.python), options, numEnvs);
  const state = createState(start(), numEnvs);
  const { description } = state.host;
  const { observationSpace, actionSpace, isRepeatable } = description;
  const isClipped = faults?.nonFinite === 'clip';
  const bounds = {
    low: Float32Array.from(flatBound(observationSpace, 'low')),
    high: Float32Array.from(flatBound(observationSpace, 'high')),
  };
  const isBytes = observationSpace.kind === 'box' && observationSpace.dtype === 'uint8';
  const clipped: EnvError[] = [];
  const outside = { element: -1, value: 0 };
  const actionSize = state.host.actions.length / numEnvs;
  const kernel: EnvKernel = {
    envId: options.reference,
    numEnvs,
    observationSpace,
    actionSpace,
    maxEpisodeSteps: options.maxEpisodeSteps,
    masksActions: description.maskSize > 0,
    ...(description.frameStack !== null && { frameStack: description.frameStack }),
    rewards: new Float64Array(numEnvs),
    terminated: new Uint8Array(numEnvs),
    truncated: new Uint8Array(numEnvs),
    isRepeatable,
    reset(n, seed) {
      if (state.hasReset[n] === 0 || state.resetSeeds[n] !== seed) resetAlone(state, n, seed);
      state.hasReset[n] = 0;
      state.isFinal[n] = 0;
      throwOnce(state.resetErrors, n);
    },
    step(n, actions, offset) {
      if (state.hasStep[n] === 0) stepAlone(state, n, actions.subarray(offset, offset + actionSize));
      state.hasStep[n] = 0;
      throwOnce(state.stepErrors, n);
      take(n);
    },
    ...(isRepeatable && { repeat }),
    writeObservation(n, out, offset) {
      state.host.copyRow(n, state.isFinal[n] === 1, out, offset);
      if (!isBytes) checkRow(bounds, out, offset, isClipped, clipped, outside);
    },
    writeMask(n, out, offset) {
      const { maskSize } = description;
      for (let k = 0; k < maskSize; k++) out[offset + k] = state.host.masks[n * maskSize + k];
    },
    reportMetrics(n, onMetric) {
      const { host } = state;
      const end = 3 * host.numMetrics();
      let k = state.metricsTold;
      for (; k < end && host.metrics[k] <= n; k += 3)
        if (host.metrics[k] === n) onMetric(n, host.nameOf(host.metrics[k + 1]), host.metrics[k + 2]);
      state.metricsTold = k;
    },
    rebuild(n) {
      if (!state.host.process.isAlive()) replaceHost(state, start());
      else state.needsRebuild[n] = 1;
      state.hasReset[n] = 0;
      state.hasStep[n] = 0;
    },
    ...(description.renderMode !== null && { render: (n) => readPicture(state.host.render(n)) }),
    clipped,
    outside,
    close: () => state.host.process.close(),
  };
  const take = (n: number) => {
    const end = state.results.ends[n];
    kernel.rewards[n] = finiteReward(state.results.rewards[n], isClipped, clipped);
    kernel.terminated[n] = end & RowEnd.TERMINATED;
    kernel.truncated[n] = (end & RowEnd.TRUNCATED) >> 1;
    state.isFinal[n] = end === 0 ? 0 : 1;
  };
  function repeat(n: number, actions: ActionArray, numSteps: number): number {
    requireThere(state, n);
    state.host.commands.fill(RowCommand.SKIP);
    const { count, errors } = repeatAlive(state, n, actions, numSteps);
    keepResults(state, (k) => k === n, errors, RowCommand.STEP, false);
    state.hasStep[n] = 0;
    throwOnce(state.stepErrors, n);
    take(n);
    return count;
  }
  return {
    kernel,
    autoresetModes: description.autoresetModes,
    foreseeReset(mask, seeds) {
      const { host } = state;
      if (!host.process.isAlive()) replaceHost(state, start());
      for (let n = 0; n < numEnvs; n++) {
        const isAsked = mask === null || mask[n] === 1;
        host.commands[n] = isAsked ? resetCommand(state, n) : RowCommand.SKIP;
        host.seeds[n] = seeds[n];
      }
      call(state, false);
    },
    foreseeStep(commands, actions, nextSeeds, resets) {
      const { host, lost } = state;
      for (let n = 0; n < numEnvs; n++) {
        host.commands[n] = commands[n] === RowCommand.STEP && lost[n] !== null ? RowCommand.SKIP : commands[n];
        if (commands[n] !== RowCommand.STEP || lost[n] === null) continue;
        state.hasStep[n] = 1;
        state.stepErrors[n] = lost[n];
      }
      host.seeds.set(nextSeeds);
      host.actions.set(actions);
      call(state, resets);
    },
  };
}

function createState(host: PythonHost, numEnvs: number): KernelState {
  const bytes = () => new Uint8Array(numEnvs);
  const none = () => new Array<EnvError | null>(numEnvs).fill(null);
  return {
    host,
    hasStep: bytes(),
    hasReset: bytes(),
    resetSeeds: new Uint32Array(numEnvs),
    stepErrors: none(),
    resetErrors: none(),
    results: { rewards: new Float64Array(numEnvs), ends: bytes() },
    isFinal: bytes(),
    lost: none(),
    needsRebuild: bytes(),
    metricsTold: 0,
  };
}

/** All rows that the commands name; a process that dies fails them all. */
function call(state: KernelState, resets: boolean): void {
  const { host } = state;
  let errors: readonly RowError[];
  state.metricsTold = 0;
  try {
    errors = host.step(resets);
  } catch (error) {
    noteDeath(state, error as EnvError);
    return;
  }
  for (const command of [RowCommand.STEP, RowCommand.RESET, RowCommand.REBUILD])
    keepResults(state, (n) => host.commands[n] === command, errors, command, resets);
}

function keepResults(
  state: KernelState,
  isMeant: (n: number) => boolean,
  errors: readonly RowError[],
  command: number,
  resets: boolean,
): void {
  const { host, results, hasStep, hasReset, resetSeeds, stepErrors, resetErrors, lost } = state;
  for (let n = 0; n < results.ends.length; n++) {
    if (!isMeant(n)) continue;
    const end = host.ends[n];
    if (command === RowCommand.STEP) {
      hasStep[n] = 1;
      stepErrors[n] = null;
      results.rewards[n] = host.rewards[n];
      results.ends[n] = end;
    }
    if (command !== RowCommand.STEP || (resets && end !== 0)) {
      hasReset[n] = 1;
      resetErrors[n] = null;
      resetSeeds[n] = host.seeds[n];
      lost[n] = null;
    }
  }
  for (const { row, phase, error } of errors) {
    if (!isMeant(row)) continue;
    if (phase === 'step') stepErrors[row] = error;
    else if (command !== RowCommand.STEP) resetErrors[row] = error;
    // The step was good and the reset behind it not: the step is asked for anew, and says so.
    else stepErrors[row] = error;
    hasReset[row] = command === RowCommand.STEP ? 0 : 1;
    lost[row] = error;
  }
}

function noteDeath(state: KernelState, death: EnvError): void {
  const { host, hasStep, hasReset, stepErrors, resetErrors, resetSeeds, lost } = state;
  for (let n = 0; n < lost.length; n++) {
    lost[n] = death;
    if (host.commands[n] === RowCommand.STEP) {
      hasStep[n] = 1;
      stepErrors[n] = death;
    } else if (host.commands[n] !== RowCommand.SKIP) {
      hasReset[n] = 1;
      resetErrors[n] = death;
      resetSeeds[n] = host.seeds[n];
    }
  }
}

/** Its environments are fresh; those of rows that have not failed yet are found to be lost at their next step. */
function replaceHost(state: KernelState, host: PythonHost): void {
  state.host = host;
  state.needsRebuild.fill(0);
}

function resetAlone(state: KernelState, n: number, seed: number): void {
  const { host } = state;
  if (!host.process.isAlive()) throw state.lost[n] ?? gone();
  host.commands.fill(RowCommand.SKIP);
  host.commands[n] = resetCommand(state, n);
  host.seeds[n] = seed;
  call(state, false);
}

function resetCommand({ needsRebuild }: KernelState, n: number): number {
  const command = needsRebuild[n] === 1 ? RowCommand.REBUILD : RowCommand.RESET;
  needsRebuild[n] = 0;
  return command;
}

function stepAlone(state: KernelState, n: number, action: ActionArray): void {
  requireThere(state, n);
  const { host } = state;
  host.commands.fill(RowCommand.SKIP);
  host.commands[n] = RowCommand.STEP;
  host.actions.set(action, (n * host.actions.length) / host.commands.length);
  call(state, false);
}

function repeatAlive(state: KernelState, n: number, actions: ActionArray, numSteps: number) {
  try {
    return state.host.repeat(n, actions, numSteps);
  } catch (error) {
    noteDeath(state, error as EnvError);
    throw error;
  }
}

function requireThere({ host, lost }: KernelState, n: number): void {
  if (lost[n] !== null || !host.process.isAlive()) throw lost[n] ?? gone();
}

function gone(): EnvError {
  return new EnvironmentError('ENV_PYTHON_EXITED', 'the Python process has ended.');
}

function throwOnce(errors: (EnvError | null)[], n: number): void {
  const error = errors[n];
  errors[n] = null;
  if (error !== null) throw error;
}

function readPicture({ error, text, height, width, pixels }: JsonObject) {
  if (error !== undefined) throw new EnvironmentError('ENV_RENDER', `render in Python: ${String(error)}.`);
  if (text !== undefined) return text as string;
  const bytes = Uint8Array.from(Buffer.from(pixels as string, 'base64'));
  return { height: height as number, width: width as number, pixels: bytes };
}
