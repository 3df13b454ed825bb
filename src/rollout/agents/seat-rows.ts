/** The rows of one group of seats in one runner: who lives and acts, which step is open, and what is carried into the next rollout. */
import { AgentEnd } from '../../env/agents/agents-kernel.ts';
import type { SeatGroup } from '../../env/agents/seat-layout.ts';
import type { ActionArray, ObservationArray } from '../../env/vector-env.ts';
import type { Region } from '../../memory/arena.ts';
import { type GroupViews, RowField } from './agents-layout.ts';
import type { PolicyBatch } from './policy-batch.ts';

/** Row r of the runner is row `firstRow + r` of the group. R = rows of the runner. */
export interface SeatRows {
  readonly group: SeatGroup;
  readonly firstRow: number;
  readonly numRows: number; // R
  readonly sets: readonly GroupViews[];
  /** What the next action is for, of rows that act next; with the masks and what critics read in the arena. */
  readonly current: ObservationArray; // [R, obsSize]
  readonly currentMasks: Uint8Array; // [R, maskSize] u8
  /** Elements of what a central critic reads of a row; 0 = there is none. */
  readonly criticSize: number; // Z
  readonly criticInputs: Float32Array; // [R, Z] f32
  readonly acting: Uint8Array; // [R] u8
  readonly alive: Uint8Array; // [R] u8
  readonly lives: Int32Array; // [R] i32
  readonly acts: Int32Array; // [R] i32
  readonly policies: Int32Array; // [R] i32
  /** Column of the step that rewards go to, in the running rollout; -1 = none. */
  readonly open: Int32Array; // [R] i32
  readonly openRewards: Float64Array; // [R] f64
  readonly unattributed: Float64Array; // [R] f64
  readonly carried: CarriedSteps;
}

/** Steps that were open at the end of the last rollout and whose rows did not act next; valid where `open` is not -1 between two rollouts. */
export interface CarriedSteps {
  readonly observations: ObservationArray; // [R, obsSize]
  readonly masks: Uint8Array; // [R, maskSize] u8
  readonly criticInputs: Float32Array; // [R, Z] f32
  readonly actions: ActionArray; // [R, A]
  readonly logProbs: Float32Array; // [R] f32
  readonly values: Float32Array; // [R] f32
  readonly ticks: Int32Array; // [R] i32
}

type RowSizes = Pick<SeatGroup, 'seats' | 'observationSize' | 'observationDtype' | 'maskSize'>;

/** Bytes of one worker's arena scratch that {@link createSeatRows} takes. */
export function seatRowsBytes(group: RowSizes, criticSize: number, numEnvs: number): number {
  return currentBytes(group, criticSize, numEnvs * group.seats.length).reduce((sum, bytes) => sum + bytes, 0);
}

/** Of observations, masks, and what critics read. */
function currentBytes(
  { observationSize, observationDtype, maskSize }: RowSizes,
  criticSize: number,
  numRows: number,
): readonly number[] {
  const ofRow = [observationSize * (observationDtype === 'uint8' ? 1 : 4), maskSize, 4 * criticSize];
  return ofRow.map((bytes) => Math.ceil((numRows * bytes) / 64) * 64);
}

function openCurrent(
  group: RowSizes,
  criticSize: number,
  numRows: number,
  buffer: ArrayBufferLike,
  at: number,
) {
  const { observationSize, observationDtype, maskSize } = group;
  const [seen, allowed] = currentBytes(group, criticSize, numRows);
  const numObserved = numRows * observationSize;
  const current = {
    current:
      observationDtype === 'uint8'
        ? new Uint8Array(buffer, at, numObserved)
        : new Float32Array(buffer, at, numObserved),
    currentMasks: new Uint8Array(buffer, at + seen, numRows * maskSize),
    criticInputs: new Float32Array(buffer, at + seen + allowed, numRows * criticSize),
  };
  for (const column of Object.values(current)) column.fill(0);
  return current;
}

