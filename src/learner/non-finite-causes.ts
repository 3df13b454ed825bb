/** What an update had to work with when its numbers stopped being finite: the cause is among the largest of these. */
import type { RolloutViews } from '../experience/layout.ts';
import type { ParameterLayout } from '../weights/parameter-layout.ts';

/**
 * The largest observation, reward, advantage and return of a rollout, and the largest deviation of continuous actions, each by size, and what
 * to do. Cost: one pass over the rollout; for messages.
 */
export function describeLargest(
  rollout: Pick<RolloutViews, 'observations' | 'rewards' | 'advantages' | 'returns'>,
  layout: ParameterLayout,
  parameters: Float32Array,
): string {
  const { observations, rewards, advantages, returns } = rollout;
  const largest = { observation: observations, reward: rewards, advantage: advantages, return: returns };
  const told = Object.entries(largest).map(([name, values]) => `${name} ${show(largestOf(values))}`);
  const entry = layout.entries.find(({ name }) => name === 'logStd');
  if (entry !== undefined) {
    const logStd = parameters.subarray(entry.offset, entry.offset + entry.size);
    told.push(
      `standard deviation of an action ${show(Math.exp(logStd.reduce((a, b) => Math.max(a, b), -Infinity)))}`,
    );
  }
  return (
    `The largest numbers it worked with: ${told.join(', ')}. What is far from 1 is the first to look at: normalizeObservations and ` +
    'normalizeRewards scale it; else lower `learningRate`, or set `nonFinite` to skip or clip.'
  );
}

/** By size; NaN where there is one. */
function largestOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) return Number.NaN;
    if (Math.abs(values[i]) > Math.abs(largest)) largest = values[i];
  }
  return largest;
}

function show(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : String(value);
}
