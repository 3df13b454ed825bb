/** From a rollout with holes to the steps that one policy took, row by row without holes, in its replay buffer. */
import type { ReplayFragment } from '../../replay/append.ts';
import type { ReplaySpec } from '../../replay/replay-spec.ts';
import type { RowRings } from '../../replay/row-rings.ts';
import { type GroupViews, RowField } from '../../rollout/agents/agents-layout.ts';
import { copyRow } from '../../rollout/agents/seat-rows.ts';

export interface AgentsExperience {
  /** Appends what the policy did in a rollout of its group. @returns its steps. */
  append(group: GroupViews): number;
}

/**
 * A step is complete when it is known what it led to: the row's next own step, what the row sees when it acts next, or the end of its life. One
 * that is still open is a hole of its rollout and comes with the next, so whatever has acted here is complete.
 *
 * @param index of the policy. @param ringOf ring of each row of the group; -1 = the policy never acts there.
 */
export function createAgentsExperience(rings: RowRings, index: number, ringOf: Int32Array): AgentsExperience {
  const { spec } = rings.plan;
  const fragments: (ReplayFragment | undefined)[] = []; // by number of steps
  return {
    append(group) {
      const { numRows, rolloutLength: C } = group.rollout;
      let numSteps = 0;
      for (let n = 0; n < numRows; n++) {
        if (ringOf[n] < 0) continue;
        const count = countSteps(group, index, n * C, (n + 1) * C);
        if (count === 0) continue;
        fragments[count] ??= emptyFragment(spec, count);
        fillFragment(fragments[count], spec, group, index, n);
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

type RowSizes = Pick<
  ReplaySpec,
  'observationSize' | 'observationDtype' | 'actionSize' | 'actionDtype' | 'maskSize'
>;

function emptyFragment(
  { observationSize, observationDtype, actionSize, actionDtype, maskSize }: RowSizes,
  count: number,
): ReplayFragment {
  const observations = (rows: number) =>
    observationDtype === 'uint8'
      ? new Uint8Array(rows * observationSize)
      : new Float32Array(rows * observationSize);
  const numActions = count * actionSize;
  return {
    numRows: 1,
    rolloutLength: count,
    observations: observations(count),
    actions: actionDtype === 'int32' ? new Int32Array(numActions) : new Float32Array(numActions),
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
function fillFragment(
  fragment: ReplayFragment,
  { observationSize: O, actionSize: A, maskSize: M }: RowSizes,
  { rollout, acted, policies, rowStates }: GroupViews,
  index: number,
  n: number,
): void {
  const C = rollout.rolloutLength;
  let k = 0;
  for (let i = n * C; i < (n + 1) * C; i++) {
    if (acted[i] === 0 || policies[i] !== index) continue;
    copyRow(rollout.observations, i, fragment.observations, k, O);
    copyRow(rollout.actions, i, fragment.actions, k, A);
    copyRow(rollout.actionMasks, i, fragment.actionMasks, k, M);
    fragment.rewards[k] = rollout.rewards[i];
    fragment.terminated[k] = rollout.terminated[i];
    fragment.truncated[k] = rollout.truncated[i];
    const isCut = rollout.truncated[i] === 1;
    fragment.finalSlots[k] = isCut ? k : -1;
    if (isCut) copyRow(rollout.finalObservations, rollout.finalSlots[i], fragment.finalObservations, k, O);
    k += 1;
  }
  // After the end of a life nobody asks what follows: it begins where its next step does.
  const open = rowStates[n * RowField.COUNT + RowField.OPEN];
  const isCarried = open >= 0;
  const isNext = rowStates[n * RowField.COUNT + RowField.ACTING] === 1;
  const { bootstrapObservations, bootstrapMasks } = fragment;
  bootstrapObservations.fill(0);
  bootstrapMasks.fill(0);
  if (isCarried) {
    copyRow(rollout.observations, n * C + open, bootstrapObservations, 0, O);
    copyRow(rollout.actionMasks, n * C + open, bootstrapMasks, 0, M);
  } else if (isNext) {
    copyRow(rollout.bootstrapObservations, n, bootstrapObservations, 0, O);
    copyRow(rollout.bootstrapMasks, n, bootstrapMasks, 0, M);
  }
}
