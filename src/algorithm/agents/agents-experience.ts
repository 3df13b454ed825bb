/** From a rollout with holes to the steps that one policy took, row by row without holes, in its replay buffer. */
import type { ObservationArray } from '../../env/vector-env.ts';
import type { ReplayFragment } from '../../replay/append.ts';
import type { RowRings } from '../../replay/row-rings.ts';
import { type GroupViews, RowField } from '../../rollout/agents/agents-layout.ts';

export interface AgentsExperience {
  /** Appends what the policy did in a rollout of its group. @returns its steps. */
  append(group: GroupViews): number;
}

type Numbers = ObservationArray | Int32Array;

/**
 * A step is complete when it is known what it led to: the row's next own step, what the row sees when it acts next, or the end of its life. One
 * that is still open is a hole of its rollout and comes with the next, so whatever has acted here is complete.
 *
 * @param index of the policy. @param ringOf ring of each row of the group; -1 = the policy never acts there.
 */
export function createAgentsExperience(rings: RowRings, index: number, ringOf: Int32Array): AgentsExperience {
  const fragments: (ReplayFragment | undefined)[] = []; // by number of steps
  return {
    append(group) {
      const { numRows, rolloutLength: C } = group.rollout;
      let numSteps = 0;
      for (let n = 0; n < numRows; n++) {
        if (ringOf[n] < 0) continue;
        const count = countSteps(group, index, n * C, (n + 1) * C);
        if (count === 0) continue;
        fragments[count] ??= emptyFragment(group, count);
        fillFragment(fragments[count], group, index, n);
        rings.append(ringOf[n], fragments[count]);
        numSteps += count;
      }
      return numSteps;
    },
  };
}

function countSteps({ acted, policies }: GroupViews, index: number, from: number, to: number): number {
  let count = 0;
  for (let i = from; i < to; i++) if (acted[i] === 1 && policies[i] === index) count += 1;
  return count;
}

function emptyFragment({ rollout }: GroupViews, count: number): ReplayFragment {
  const { numRows, rolloutLength: C } = rollout;
  const sizeOf = (column: Numbers) => column.length / (numRows * C);
  const observations = (rows: number): ObservationArray => {
    const length = rows * sizeOf(rollout.observations);
    return rollout.observations instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
  };
  const numActions = count * sizeOf(rollout.actions);
  const maskSize = sizeOf(rollout.actionMasks);
  return {
    numRows: 1,
    rolloutLength: count,
    observations: observations(count),
    actions:
      rollout.actions instanceof Int32Array ? new Int32Array(numActions) : new Float32Array(numActions),
    rewards: new Float32Array(count),
    terminated: new Uint8Array(count),
    truncated: new Uint8Array(count),
    actionMasks: new Uint8Array(count * maskSize),
    bootstrapObservations: observations(1),
    bootstrapMasks: new Uint8Array(maskSize),
    finalSlots: new Int32Array(count),
    finalObservations: observations(count),
  };
}

/** Copies the steps that the policy took in row n, and what the last of them led to. */
function fillFragment(fragment: ReplayFragment, group: GroupViews, index: number, n: number): void {
  const { rollout, acted, policies, rowStates } = group;
  const C = rollout.rolloutLength;
  let k = 0;
  for (let i = n * C; i < (n + 1) * C; i++) {
    if (acted[i] === 0 || policies[i] !== index) continue;
    copyRow(rollout.observations, i, fragment.observations, k, fragment.rolloutLength);
    copyRow(rollout.actions, i, fragment.actions, k, fragment.rolloutLength);
    copyRow(rollout.actionMasks, i, fragment.actionMasks, k, fragment.rolloutLength);
    fragment.rewards[k] = rollout.rewards[i];
    fragment.terminated[k] = rollout.terminated[i];
    fragment.truncated[k] = rollout.truncated[i];
    fragment.finalSlots[k] = rollout.truncated[i] === 1 ? k : -1;
    if (rollout.truncated[i] === 1)
      copyRow(
        rollout.finalObservations,
        rollout.finalSlots[i],
        fragment.finalObservations,
        k,
        fragment.rolloutLength,
      );
    k += 1;
  }
  // After the end of a life nobody asks what follows: it begins where its next step does.
  const open = rowStates[n * RowField.COUNT + RowField.OPEN];
  const isCarried = open >= 0;
  const isNext = rowStates[n * RowField.COUNT + RowField.ACTING] === 1;
  fragment.bootstrapObservations.fill(0);
  fragment.bootstrapMasks.fill(0);
  if (!isCarried && !isNext) return;
  const from = isCarried ? n * C + open : n;
  copyRow(
    isCarried ? rollout.observations : rollout.bootstrapObservations,
    from,
    fragment.bootstrapObservations,
    0,
    1,
  );
  copyRow(isCarried ? rollout.actionMasks : rollout.bootstrapMasks, from, fragment.bootstrapMasks, 0, 1);
}

/** Copies a row; its size is that of each of the `numRows` rows of `to`. */
function copyRow(from: Numbers, fromRow: number, to: Numbers, toRow: number, numRows: number): void {
  const size = to.length / numRows;
  for (let k = 0; k < size; k++) to[toRow * size + k] = from[fromRow * size + k];
}
