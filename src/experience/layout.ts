/**
 * The layout of a block set: what one rollout of N rows x T steps looks like in shared memory.
 *
 * Environment-major: flat index i = n * T + t. A worker owns the contiguous rows [n0, n1) while it samples, the
 * learner owns the set while it learns. A header (magic, version) stands in front, so that a process that maps
 * foreign memory notices.
 */
import { ShapeError } from '../errors.ts';
import { recurrentStateSize } from '../policy/networks/recurrent-state.ts';
import { type ActingSpec, actionDtype, actionSize, isBehaviour } from '../policy/policy-spec.ts';

export type ColumnDtype = 'float32' | 'float64' | 'int32' | 'uint8';

export interface Column {
  readonly name: string;
  readonly dtype: ColumnDtype;
  /** [N, T, ...] or [N, ...]. */
  readonly shape: readonly number[];
  /** Bytes from the beginning of the block set, 64-byte aligned. */
  readonly offset: number;
}

export interface RolloutLayout {
  readonly numRows: number; // N
  readonly rolloutLength: number; // T
  readonly columns: readonly Column[];
  readonly byteLength: number;
  /** Of a recurrent policy, see {@link RolloutColumns}; else 0. */
  readonly burnIn: number;
}

export const ROLLOUT_MAGIC = 0x4f50524c; // 'OPRL'
export const ROLLOUT_VERSION = 1;
const HEADER_BYTES = 64; // magic, version, numRows, rolloutLength as int32; the rest reserved
const BYTES: Record<ColumnDtype, number> = { float32: 4, float64: 8, int32: 4, uint8: 1 };

/** Which columns a rollout has besides those that every one has. */
export interface RolloutColumns {
  /**
   * What on-policy learning needs: `logProbs`, `values`, `finalValues`, `bootstrapValues`, `advantages`, `returns`. Under a behaviour
   * that gives them (epsilon-greedy) values are max_a Q(s, a), and there are no log-probabilities. Without: those columns are empty.
   */
  readonly values: boolean;
  /** What replay needs: true last observations of episodes, `finalSlots` and `finalObservations`. Without: empty. */
  readonly finalObservations: boolean;
  /** L: a recurrent policy's states at every L-th step are kept in `recurrentStates`; it divides T. Absent: that column is empty. */
  readonly sequenceLength?: number;
  /** B: the state of each sequence but a row's first is kept so many steps before it begins, L at most. Absent = 0. */
  readonly burnIn?: number;
}

export const ON_POLICY_COLUMNS: RolloutColumns = { values: true, finalObservations: false };
export const OFF_POLICY_COLUMNS: RolloutColumns = { values: false, finalObservations: true };

/**
 * The columns of a rollout.
 *
 * Written by the worker that owns a row: `observations` (raw, before normalisation), `actions`, `logProbs`, `values`
 * (in scaled-reward units), `rewards` (raw), `terminated`, `truncated`, `finalValues` (V of the true last observation;
 * meaningful only where truncated), `episodeReturns` and `episodeLengths` (meaningful only where an episode ended),
 * `actionMasks` (the mask under which the action was taken), and per row `bootstrapObservations`, `bootstrapMasks`,
 * `bootstrapValues` (what follows step T - 1: the first observation of the next rollout), `policyVersions`.
 * Where asked for, `finalSlots`: -1, or where an episode ended the slot of `finalObservations` that holds its true last observation.
 * Row n's k-th end of the rollout has slot n * T + k, so there is one for every step and no row writes another's.
 * Of a recurrent policy (S = size of a row's state): `recurrentStates`, what each sequence of L steps (or its burn-in) began with, 0 where an episode began
 * there; and per row `lastRecurrentStates`, after step T - 1.
 * Written by the learner's side after collection: `advantages`, `returns`.
 */
export function rolloutLayout(
  spec: ActingSpec,
  numRows: number,
  rolloutLength: number,
  { values, finalObservations, sequenceLength = 0, burnIn = 0 }: RolloutColumns = ON_POLICY_COLUMNS,
): RolloutLayout {
  const N = numRows;
  const T = rolloutLength;
  const A = actionSize(spec.distribution);
  const columns: Column[] = [];
  let end = HEADER_BYTES;
  const add = (name: string, dtype: ColumnDtype, shape: readonly number[]) => {
    columns.push({ name, dtype, shape, offset: end });
    const elements = shape.reduce((product, dimension) => product * dimension, 1);
    end = Math.ceil((end + elements * BYTES[dtype]) / 64) * 64;
  };
  add('observations', spec.observationDtype, [N, T, spec.observationSize]);
  add('actions', actionDtype(spec.distribution), [N, T, A]);
  const V = values ? T : 0; // an absent column has no steps
  add('logProbs', 'float32', [N, isBehaviour(spec.distribution) ? 0 : V]);
  add('values', 'float32', [N, V]);
  add('rewards', 'float32', [N, T]);
  add('terminated', 'uint8', [N, T]);
  add('truncated', 'uint8', [N, T]);
  add('finalValues', 'float32', [N, V]);
  add('episodeReturns', 'float64', [N, T]);
  add('episodeLengths', 'int32', [N, T]);
  add('actionMasks', 'uint8', [N, T, spec.actionMaskSize]);
  add('bootstrapObservations', spec.observationDtype, [N, spec.observationSize]);
  add('bootstrapMasks', 'uint8', [N, spec.actionMaskSize]);
  add('bootstrapValues', 'float32', [values ? N : 0]);
  add('policyVersions', 'int32', [N]);
  add('advantages', 'float32', [N, V]);
  add('returns', 'float32', [N, V]);
  add('finalSlots', 'int32', [N, finalObservations ? T : 0]);
  add('finalObservations', spec.observationDtype, [finalObservations ? N * T : 0, spec.observationSize]);
  const S = recurrentStateSize(spec);
  add('recurrentStates', 'float32', [N, sequenceLength > 0 ? T / sequenceLength : 0, S]);
  add('lastRecurrentStates', 'float32', [N, S]);
  return { numRows, rolloutLength, columns, byteLength: end, burnIn };
}

