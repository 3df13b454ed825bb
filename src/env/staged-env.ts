/** Environments whose options change while a run goes on: each row takes the new ones when its next episode begins. */
import { isDeepStrictEqual } from 'node:util';
import { ConfigError, EnvError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { aroundSource } from './around-source.ts';
import type { EnvFaultHandling } from './env-faults.ts';
import type { EnvSource } from './env-source.ts';
import { flatActionSize, hasFloatActions } from './flatten-action.ts';
import { flatSize } from './flatten-space.ts';
import { loadVectorEnvMaker } from './load-env.ts';
import { describeSpace, spaceToJson } from './space-json.ts';
import type { ActionArray, StepRows, VectorEnv } from './vector-env.ts';

/** What rows play with, laid over the source's options. */
export interface RowOptions {
  /** Of the running episodes, by row. */
  readonly running: readonly JsonObject[]; // [rows]
  /** Of the episodes that begin from now on. */
  readonly next: JsonObject;
}

export interface StagedEnv {
  readonly vectorEnv: VectorEnv;
  /** Episodes that begin from now on have these options, laid over the source's. */
  setNextOptions(options: JsonObject): void;
  /** Those of row n's running episode. */
  optionsOf(n: number): JsonObject;
}

/** One environment of its own, and what it reads and writes. */
interface Row {
  env: VectorEnv;
  options: JsonObject;
  readonly actions: ActionArray; // [A]
  readonly seed: Uint32Array; // [1] u32
  readonly out: { -readonly [K in keyof StepRows]: StepRows[K] };
  /** Of which `out.finalObservations` is a view, and which `out.onMetric` calls. */
  finals: StepRows['finalObservations'] | null;
  onMetric: StepRows['onMetric'];
}

/**
 * Makes a vector environment of as many single-row ones as there are rows, each with the options of its running episode. When an episode ends
 * and the next one is to have others, the row's environment is closed and a fresh one made.
 *
 * Wrappers of the source and previous inputs go around all of it.
 *
 * Rows depend on nothing but their own options, seeds and actions. A row whose options stay keeps its environment.
 *
 * Cost: a vector environment a row (a process a row, for environments in Python) instead of one for all; one reset more at a change, since
 * an environment begins its next episode in the step that ends the last one.
 *
 * Thread: the one that it is made in. @throws {@link ConfigError} `CONFIG_CURRICULUM_SPACES` where options change a space, and as `makeVectorEnv`.
 */
export async function makeStagedEnv(
  source: EnvSource,
  { running, next }: RowOptions,
  faults?: EnvFaultHandling,
): Promise<StagedEnv> {
  const maker = await loadVectorEnvMaker(source);
  const make = (options: JsonObject, n: number) =>
    requireAtOnce(
      maker({ ...source.options, ...options }, 1, 'same-step', faults && ofRow(faults, n)),
      source.id,
    );
  refuseOtherPrograms(source, next);
  for (const options of running) refuseOtherPrograms(source, options);
  const rows: Row[] = [];
  try {
    for (const [n, options] of running.entries()) {
      rows.push(createRow(make(options, n), options));
      requireSpacesOf(rows[0].env, rows[n].env, source.id, options);
    }
  } catch (error) {
    for (const { env } of rows) env.close?.();
    throw error;
  }
  const state = { make, rows, next, source };
  return {
    vectorEnv: aroundSource(stagedVectorEnv(state), source),
    setNextOptions(options) {
      refuseOtherPrograms(source, options);
      state.next = options;
    },
    optionsOf: (n) => state.rows[n].options,
  };
}

/** @throws {@link ConfigError} `CONFIG_ENV_ASYNC` for asynchronous environments, which are closed when they are there. */
function requireAtOnce(made: VectorEnv | Promise<VectorEnv>, id: string): VectorEnv {
  if (!(made instanceof Promise)) return made;
  made.then(
    (env) => env.close?.(),
    () => undefined,
  );
  throw new ConfigError(
    'CONFIG_ENV_ASYNC',
    `${id} is asynchronous, and the options of its environments cannot change in mid-run: leave \`curriculum\` and \`setEnvOptions\` out.`,
  );
}

interface StagedState {
  readonly source: EnvSource;
  readonly make: (options: JsonObject, n: number) => VectorEnv;
  readonly rows: readonly Row[];
  next: JsonObject;
}

function createRow(env: VectorEnv, options: JsonObject): Row {
  const actionSize = flatActionSize(env.actionSpace);
  return {
    env,
    options,
    actions: hasFloatActions(env.actionSpace) ? new Float32Array(actionSize) : new Int32Array(actionSize),
    seed: new Uint32Array(1),
    out: {} as Row['out'],
    finals: null,
    onMetric: null,
  };
}

function stagedVectorEnv(state: StagedState): VectorEnv {
  const { rows } = state;
  const [{ env: first }] = rows;
  const obsSize = flatSize(first.observationSpace);
  const actionSize = flatActionSize(first.actionSpace);
  const aim = (n: number, out: StepRows) => aimRow(rows[n], n, out, obsSize);
  /** Goes through the rows, all of them even if some fail; then throws the first failure. */
  const eachRow = (visit: (row: Row, n: number) => void, mask?: Uint8Array) => {
    let failure: unknown;
    for (const [n, row] of rows.entries()) {
      if (mask !== undefined && mask[n] !== 1) continue;
      try {
        visit(row, n);
      } catch (error) {
        failure ??= placedAt(error, n);
      }
    }
    if (failure !== undefined) throw failure;
  };
  const reset = (row: Row, n: number, seed: number, out: StepRows) => {
    row.seed[0] = seed;
    row.env.reset(row.seed, aim(n, out));
  };
  const { getState, setState, replay, lastReward, render } = first;
  return {
    numEnvs: rows.length,
    numRows: rows.length,
    policyOf: null,
    observationSpace: first.observationSpace,
    actionSpace: first.actionSpace,
    actionMaskSize: first.actionMaskSize,
    ...(first.maxEpisodeSteps !== undefined && { maxEpisodeSteps: first.maxEpisodeSteps }),
    ...(first.frameStack && { frameStack: first.frameStack }),
    autoreset: 'same-step',
    reset: (seeds, out) => eachRow((row, n) => reset(row, n, seeds[n], out)),
    resetRows: (mask, seeds, out) => eachRow((row, n) => reset(row, n, seeds[n], out), mask),
    step: (actions, nextSeeds, out) =>
      eachRow((row, n) => {
        for (let k = 0; k < actionSize; k++) row.actions[k] = actions[n * actionSize + k];
        row.seed[0] = nextSeeds[n];
        row.env.step(row.actions, row.seed, aim(n, out));
        const i = row.out.scalarOffset;
        const hasEnded = (out.terminated[i] | out.truncated[i]) !== 0;
        if (!hasEnded || isDeepStrictEqual(row.options, state.next)) return;
        change(state, n);
        reset(row, n, nextSeeds[n], out);
      }),
    ...(getState && { getState: (n) => rows[n].env.getState?.(0) ?? null }),
    ...(setState && {
      setState: (n, saved: JsonValue, out) => rows[n].env.setState?.(0, saved, aim(n, out)),
    }),
    ...(replay && {
      replay: (n, seed, actions, numSteps, out) =>
        rows[n].env.replay?.(0, seed, actions, numSteps, aim(n, out)) ?? false,
    }),
    ...(lastReward && { lastReward: (n) => rows[n].env.lastReward?.(0) ?? Number.NaN }),
    ...(render && { render: (n, mode) => rows[n].env.render?.(0, mode) ?? '' }),
    close() {
      for (const { env } of rows) env.close?.();
    },
  };
}

/** Puts an environment with the next options in row n's place, to be reset next. */
function change(state: StagedState, n: number): void {
  const row = state.rows[n];
  const env = state.make(state.next, n);
  requireSpacesOf(row.env, env, state.source.id, state.next);
  row.env.close?.();
  row.env = env;
  row.options = state.next;
}

/** Where row n's own environment, whose only row is 0, writes what `out` wants of row n. */
function aimRow(row: Row, n: number, out: StepRows, obsSize: number): StepRows {
  const { out: own } = row;
  if (row.finals !== out.finalObservations) {
    row.finals = out.finalObservations;
    own.finalObservations = out.finalObservations.subarray(n * obsSize, (n + 1) * obsSize);
  }
  own.observations = out.observations;
  own.observationOffset = out.observationOffset + n * out.observationStride;
  own.observationStride = out.observationStride;
  own.rewards = out.rewards;
  own.terminated = out.terminated;
  own.truncated = out.truncated;
  own.scalarOffset = out.scalarOffset + n * out.scalarStride;
  own.scalarStride = out.scalarStride;
  own.actionMasks = out.actionMasks;
  own.maskOffset = out.maskOffset + n * out.maskStride;
  own.maskStride = out.maskStride;
  const { onMetric } = out;
  if (row.onMetric !== onMetric || own.onMetric === undefined) {
    row.onMetric = onMetric;
    own.onMetric = onMetric === null ? null : (_, name, value) => onMetric(n, name, value);
  }
  return own;
}

/** Faults that say which row they are of. */
function ofRow(faults: EnvFaultHandling, n: number): EnvFaultHandling {
  return {
    ...faults,
    onFault: (fault) => faults.onFault({ ...fault, error: placedAt(fault.error, n) as EnvError }),
  };
}

/** A row's own environment takes itself for environment 0. */
export function placedAt(error: unknown, n: number): unknown {
  if (!(error instanceof EnvError)) return error;
  const place = { ...error.place, envIndex: n };
  return new EnvError(error.code as 'ENV_THREW', error.message, place, { cause: error.cause });
}

/**
 * Of an environment in Python two options say which program runs. They are the run's own: a checkpoint, which holds options, brings no program.
 *
 * @throws ConfigError `CONFIG_ENV_OPTION`.
 */
export function refuseOtherPrograms(source: EnvSource, options: JsonObject): void {
  const isOutside = /^[a-z]{2,}:/.test(source.id) && 'reference' in source.options;
  if (!isOutside) return;
  for (const name of ['python', 'reference']) {
    if (!(name in options)) continue;
    throw new ConfigError(
      'CONFIG_ENV_OPTION',
      `The option \`${name}\` of ${source.id} cannot change in mid-run: it says which program runs.`,
    );
  }
}

type Spaces = Pick<VectorEnv, 'observationSpace' | 'actionSpace' | 'actionMaskSize'>;

/** Bounds of observations may differ, which no policy reads. @throws ConfigError `CONFIG_CURRICULUM_SPACES`. */
export function requireSpacesOf(expected: Spaces, found: Spaces, id: string, options: JsonObject): void {
  const isSame =
    isDeepStrictEqual(withoutBounds(found.observationSpace), withoutBounds(expected.observationSpace)) &&
    isDeepStrictEqual(spaceToJson(found.actionSpace), spaceToJson(expected.actionSpace)) &&
    found.actionMaskSize === expected.actionMaskSize;
  if (isSame) return;
  const say = (spaces: Spaces) =>
    `observations ${describeSpace(spaces.observationSpace)}, actions ${describeSpace(spaces.actionSpace)}, ${spaces.actionMaskSize} elements of action mask`;
  throw new ConfigError(
    'CONFIG_CURRICULUM_SPACES',
    `With the options ${JSON.stringify(options)} ${id} has ${say(found)}, and one policy is for ${say(expected)}: options may change in mid-run if the spaces stay.`,
  );
}

/** A space as JSON, whose bounds say nothing. */
export function withoutBounds(space: VectorEnv['observationSpace']): JsonValue {
  return JSON.parse(
    JSON.stringify(spaceToJson(space), (key, value) => (key === 'low' || key === 'high' ? null : value)),
  ) as JsonValue;
}
