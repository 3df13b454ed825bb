/**
 * A Parzen estimator over a whole space: a mixture with one kernel for each observation and a broad one besides, each a product of one
 * density an option.
 *
 * With n observations in order of age, the weights are 1, and from 25 on a ramp from 1/n to 1 for all but the newest 25; the broad
 * kernel (the prior) has weight 1. Numbers: normal densities cut off at the ends; the deviation is the larger gap to a neighbour among
 * the observations and the ends (of two or more, the outermost look inwards only), held to [range / min(100, n + 2),
 * range]; the prior's mean is the middle, its deviation the range. Integers: the mass of the cell around a value. Choices: 1/(n + 1) for
 * each, and 1 more for the observed one, normalised.
 *
 * Watanabe (2023), "Tree-Structured Parzen Estimator: Understanding Its Algorithm Components"; constants as in Optuna 5.0.
 */
import type { ChoiceDomain, NumberDomain, Space, TrialValues } from '../../config/search-space.ts';
import type { JsonValue } from '../../json.ts';
import type { Stream } from '../../random/streams.ts';
import { logNormalDensity, normalMass } from './normal.ts';

export interface ParzenEstimator {
  draw(stream: Stream): TrialValues;
  /** log of the mixture's density; of numbers on a logarithmic scale, the density of the logarithm. */
  logDensity(values: TrialValues): number;
}

interface Axis {
  draw(kernel: number, stream: Stream): JsonValue;
  logDensity(kernel: number, value: JsonValue): number;
}

const NUM_NEWEST = 25;
/** Candidates outside the ends are drawn again; a kernel has at least a third of its mass inside. */
const MAX_REDRAWS = 1000;

/** @param observations oldest first. */
export function createParzenEstimator(space: Space, observations: readonly TrialValues[]): ParzenEstimator {
  const weights = kernelWeights(observations.length);
  const axes = Object.entries(space).map(([name, domain]) => {
    const observed = observations.map((values) => values[name]);
    const axis =
      domain.kind === 'choice' ? choiceAxis(domain, observed) : numberAxis(domain, observed as number[]);
    return { name, axis };
  });
  return {
    draw(stream) {
      const kernel = pick(weights, stream.uniform());
      return Object.fromEntries(axes.map(({ name, axis }) => [name, axis.draw(kernel, stream)]));
    },
    logDensity(values) {
      const logs = weights.map((weight, kernel) =>
        axes.reduce((sum, { name, axis }) => sum + axis.logDensity(kernel, values[name]), Math.log(weight)),
      );
      const largest = Math.max(...logs);
      if (largest === Number.NEGATIVE_INFINITY) return largest;
      return largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0));
    },
  };
}

/** Of the observations and, last, the prior; they sum to 1. */
function kernelWeights(count: number): number[] {
  const numOld = Math.max(0, count - NUM_NEWEST);
  const weights = Array.from({ length: count }, (_, k) => {
    if (k >= numOld) return 1;
    return numOld === 1 ? 1 / count : 1 / count + ((1 - 1 / count) * k) / (numOld - 1);
  });
  weights.push(1);
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

function pick(weights: readonly number[], quantile: number): number {
  let sum = 0;
  for (let k = 0; k < weights.length; k++) {
    sum += weights[k];
    if (quantile < sum) return k;
  }
  return weights.length - 1;
}

function choiceAxis({ choices }: ChoiceDomain, observed: readonly JsonValue[]): Axis {
  const indexOf = (value: JsonValue) =>
    choices.findIndex((other) => JSON.stringify(other) === JSON.stringify(value));
  const numKernels = observed.length + 1;
  const share = 1 / numKernels;
  const rows = [...observed.map(indexOf), -1].map((seen) => {
    const row = choices.map((_, k) => share + (k === seen ? 1 : 0));
    const sum = row.reduce((a, b) => a + b, 0);
    return row.map((probability) => probability / sum);
  });
  return {
    draw: (kernel, stream) => choices[pick(rows[kernel], stream.uniform())],
    logDensity: (kernel, value) => Math.log(rows[kernel][indexOf(value)]),
  };
}

function numberAxis(domain: NumberDomain, observed: readonly number[]): Axis {
  const { isLog, isInteger } = domain;
  const half = isInteger ? 0.5 : 0;
  const toAxis = (value: number) => (isLog ? Math.log(value) : value);
  const low = toAxis(domain.low - half);
  const high = toAxis(domain.high + half);
  const means = [...observed.map(toAxis), (low + high) / 2];
  const deviations = [...kernelDeviations(means.slice(0, -1), low, high), high - low || 1];
  const masses = means.map((mean, k) =>
    normalMass((low - mean) / deviations[k], (high - mean) / deviations[k]),
  );
  return {
    draw(kernel, stream) {
      let position = means[kernel];
      for (let n = 0; n < MAX_REDRAWS; n++) {
        position = means[kernel] + deviations[kernel] * stream.normal();
        if (position >= low && position <= high) break;
        position = means[kernel];
      }
      const value = isLog ? Math.exp(position) : position;
      return Math.min(domain.high, Math.max(domain.low, isInteger ? Math.round(value) : value));
    },
    logDensity(kernel, value) {
      const deviation = deviations[kernel];
      const scaled = (position: number) => (position - means[kernel]) / deviation;
      if (!isInteger)
        return logNormalDensity(scaled(toAxis(value as number))) - Math.log(deviation * masses[kernel]);
      const cell = [toAxis((value as number) - half), toAxis((value as number) + half)];
      return Math.log(normalMass(scaled(cell[0]), scaled(cell[1])) / masses[kernel]);
    },
  };
}

function kernelDeviations(observed: readonly number[], low: number, high: number): number[] {
  const range = high - low;
  if (range === 0) return observed.map(() => 1);
  const order = observed.map((_, k) => k).sort((a, b) => observed[a] - observed[b]);
  const last = order.length - 1;
  const smallest = range / Math.min(100, observed.length + 2);
  const deviations = new Array<number>(observed.length);
  order.forEach((kernel, k) => {
    const below = observed[kernel] - (k === 0 ? low : observed[order[k - 1]]);
    const above = (k === last ? high : observed[order[k + 1]]) - observed[kernel];
    let gap = Math.max(below, above);
    if (last >= 1 && k === 0) gap = above;
    if (last >= 1 && k === last) gap = below;
    deviations[kernel] = Math.min(range, Math.max(smallest, gap));
  });
  return deviations;
}
