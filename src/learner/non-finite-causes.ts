/** What an update had to work with when its numbers stopped being finite: the cause is among the largest of these. */
import type { RolloutViews } from '../experience/layout.ts';
import type { ParameterLayout } from '../weights/parameter-layout.ts';
import type { ObjectiveBatch } from './objective-learner.ts';

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
  return (
    `${largestNumbers([...told, ...describeLogarithms(layout, parameters)])} What is far from 1 is the first to look at: ` +
    'normalizeObservations and normalizeRewards scale it; else lower `learningRate`, or set `nonFinite` to skip or clip.'
  );
}

/**
 * The largest number of each column of a batch, by size, of the parameters, and of what they hold as logarithms (a temperature, deviations).
 * Cost: one pass over the batch and the parameters; for messages.
 */
export function describeLargestOfBatch(
  { columns }: Pick<ObjectiveBatch, 'columns'>,
  layout: ParameterLayout,
  parameters: Float32Array,
): string {
  const told = Object.entries(columns)
    .filter(([name]) => !/masks$/i.test(name)) // zeros and ones
    .map(([name, values]) => `${name} ${show(largestOf(values))}`);
  const weights = `parameters ${show(largestOf(parameters))}`;
  return (
    `${largestNumbers([...told, weights, ...describeLogarithms(layout, parameters)])} What is far from 1 is the first to look at: ` +
    'scale it in the environment (`normalizeObservations` scales observations, `normalizeRewards` rewards where the algorithm has it), ' +
    'lower the learning rate, or set `nonFinite` to skip or clip.'
  );
}

function largestNumbers(told: readonly string[]): string {
  return `The largest numbers it worked with: ${told.join(', ')}.`;
}

const LOGARITHMS: Readonly<Record<string, string>> = {
  logStd: 'standard deviation of an action',
  logTemperature: 'temperature',
};

/** Of parameters that are logarithms, what they stand for. */
function describeLogarithms({ entries }: ParameterLayout, parameters: Float32Array): string[] {
  return entries.flatMap(({ name, offset, size }) => {
    const what = LOGARITHMS[name.split('/').at(-1) ?? ''];
    if (what === undefined) return [];
    const logarithms = parameters.subarray(offset, offset + size);
    return [`${what} ${show(Math.exp(logarithms.reduce((a, b) => Math.max(a, b), -Infinity)))}`];
  });
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
  if (!Number.isFinite(value)) return String(value);
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) < 1e6 ? String(rounded) : rounded.toExponential();
}
