/** Hindsight: what was reached, taken for what was wanted. */
import { ConfigError, EnvError } from '../errors.ts';
import type { Stream } from '../random/streams.ts';
import { readFinalObservation, readObservation } from './frame-stack.ts';
import { type FrameStore, type Units, unitsOf } from './frame-store.ts';
import { finalOf, gatherMasks, type TransitionBatch } from './gather.ts';
import type { GoalReward } from './goal.ts';
import type { Replay } from './replay.ts';
import type { GoalLayout } from './replay-spec.ts';
import { firstPosition, positionOf, type Ring, TERMINATED } from './ring.ts';

/**
 * Which steps a goal is taken from: `future` any step from the transition to its episode's end, `final` the last one, `episode` any one.
 */
export type GoalStrategy = 'future' | 'final' | 'episode';

export interface HindsightOptions {
  readonly strategy: GoalStrategy;
  /** Relabelled transitions for each one that keeps its goal, k >= 0: a transition is relabelled with probability k / (k + 1). */
  readonly numGoals: number;
  readonly reward: GoalReward;
}

export interface Hindsight {
  /**
   * Gives the transitions of a gathered batch goals that their episodes reached, and the rewards, discounts and next observations that
   * follow. Call it right after `gather`, with the same arguments.
   *
   * @param stream two draws for each transition, whether it is relabelled or not.
   * @returns how many were relabelled.
   */
  relabel(
    indices: Int32Array,
    numSteps: number,
    gamma: number,
    stream: Stream,
    batch: TransitionBatch,
  ): number;
}

/** What relabelling a batch needs; made anew only for another batch. */
interface Context {
  readonly ring: Ring;
  readonly goal: GoalLayout;
  readonly reward: GoalReward;
  numSteps: number;
  gamma: number;
  readonly batch: TransitionBatch;
  readonly nextUnits: Units;
  readonly achieved: Float32Array; // [goalSize] f32
  readonly desired: Float32Array; // [goalSize] f32
}

/**
 * Hindsight experience replay at sample time: nothing is stored twice. The goal is `achievedGoal` of what the chosen step led to; every
 * reward of an n-step window is computed anew for it. With `computeTerminated` a window ends where the new goal was reached, and goes on
 * over an end at which only the old one was; where the data end it bootstraps from the true last observation. Without it the
 * ends stay as they were.
 *
 * Episodes that still run are relabelled with what they have reached so far.
 *
 * Source: Andrychowicz et al. (2017), "Hindsight Experience Replay", sections 3.2 and 4.5 (`future`, k = 4).
 * Cost: a walk to the episode's end and numSteps calls of computeReward for each transition.
 *
 * @throws {@link ConfigError} `CONFIG_GOAL` for a buffer without goals, or a number of goals below 0.
 */
export function createHindsight(
  { ring }: Replay,
  { strategy, numGoals, reward }: HindsightOptions,
): Hindsight {
  const { goal } = ring.plan.spec;
  if (goal === undefined || !(numGoals >= 0 && Number.isFinite(numGoals))) {
    throw new ConfigError(
      'CONFIG_GOAL',
      `Expected a replay buffer with a goal layout and \`numGoals\` to be a number from 0, got ${goal === undefined ? 'no goals' : numGoals}.`,
    );
  }
  const share = numGoals / (numGoals + 1);
  const achieved = new Float32Array(goal.achievedGoal.size);
  const desired = new Float32Array(goal.achievedGoal.size);
  let known: Context | null = null;
  const contextOf = (batch: TransitionBatch): Context => {
    if (known?.batch === batch) return known;
    const nextUnits = unitsOf(ring.frames, batch.nextObservations);
    return { ring, goal, reward, numSteps: 1, gamma: 1, batch, nextUnits, achieved, desired };
  };
  return {
    relabel(indices, numSteps, gamma, stream, batch) {
      const context = contextOf(batch);
      known = context;
      context.numSteps = numSteps;
      context.gamma = gamma;
      let count = 0;
      for (let b = 0; b < indices.length; b++) {
        const isRelabelled = stream.uniform() < share;
        const choice = stream.uniform();
        if (!isRelabelled) continue;
        chooseGoal(context, strategy, indices[b], choice);
        relabelWindow(context, indices[b], b);
        count += 1;
      }
      return count;
    },
  };
}