/** Typed views over one block set; every view is shared memory, nothing is copied. N = numRows, T = rolloutLength. */
export interface RolloutViews {
  readonly numRows: number;
  readonly rolloutLength: number;
  /** Byte offset of the set in the arena: a column's address is `byteOffset + column.offset`. */
  readonly byteOffset: number;
  /** As in the layout. */
  readonly burnIn: number;
  readonly observations: Float32Array | Uint8Array; // [N, T, obsSize]
  readonly actions: Float32Array | Int32Array; // [N, T, A]
  readonly logProbs: Float32Array; // [N, T] f32
  readonly values: Float32Array; // [N, T] f32
  readonly rewards: Float32Array; // [N, T] f32
  readonly terminated: Uint8Array; // [N, T] u8
  readonly truncated: Uint8Array; // [N, T] u8
  readonly finalValues: Float32Array; // [N, T] f32
  readonly episodeReturns: Float64Array; // [N, T] f64
  readonly episodeLengths: Int32Array; // [N, T] i32
  readonly actionMasks: Uint8Array; // [N, T, maskSize] u8, empty without masks
  readonly bootstrapObservations: Float32Array | Uint8Array; // [N, obsSize]
  readonly bootstrapMasks: Uint8Array; // [N, maskSize] u8
  readonly bootstrapValues: Float32Array; // [N] f32
  readonly policyVersions: Int32Array; // [N] i32
  readonly advantages: Float32Array; // [N, T] f32
  readonly returns: Float32Array; // [N, T] f32
  readonly finalSlots: Int32Array; // [N, T] i32, -1 = the episode went on; empty unless asked for
  readonly finalObservations: Float32Array | Uint8Array; // [N * T, obsSize], slots; empty unless asked for
  readonly recurrentStates: Float32Array; // [N, T / L, S] f32, empty without recurrence
  readonly lastRecurrentStates: Float32Array; // [N, S] f32, empty without recurrence
}

const ARRAYS = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array };

/** Writes the header of a fresh block set. */
export function initializeRollout(buffer: ArrayBufferLike, byteOffset: number, layout: RolloutLayout): void {
  new Int32Array(buffer, byteOffset, 4).set([
    ROLLOUT_MAGIC,
    ROLLOUT_VERSION,
    layout.numRows,
    layout.rolloutLength,
  ]);
}

/**
 * Opens typed views over a block set.
 *
 * @throws {@link ShapeError} `SHAPE_ROLLOUT_HEADER` when the memory does not hold a rollout of this layout.
 */
export function openRollout(
  buffer: ArrayBufferLike,
  byteOffset: number,
  layout: RolloutLayout,
): RolloutViews {
  const header = new Int32Array(buffer, byteOffset, 4);
  const expected = [ROLLOUT_MAGIC, ROLLOUT_VERSION, layout.numRows, layout.rolloutLength];
  if (expected.some((word, k) => header[k] !== word)) {
    throw new ShapeError(
      'SHAPE_ROLLOUT_HEADER',
      `Expected a rollout header [magic, version, numRows, rolloutLength] = [${expected}] at byte ${byteOffset}, got [${header}].`,
    );
  }
  const view = <T>(name: keyof RolloutViews): T => {
    const { dtype, shape, offset } = columnNamed(layout, name);
    const length = shape.reduce((product, dimension) => product * dimension, 1);
    return new ARRAYS[dtype](buffer as ArrayBuffer, byteOffset + offset, length) as T;
  };
  // A literal: an object that gets as many properties one after another is a hash table to V8, and looked up in every step.
  return {
    numRows: layout.numRows,
    rolloutLength: layout.rolloutLength,
    byteOffset,
    burnIn: layout.burnIn,
    observations: view('observations'),
    actions: view('actions'),
    logProbs: view('logProbs'),
    values: view('values'),
    rewards: view('rewards'),
    terminated: view('terminated'),
    truncated: view('truncated'),
    finalValues: view('finalValues'),
    episodeReturns: view('episodeReturns'),
    episodeLengths: view('episodeLengths'),
    actionMasks: view('actionMasks'),
    bootstrapObservations: view('bootstrapObservations'),
    bootstrapMasks: view('bootstrapMasks'),
    bootstrapValues: view('bootstrapValues'),
    policyVersions: view('policyVersions'),
    advantages: view('advantages'),
    returns: view('returns'),
    finalSlots: view('finalSlots'),
    finalObservations: view('finalObservations'),
    recurrentStates: view('recurrentStates'),
    lastRecurrentStates: view('lastRecurrentStates'),
  };
}

function columnNamed(layout: RolloutLayout, name: string): Column {
  const column = layout.columns.find((candidate) => candidate.name === name);
  if (column === undefined)
    throw new ShapeError('SHAPE_ROLLOUT_COLUMN', `Expected a rollout column, got \`${name}\`.`);
  return column;
}

/** Whether a rollout of this layout has the column: an absent one is there, and empty. */
export function hasColumn(layout: RolloutLayout, name: string): boolean {
  return columnNamed(layout, name).shape.every((dimension) => dimension > 0);
}

/** Byte address of a column in the arena. */
export function columnAddress(layout: RolloutLayout, byteOffset: number, name: string): number {
  return byteOffset + columnNamed(layout, name).offset;
}
