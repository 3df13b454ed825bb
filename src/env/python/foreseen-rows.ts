/** What Python answered beforehand of each row, and which rows have lost their environment. */
import { EnvError } from '../../errors.ts';
import type { ActionArray } from '../vector-env.ts';
import { type PythonHost, RowCommand, type RowError } from './python-host.ts';

export interface ForeseenRows {
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
  /** Of the last step: row, name, value, in the order of rows. */
  metrics: Float64Array; // [>= numElements] f64
  numElements: number;
  /** Elements that were told of. */
  numTold: number;
}

export function createRows(host: PythonHost, numEnvs: number): ForeseenRows {
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
    metrics: new Float64Array(48),
    numElements: 0,
    numTold: 0,
  };
}

/** All rows that the commands name; a process that dies fails them all. */
function call(state: ForeseenRows, resets: boolean): void {
  const { host } = state;
  let errors: readonly RowError[];
  try {
    errors = host.step(resets);
  } catch (error) {
    noteDeath(state, error as EnvError);
    return;
  }
  for (let n = 0; n < host.commands.length; n++)
    if (host.commands[n] !== RowCommand.SKIP) keepResult(state, n, host.commands[n], resets);
  for (const told of errors) {
    const command = host.commands[told.row];
    if (command !== RowCommand.SKIP) keepError(state, told, command);
  }
}

function keepResult(state: ForeseenRows, n: number, command: number, resets: boolean): void {
  const { host, results } = state;
  const end = host.ends[n];
  if (command === RowCommand.STEP) {
    state.hasStep[n] = 1;
    state.stepErrors[n] = null;
    results.rewards[n] = host.rewards[n];
    results.ends[n] = end;
    if (!resets || end === 0) return;
  }
  state.hasReset[n] = 1;
  state.resetErrors[n] = null;
  state.resetSeeds[n] = host.seeds[n];
  state.lost[n] = null;
}

function keepError(state: ForeseenRows, { row, phase, error }: RowError, command: number): void {
  const isStep = command === RowCommand.STEP;
  // A step may be good and the reset behind it not: the step is asked for anew, and says so.
  if (isStep || phase === 'step') state.stepErrors[row] = error;
  else state.resetErrors[row] = error;
  state.hasReset[row] = isStep ? 0 : 1;
  state.lost[row] = error;
}

/** Another call may follow before they are asked for. */
function keepMetrics(state: ForeseenRows): void {
  const { host } = state;
  const count = 3 * host.numMetrics();
  if (state.metrics.length < count) state.metrics = new Float64Array(2 * count);
  for (let k = 0; k < count; k++) state.metrics[k] = host.metrics[k];
  state.numElements = count;
  state.numTold = 0;
}

function noteDeath(state: ForeseenRows, death: EnvError): void {
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
export function replaceHost(state: ForeseenRows, host: PythonHost): void {
  state.host = host;
  state.needsRebuild.fill(0);
}

export function resetAlone(state: ForeseenRows, n: number, seed: number): void {
  const { host } = state;
  if (!host.process.isAlive()) throw state.lost[n] ?? gone();
  host.commands.fill(RowCommand.SKIP);
  host.commands[n] = resetCommand(state, n);
  host.seeds[n] = seed;
  call(state, false);
}

function resetCommand({ needsRebuild }: ForeseenRows, n: number): number {
  const command = needsRebuild[n] === 1 ? RowCommand.REBUILD : RowCommand.RESET;
  needsRebuild[n] = 0;
  return command;
}

export function stepAlone(state: ForeseenRows, n: number, action: ActionArray): void {
  requireThere(state, n);
  const { host } = state;
  host.commands.fill(RowCommand.SKIP);
  host.commands[n] = RowCommand.STEP;
  host.actions.set(action, (n * host.actions.length) / host.commands.length);
  call(state, false);
  keepMetrics(state);
}

/** Steps of one row at once. @returns how many were taken. */
export function repeatAlone(state: ForeseenRows, n: number, actions: ActionArray, numSteps: number): number {
  requireThere(state, n);
  const { host } = state;
  host.commands.fill(RowCommand.SKIP);
  try {
    const { count, errors } = host.repeat(n, actions, numSteps);
    keepResult(state, n, RowCommand.STEP, false);
    for (const told of errors) if (told.row === n) keepError(state, told, RowCommand.STEP);
    return count;
  } catch (error) {
    noteDeath(state, error as EnvError);
    throw error;
  }
}

function requireThere({ host, lost }: ForeseenRows, n: number): void {
  if (lost[n] !== null || !host.process.isAlive()) throw lost[n] ?? gone();
}

function gone(): EnvError {
  return new EnvError('ENV_PYTHON_EXITED', 'the Python process has ended.');
}

export function throwOnce(errors: (EnvError | null)[], n: number): void {
  const error = errors[n];
  errors[n] = null;
  if (error !== null) throw error;
}

/** Resets rows with `mask[n]` 1, all for null, in one call; in a fresh process where the last one is gone. */
export function resetForeseen(
  state: ForeseenRows,
  start: () => PythonHost,
  mask: Uint8Array | null,
  seeds: Uint32Array,
): void {
  if (!state.host.process.isAlive()) replaceHost(state, start());
  const { host } = state;
  for (let n = 0; n < seeds.length; n++) {
    const isAsked = mask === null || mask[n] === 1;
    host.commands[n] = isAsked ? resetCommand(state, n) : RowCommand.SKIP;
    host.seeds[n] = seeds[n];
  }
  call(state, false);
}

/** Steps rows in one call; those that have lost their environment are left out and fail. */
export function stepForeseen(
  state: ForeseenRows,
  commands: Uint8Array,
  actions: ActionArray,
  nextSeeds: Uint32Array,
  resets: boolean,
): void {
  const { host, lost } = state;
  for (let n = 0; n < commands.length; n++) {
    const isLost = commands[n] === RowCommand.STEP && lost[n] !== null;
    host.commands[n] = isLost ? RowCommand.SKIP : commands[n];
    if (!isLost) continue;
    state.hasStep[n] = 1;
    state.stepErrors[n] = lost[n];
  }
  host.seeds.set(nextSeeds);
  host.actions.set(actions);
  call(state, resets);
  keepMetrics(state);
}