/** Writes the goal that the chosen step of the episode reached to `desired`. */
function chooseGoal(context: Context, strategy: GoalStrategy, index: number, choice: number): void {
  const { ring, desired } = context;
  const { rowSlots } = ring.plan;
  const base = index - (index % rowSlots);
  const numAfter = stepsToEnd(ring, base, index);
  let offset = numAfter; // of the last step
  if (strategy === 'future') offset = Math.floor(choice * (numAfter + 1));
  if (strategy === 'episode') {
    const numBefore = stepsFromStart(ring, base, index);
    offset = Math.floor(choice * (numBefore + numAfter + 1)) - numBefore;
  }
  readAchieved(context, base, base + ((index - base + offset + rowSlots) % rowSlots), desired);
}

/** Steps of the same episode after that in `slot`. */
function stepsToEnd({ flags, plan: { rowSlots }, end }: Ring, base: number, slot: number): number {
  const newest = base + (end % rowSlots);
  let count = 0;
  let current = slot;
  while (flags[current] === 0) {
    current = current + 1 === base + rowSlots ? base : current + 1;
    if (current === newest) break;
    count += 1;
  }
  return count;
}

/** Kept steps of the same episode before that in `slot`. */
function stepsFromStart(ring: Ring, base: number, slot: number): number {
  const { rowSlots } = ring.plan;
  const most = positionOf(ring, slot - base) - firstPosition(ring);
  let count = 0;
  let current = slot;
  while (count < most) {
    current = current === base ? base + rowSlots - 1 : current - 1;
    if (ring.flags[current] !== 0) break;
    count += 1;
  }
  return count;
}

/** `achievedGoal` of what the step in `slot` led to. */
function readAchieved({ ring, goal }: Context, base: number, slot: number, out: Float32Array): void {
  const { rowSlots } = ring.plan;
  const { offset, size } = goal.achievedGoal;
  const final = ring.flags[slot] === 0 ? -1 : finalOf(ring, base, slot);
  if (final >= 0) copyGoal(ring.finals.frames, final, offset, size, out);
  else copyGoal(ring.frames, slot + 1 === base + rowSlots ? base : slot + 1, offset, size, out);
}

/** Frames of float32 are words whose bits are the floats'. */
const bits = new Int32Array(1);
const float = new Float32Array(bits.buffer);

function copyGoal(store: FrameStore, slot: number, offset: number, size: number, out: Float32Array): void {
  const chunk = store.chunks[slot >>> store.shift];
  const from = (slot & store.mask) * store.frameUnits + offset;
  for (let k = 0; k < size; k++) {
    bits[0] = chunk[from + k];
    out[k] = float[0];
  }
}

/** Walks the window of row b again, with the goal in `desired`. */
function relabelWindow(context: Context, index: number, b: number): void {
  const { ring, reward, numSteps, gamma, batch, achieved, desired } = context;
  const { rowSlots, spec } = ring.plan;
  const base = index - (index % rowSlots);
  const newest = base + (ring.end % rowSlots);
  let slot = index;
  let last = index;
  let flag = 0;
  let value = 0;
  let factor = 1;
  let isTerminated = false;
  for (let k = 0; k < numSteps && flag === 0 && !isTerminated && slot !== newest; k++) {
    readAchieved(context, base, slot, achieved);
    value += factor * checkedReward(reward, achieved, desired);
    factor *= gamma;
    flag = ring.flags[slot];
    isTerminated = reward.computeTerminated?.(achieved, desired) ?? (flag & TERMINATED) !== 0;
    last = slot;
    slot = slot + 1 === base + rowSlots ? base : slot + 1;
  }
  batch.rewards[b] = value;
  batch.discounts[b] = isTerminated ? 0 : factor;
  const size = spec.observationSize;
  const final = flag === 0 ? -1 : finalOf(ring, base, last);
  if (final < 0) readObservation(ring, base, slot, context.nextUnits, b * size);
  else readFinalObservation(ring, base, last, final, context.nextUnits, b * size);
  if (spec.maskSize > 0) gatherMasks(ring, batch, b, index, slot, final);
  const at = b * size + context.goal.desiredGoal.offset;
  batch.observations.set(desired, at);
  batch.nextObservations.set(desired, at);
}

function checkedReward(reward: GoalReward, achieved: Float32Array, desired: Float32Array): number {
  const value = reward.computeReward(achieved, desired);
  if (Number.isFinite(value)) return value;
  throw new EnvError(
    'ENV_GOAL_REWARD',
    `Expected \`computeReward\` to give a finite number, got ${value} for achieved goal [${achieved}] and desired goal [${desired}].`,
  );
}
