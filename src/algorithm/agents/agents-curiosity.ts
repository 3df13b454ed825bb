/** A bonus for what is new among several agents: each policy that learns has one of its own, by the steps that it took. */
import type { SeatLayout } from '../../env/agents/seat-layout.ts';
import { type GroupViews, RowField } from '../../rollout/agents/agents-layout.ts';
import type { KernelModule } from '../../simd/kernels.ts';
import { computeGaeWithHoles } from '../../targets/gae-with-holes.ts';
import { type OwnCuriosity, openCuriosity } from '../curiosity/curiosity.ts';
import type { IntrinsicSteps } from '../curiosity/intrinsic-steps.ts';
import type { OwnSteps } from '../curiosity/samples.ts';
import { DEFAULT_POLICY } from '../policy-names.ts';
import type { AgentsConfig, PreparedPolicy } from './agents-policies.ts';
import { observedBy } from './agents-samples.ts';

/**
 * @param batchSize rows of its minibatches: the policy's, but no more than a rollout has steps.
 * @returns null for a policy that is not curious.
 * @throws ConfigError `CONFIG_CURIOSITY` where the bonus is not for the observations.
 */
export async function createAgentsCuriosity<C extends AgentsConfig>(
  { entry, config, spec }: PreparedPolicy<C>,
  { groups }: SeatLayout,
  kernels: KernelModule,
  minibatchSize: number,
): Promise<OwnCuriosity | null> {
  const { curiosity: bonus } = config.training;
  if (bonus === null) return null;
  const { seats, spaces } = groups[entry.group];
  const { numEnvs, rolloutLength } = config.envRunners;
  const numRows = numEnvs * seats.length;
  const system = {
    ...{ spec, observationSpace: spaces.observationSpace, memory: { kernels } },
    choice: { engine: 'simd', reason: 'several agents' } as const,
  };
  return openCuriosity(system, config, {
    ...{ bonus, numRows, rolloutLength: rolloutLength + 1 }, // a step that was left open stands in a column of its own
    batchSize: Math.min(minibatchSize, numRows * rolloutLength),
    policy: entry.name === DEFAULT_POLICY ? null : entry.name,
  });
}

/**
 * The steps that policy `index` took in a rollout of its group, with what they led to: what its row saw when it acted next, or last in its life. A row is
 * closed with what it sees next; where another policy has it by then, or nobody, with what the policy's own last step led to.
 *
 * @param samples flat indices of these steps.
 */
export function ownSteps(group: GroupViews, index: number, samples: Int32Array): OwnSteps {
  const { rollout, rowStates } = group;
  const { numRows, rolloutLength: C } = rollout;
  const own = new Uint8Array(numRows * C);
  const last = new Int32Array(numRows).fill(-1); // by row
  const next = new Int32Array(numRows * C).fill(-1); // the row's next own step
  for (const i of samples) {
    const n = Math.floor(i / C);
    own[i] = 1;
    if (last[n] >= 0) next[last[n]] = i;
    last[n] = i;
  }
  const field = (n: number, which: number) => rowStates[n * RowField.COUNT + which];
  const isOpen = (n: number) => field(n, RowField.OPEN) >= 0;
  const seenRows = (n: number) => (isOpen(n) ? rollout.observations : rollout.bootstrapObservations);
  const seenRow = (n: number) => (isOpen(n) ? n * C + field(n, RowField.OPEN) : n);
  const isEnd = (i: number) => rollout.finalSlots[i] >= 0;
  const followingRows = (i: number) => {
    if (isEnd(i)) return rollout.finalObservations;
    return next[i] >= 0 ? rollout.observations : seenRows(Math.floor(i / C));
  };
  const followingRow = (i: number) => {
    if (isEnd(i)) return rollout.finalSlots[i];
    return next[i] >= 0 ? next[i] : seenRow(Math.floor(i / C));
  };
  const goesOn = (n: number) =>
    last[n] < 0 || (field(n, RowField.ALIVE) === 1 && field(n, RowField.POLICY) === index);
  return {
    ...{ rollout, own, samples },
    observed: observedBy(group, rollout.observations, samples),
    nextRows: followingRows,
    nextRow: followingRow,
    closingRows: (n) => (goesOn(n) ? seenRows(n) : followingRows(last[n])),
    closingRow: (n) => (goesOn(n) ? seenRow(n) : followingRow(last[n])),
  };
}

/** Advantages of the bonus along the policy's own steps in each row, over the ends of lives and over what others do there between. */
export function computeOwnAdvantages(
  { own, rollout: { numRows } }: OwnSteps,
  steps: IntrinsicSteps,
  gamma: number,
  gaeLambda: number,
): void {
  const noTicks = new Int32Array(0); // discounts are by own step
  computeGaeWithHoles(
    { ...steps, acted: own, ticks: noTicks, finalTicks: noTicks, nextTicks: new Int32Array(numRows) },
    { gamma, gaeLambda, rewardScale: 1, clipReward: Number.POSITIVE_INFINITY, discountBy: 'own-step' },
  );
}