/** @param scratch {@link seatRowsBytes} of the arena `buffer`, owned by these rows. */
export function createSeatRows(
  group: SeatGroup,
  sets: readonly GroupViews[],
  criticSize: number,
  { firstEnv, numEnvs }: { readonly firstEnv: number; readonly numEnvs: number },
  { buffer, scratch }: { readonly buffer: ArrayBufferLike; readonly scratch: Pick<Region, 'offset'> },
): SeatRows {
  const numRows = numEnvs * group.seats.length;
  const observations = (): ObservationArray =>
    group.observationDtype === 'uint8'
      ? new Uint8Array(numRows * group.observationSize)
      : new Float32Array(numRows * group.observationSize);
  const numActions = numRows * group.actionSize;
  const isDiscrete = sets[0].rollout.actions instanceof Int32Array;
  return {
    group,
    firstRow: firstEnv * group.seats.length,
    numRows,
    sets,
    ...openCurrent(group, criticSize, numRows, buffer, scratch.offset),
    criticSize,
    acting: new Uint8Array(numRows),
    alive: new Uint8Array(numRows),
    lives: new Int32Array(numRows),
    acts: new Int32Array(numRows),
    policies: new Int32Array(numRows),
    open: new Int32Array(numRows).fill(-1),
    openRewards: new Float64Array(numRows),
    unattributed: new Float64Array(numRows),
    carried: {
      observations: observations(),
      masks: new Uint8Array(numRows * group.maskSize),
      criticInputs: new Float32Array(numRows * criticSize),
      actions: isDiscrete ? new Int32Array(numActions) : new Float32Array(numActions),
      logProbs: new Float32Array(numRows),
      values: new Float32Array(numRows),
      ticks: new Int32Array(numRows),
    },
  };
}

export type Numbers = Float32Array | Int32Array | Uint8Array;

/** Copies one row of `size` elements; both arrays are of one type. In a loop of its own for each: where V8 knows both types it is three times as fast. */
export function copyRow(from: Numbers, fromRow: number, to: Numbers, toRow: number, size: number): void {
  if (size === 0) return;
  const first = fromRow * size;
  const at = toRow * size;
  if (from instanceof Float32Array) copyFloats(from, first, to as Float32Array, at, size);
  else if (from instanceof Uint8Array) copyBytes(from, first, to as Uint8Array, at, size);
  else copyWords(from, first, to as Int32Array, at, size);
}

function copyFloats(from: Float32Array, first: number, to: Float32Array, at: number, size: number): void {
  for (let k = 0; k < size; k++) to[at + k] = from[first + k];
}

function copyBytes(from: Uint8Array, first: number, to: Uint8Array, at: number, size: number): void {
  for (let k = 0; k < size; k++) to[at + k] = from[first + k];
}

function copyWords(from: Int32Array, first: number, to: Int32Array, at: number, size: number): void {
  for (let k = 0; k < size; k++) to[at + k] = from[first + k];
}

/** Clears the rows' columns of a block set; a carried step becomes their column 0. */
export function beginRows(rows: SeatRows, set: number): void {
  const { group, carried, firstRow, numRows } = rows;
  const { rollout, acted, policies, ticks, criticInputs } = rows.sets[set];
  const C = rollout.rolloutLength;
  acted.fill(0, firstRow * C, (firstRow + numRows) * C);
  rows.unattributed.fill(0);
  for (let r = 0; r < numRows; r++) {
    if (rows.open[r] < 0) continue;
    const i = (firstRow + r) * C;
    copyRow(carried.observations, r, rollout.observations, i, group.observationSize);
    copyRow(carried.masks, r, rollout.actionMasks, i, group.maskSize);
    copyRow(carried.criticInputs, r, criticInputs, i, rows.criticSize);
    copyRow(carried.actions, r, rollout.actions, i, group.actionSize);
    writeJudgement(rollout, i, carried.logProbs[r], carried.values[r]);
    ticks[i] = carried.ticks[r];
    openStep(rows, set, r, 0, rows.policies[r]);
    rollout.rewards[i] = rows.openRewards[r];
    policies[i] = rows.policies[r];
  }
}

/** What the policy said of the step's action, where anybody wants to know. */
export function writeJudgement(
  { logProbs, values }: GroupViews['rollout'],
  i: number,
  logProb: number,
  value: number,
): void {
  if (values.length === 0) return; // off-policy there are no such columns
  logProbs[i] = logProb;
  values[i] = value;
}

