/** From one phase of an update to the next. */
import { finishItem, Kind, MAX_STATS, NonFinite, NUM_SUMS, openPhase, Real, Word } from './control.ts';
import { minibatchRange, numShares, type ThreadContext } from './items.ts';
import { numGroupsFor } from './layout.ts';
import { clipGradient } from './phase-work.ts';

/** Opens the gradient phase of minibatch `minibatch` of the current epoch. */
function openMinibatch({ control: { words }, layout, numTowers }: ThreadContext, minibatch: number): void {
  words[Word.MINIBATCH] = minibatch;
  openPhase(words, Kind.GRADIENT, numTowers * numGroupsFor(layout, minibatchRange(words).rows));
}

function nextMinibatch(context: ThreadContext): void {
  const { words } = context.control;
  const next = words[Word.MINIBATCH] + 1;
  if (next * words[Word.MINIBATCH_SIZE] < words[Word.NUM_SAMPLES]) openMinibatch(context, next);
  else nextEpoch(context);
}

/** Begins the first epoch (0), or the next; its first minibatch's advantages are arranged. */
export function openEpoch(context: ThreadContext, epoch: number): void {
  const { words, reals } = context.control;
  words[Word.EPOCH] = epoch;
  words[Word.NUM_FINITE_IN_EPOCH] = 0;
  reals.fill(0, Real.EPOCH_SUMS, Real.EPOCH_SUMS + NUM_SUMS);
  openMinibatch(context, 0);
}

/** Adds the epoch's sums to the update's; ends the update after the last epoch or one that went too far. */
function nextEpoch(context: ThreadContext): void {
  const { words, reals } = context.control;
  for (let s = 0; s < NUM_SUMS; s++) reals[Real.UPDATE_SUMS + s] += reals[Real.EPOCH_SUMS + s];
  const kl = reals[Real.EPOCH_SUMS + context.klStat] / words[Word.NUM_FINITE_IN_EPOCH];
  const next = words[Word.EPOCH] + 1;
  if (next < words[Word.NUM_EPOCHS] && !(kl > reals[Real.KL_LIMIT])) openEpoch(context, next);
  else openPhase(words, Kind.OVER, 0);
}

/** Sums the items' statistics in their order; index of the first that is not finite (numStats: the norm), or -1. */
function collectStatistics({ control, layout, numStats, numTowers }: ThreadContext, norm: number): number {
  const { words, reals } = control;
  const { rows } = minibatchRange(words);
  const numItems = numTowers * numGroupsFor(layout, rows);
  const means = new Array<number>(numStats);
  let bad = Number.isFinite(norm) ? -1 : numStats;
  for (let s = numStats - 1; s >= 0; s--) {
    let sum = 0;
    for (let item = 0; item < numItems; item++) sum += reals[Real.ITEM_STATS + item * MAX_STATS + s];
    means[s] = sum / rows;
    if (!Number.isFinite(means[s])) bad = s;
  }
  if (bad >= 0) {
    reals[Real.BAD_VALUE] = bad === numStats ? norm : means[bad];
    return bad;
  }
  for (let s = 0; s < numStats; s++) reals[Real.EPOCH_SUMS + s] += means[s];
  reals[Real.EPOCH_SUMS + MAX_STATS] += norm;
  words[Word.NUM_FINITE] += 1;
  words[Word.NUM_FINITE_IN_EPOCH] += 1;
  return -1;
}

/**
 * base^exponent by squaring, exponent a non-negative integer. Multiplications alone, so that the bits are the same everywhere:
 * `**` takes the C library's `pow` on some versions of V8 (Node 24 differs from 20 and 22).
 */
export function integerPower(base: number, exponent: number): number {
  let result = 1;
  for (let factor = base, rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= factor;
    factor *= factor;
  }
  return result;
}

/**
 * Between reduction and Adam: the norm, clipping as torch.nn.utils.clip_grad_norm_ does it (scale = min(1, max / (norm +
 * 1e-6))), and Adam's step counter. A minibatch with something non-finite takes no step, or one with a clipped gradient.
 */
function prepareStep(context: ThreadContext): void {
  const { control, layout } = context;
  const { words, reals } = control;
  let squares = 0;
  for (let slice = 0; slice < layout.numSlices; slice++) squares += reals[Real.SLICE_SUMS + slice];
  const norm = Math.sqrt(squares);
  words[Word.NUM_RUN] += 1;
  const bad = collectStatistics(context, norm);
  if (bad < 0) {
    openAdam(context, norm);
    return;
  }
  const rule = words[Word.NON_FINITE_RULE];
  if (rule === NonFinite.clip) {
    words[Word.NUM_CLIPPED] += 1;
    openAdam(context, clipGradient(context.summedGradient));
    return;
  }
  words[Word.NUM_SKIPPED] += 1;
  if (rule === NonFinite.stop) {
    words[Word.NON_FINITE] = bad + 1;
    openPhase(words, Kind.OVER, 0);
  } else nextMinibatch(context);
}

function openAdam({ control, layout, options }: ThreadContext, norm: number): void {
  const { words, reals } = control;
  const { maxGradNorm, adamBeta1 = 0.9, adamBeta2 = 0.999, correctsBias = true } = options;
  const step = reals[Real.ADAM_STEP] + 1;
  reals[Real.ADAM_STEP] = step;
  reals[Real.GRADIENT_SCALE] = maxGradNorm === null ? 1 : Math.min(1, maxGradNorm / (norm + 1e-6));
  const lack = (beta: number) => (correctsBias ? 1 - integerPower(beta, step) : 1);
  reals[Real.STEP_SIZE] = reals[Real.LEARNING_RATE] / lack(adamBeta1);
  reals[Real.ROOT_CORRECTION] = 1 / Math.sqrt(lack(adamBeta2));
  openPhase(words, Kind.ADAM, numShares(layout, words));
}

/** Opens what follows the phase that has just been finished. */
function advance(context: ThreadContext, kind: number): void {
  const { control, layout } = context;
  const { words } = control;
  if (kind === Kind.GRADIENT) openPhase(words, Kind.REDUCE, 1 + numShares(layout, words));
  else if (kind === Kind.REDUCE) prepareStep(context);
  else nextMinibatch(context);
}

/** Computes a claimed item and, when it was the last, opens the next phase. */
export function runItem(context: ThreadContext, item: number, phase: number): void {
  const { words } = context.control;
  const kind = Atomics.load(words, Word.KIND);
  if (kind === Kind.GRADIENT) context.gradient(item, phase);
  else if (kind === Kind.REDUCE && item === 0) context.arrangeNext();
  else if (kind === Kind.REDUCE) context.reduce(item - 1);
  else context.adam(item);
  if (finishItem(words, item, phase)) advance(context, kind);
}
