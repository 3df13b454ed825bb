/** From one phase of an objective's update to the next. */
import { Word as ControlWord, finishItem, MAX_STATS, NonFinite, openPhase } from '../control.ts';
import { clipGradient } from '../phase-work.ts';
import { integerPower } from '../phases.ts';
import { numShares, type ObjectiveThread } from './items.ts';
import { planBlocks } from './layout.ts';
import { GroupReal } from './reals.ts';
import { ObjectiveKind as Kind, ObjectiveWord as Word } from './words.ts';

/** Begins the first due step from `from` on, or ends the update. */
export function openStep({ control: { words }, objective }: ObjectiveThread, from: number): void {
  for (let step = from; step < objective.steps.length; step++) {
    if ((words[Word.DUE] & (1 << step)) === 0) continue;
    words[Word.STEP] = step;
    openPhase(words, Kind.GRADIENT, planBlocks(words[Word.NUM_ROWS], objective).numGroups);
    return;
  }
  openPhase(words, Kind.WAIT, 0);
}

/** A group's gradient norm, in slice order. */
function normOf({ reals, index, layout }: ObjectiveThread, g: number): number {
  const { firstSlice, numSlices } = layout.groups[g];
  let squares = 0;
  for (let k = firstSlice; k < firstSlice + numSlices; k++) squares += reals[index.sliceSum(k)];
  return Math.sqrt(squares);
}

/**
 * Means of the step's statistics, in item order, and norms of its groups, into `numbers`. Where all are finite they are added to the call's sums.
 *
 * @returns index of the first that is not finite (statistics, then norms), or -1.
 */
function collect(thread: ObjectiveThread, step: number): number {
  const { control, reals, index, work, numbers, objective } = thread;
  const { groups, firstStat, numStats } = work[step];
  const numRows = control.words[Word.NUM_ROWS];
  const { numGroups } = planBlocks(numRows, objective);
  const sums = index.stepSums(step);
  for (let s = 0; s < numStats; s++) {
    let sum = 0;
    for (let item = 0; item < numGroups; item++) sum += reals[index.itemStats(item) + firstStat + s];
    numbers[s] = sum / numRows;
  }
  for (let k = 0; k < groups.length; k++) numbers[numStats + k] = normOf(thread, groups[k]);
  for (let k = 0; k < numStats + groups.length; k++) {
    if (Number.isFinite(numbers[k])) continue;
    reals[index.badValue] = numbers[k];
    return k;
  }
  for (let s = 0; s < numStats; s++) reals[sums + s] += numbers[s];
  reals[sums + MAX_STATS] += 1;
  for (let k = 0; k < groups.length; k++)
    reals[index.group(groups[k]) + GroupReal.NORM_SUM] += numbers[numStats + k];
  return -1;
}

/** After the reduction: what is not finite is dealt with, then Adam. */
function prepareAdam(thread: ObjectiveThread): void {
  const { control, layout, work, summedGradient, numbers } = thread;
  const { words } = control;
  const step = words[Word.STEP];
  const { groups, slices, numStats } = work[step];
  const bad = collect(thread, step);
  if (bad >= 0) {
    const rule = words[Word.NON_FINITE_RULE];
    if (rule === NonFinite.stop) {
      words[Word.NON_FINITE] = bad + 1;
      openPhase(words, Kind.WAIT, 0);
      return;
    }
    if (rule === NonFinite.skip) {
      words[Word.NUM_SKIPPED] += 1;
      openStep(thread, step + 1);
      return;
    }
    words[Word.NUM_CLIPPED] += 1;
    groups.forEach((g, k) => {
      const { offset, size } = layout.groups[g].range;
      numbers[numStats + k] = clipGradient(summedGradient.subarray(offset, offset + size));
    });
  }
  for (let k = 0; k < groups.length; k++) prepareGroup(thread, groups[k], numbers[numStats + k]);
  if (slices.length > 0) proceed(thread, Kind.ADAM, slices.length);
  else advance(thread, Kind.ADAM);
}

/** Clipping as torch.nn.utils.clip_grad_norm_ does it, and Adam's corrections for its step counter. */
function prepareGroup(
  { control, reals, index, layout, objective }: ObjectiveThread,
  g: number,
  norm: number,
): void {
  const { maxGradNorm, adamBeta1, adamBeta2, learningRate, weightDecay } = layout.groups[g].group;
  const at = index.group(g);
  const rate = control.scalars[objective.scalars.indexOf(learningRate)];
  const step = reals[at + GroupReal.STEP] + 1;
  reals[at + GroupReal.STEP] = step;
  reals[at + GroupReal.SCALE] = maxGradNorm === null ? 1 : Math.min(1, maxGradNorm / (norm + 1e-6));
  reals[at + GroupReal.STEP_SIZE] = rate / (1 - integerPower(adamBeta1, step));
  reals[at + GroupReal.ROOT_CORRECTION] = 1 / Math.sqrt(1 - integerPower(adamBeta2, step));
  reals[at + GroupReal.DECAY] = 1 - rate * weightDecay;
}

/** Opens what follows the phase that has just been finished. */
function advance(thread: ObjectiveThread, kind: number): void {
  const { control, work } = thread;
  const step = control.words[Word.STEP];
  const { slices, blends } = work[step];
  if (kind === Kind.GRADIENT && slices.length > 0) proceed(thread, Kind.REDUCE, slices.length);
  else if (kind === Kind.GRADIENT || kind === Kind.REDUCE) prepareAdam(thread);
  else if (kind === Kind.ADAM && blends.length > 0) proceed(thread, Kind.BLEND, blends.length);
  else openStep(thread, step + 1);
}

/** Opens a phase of `numPieces` slices or blends; a thread that is alone runs it at once, without telling anybody. */
function proceed(thread: ObjectiveThread, kind: number, numPieces: number): void {
  const { words } = thread.control;
  const shares = numShares(numPieces, words);
  if (words[Word.NUM_THREADS] > 1) {
    openPhase(words, kind, shares);
    return;
  }
  const step = words[Word.STEP];
  for (let share = 0; share < shares; share++) runShare(thread, kind, step, share);
  advance(thread, kind);
}

function runShare(thread: ObjectiveThread, kind: number, step: number, share: number): void {
  if (kind === Kind.REDUCE) thread.reduce(step, share);
  else if (kind === Kind.ADAM) thread.adam(step, share);
  else thread.blend(step, share);
}

/** Computes a claimed item and, when it was the last, opens the next phase. */
export function runItem(thread: ObjectiveThread, item: number, phase: number): void {
  const { words } = thread.control;
  const kind = Atomics.load(words, ControlWord.KIND);
  const step = words[Word.STEP];
  if (kind === Kind.GRADIENT) thread.gradient(step, item, phase);
  else runShare(thread, kind, step, item);
  if (finishItem(words, item, phase)) advance(thread, kind);
}