/** Row r acts at column c: from now on its rewards are this step's. */
export function openStep(rows: SeatRows, set: number, r: number, c: number, policy: number): void {
  const { rollout, acted, policies } = rows.sets[set];
  const i = (rows.firstRow + r) * rollout.rolloutLength + c;
  acted[i] = 1;
  policies[i] = policy;
  rollout.rewards[i] = 0;
  rollout.terminated[i] = 0;
  rollout.truncated[i] = 0;
  if (rollout.finalSlots.length > 0) rollout.finalSlots[i] = -1;
  if (c > 0) rows.openRewards[r] = 0;
  rows.open[r] = c;
}

/** A reward belongs to the row's own last action, however long ago that was; without one, to nobody. */
export function creditReward(rows: SeatRows, set: number, r: number, reward: number): void {
  if (reward === 0) return;
  const { rollout } = rows.sets[set];
  if (rows.open[r] < 0) {
    rows.unattributed[r] += reward;
    return;
  }
  rows.openRewards[r] += reward;
  rollout.rewards[(rows.firstRow + r) * rollout.rolloutLength + rows.open[r]] = rows.openRewards[r];
}

/** Ends row r's life. @returns the index of the step that led there; -1 = nobody took it. */
export function endLife(rows: SeatRows, set: number, r: number, end: number, tick: number): number {
  const { rollout, finalTicks } = rows.sets[set];
  const column = rows.open[r];
  rows.alive[r] = 0;
  rows.acting[r] = 0;
  rows.lives[r] += 1;
  rows.acts[r] = 0;
  rows.open[r] = -1;
  rows.openRewards[r] = 0;
  if (column < 0) return -1;
  const i = (rows.firstRow + r) * rollout.rolloutLength + column;
  finalTicks[i] = tick;
  if (end === AgentEnd.TERMINATED) rollout.terminated[i] = 1;
  else rollout.truncated[i] = 1;
  return i;
}

/**
 * Closes the rollout for row r, whose next observation's value is known where it acts next. A row with an open step that does not act next
 * takes that step along: it is a hole here, and its own value is what the step before it leads to.
 */
export function finishRow(rows: SeatRows, set: number, r: number, nextTick: number): void {
  const { group, carried, firstRow, open } = rows;
  const { rollout, acted, ticks, rowStates, criticInputs } = rows.sets[set];
  const n = firstRow + r;
  let next = nextTick;
  if (rows.acting[r] === 0 && open[r] >= 0) {
    const i = n * rollout.rolloutLength + open[r];
    copyRow(rollout.observations, i, carried.observations, r, group.observationSize);
    copyRow(rollout.actionMasks, i, carried.masks, r, group.maskSize);
    copyRow(criticInputs, i, carried.criticInputs, r, rows.criticSize);
    copyRow(rollout.actions, i, carried.actions, r, group.actionSize);
    carried.logProbs[r] = rollout.logProbs[i] ?? 0; // off-policy there are none
    carried.values[r] = rollout.values[i] ?? 0;
    carried.ticks[r] = ticks[i];
    acted[i] = 0;
    if (rollout.bootstrapValues.length > 0) rollout.bootstrapValues[n] = carried.values[r];
    next = carried.ticks[r];
  } else {
    open[r] = -1;
    rows.openRewards[r] = 0;
  }
  const base = n * RowField.COUNT;
  rowStates[base + RowField.LIVES] = rows.lives[r];
  rowStates[base + RowField.ACTS] = rows.acts[r];
  rowStates[base + RowField.ALIVE] = rows.alive[r];
  rowStates[base + RowField.ACTING] = rows.acting[r];
  rowStates[base + RowField.POLICY] = rows.policies[r];
  rowStates[base + RowField.OPEN] = open[r];
  rowStates[base + RowField.OPEN_REWARD] = rows.openRewards[r];
  rowStates[base + RowField.UNATTRIBUTED] = rows.unattributed[r];
  rowStates[base + RowField.NEXT_TICK] = next;
}

/** Puts a row where `fields` says that it was after a rollout (see `RowField`); what its open step holds is in `carried` already. */
export function restoreRow(
  rows: SeatRows,
  r: number,
  fields: ArrayLike<number>,
  policy: PolicyBatch,
  seed: number,
): void {
  rows.lives[r] = fields[RowField.LIVES];
  rows.acts[r] = fields[RowField.ACTS];
  rows.alive[r] = fields[RowField.ALIVE];
  rows.open[r] = fields[RowField.OPEN];
  rows.openRewards[r] = fields[RowField.OPEN_REWARD];
  if (rows.alive[r] === 1) policy.beginLife(r, seed, rows.acts[r]);
}
