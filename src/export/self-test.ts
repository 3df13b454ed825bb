/** Observations and what the framework's own plain policy says of them: every export carries them, `--verify` holds it to them. */
import { createActionMapping } from '../acting/action-mapping.ts';
import { flattenObservation } from '../env/flatten-space.ts';
import { sampleSpace } from '../env/space-values.ts';
import type { Space } from '../env/spaces.ts';
import { createActionChoice } from '../policy/choose-actions.ts';
import { MASKED_LOGIT } from '../policy/distributions/product.ts';
import { describeDistribution } from '../policy/inspection.ts';
import { recurrentStateSize } from '../policy/networks/recurrent-state.ts';
import { openRowForward } from '../policy/networks/row-forward.ts';
import { actionDtype, actionSize } from '../policy/policy-spec.ts';
import { openStream, type Stream } from '../random/streams.ts';
import type { OutputName } from './graph.ts';
import type { GraphSource } from './policy-graph.ts';

/** Rows one behind the other, as plain numbers. */
export interface SelfTest {
  readonly numRows: number;
  readonly observations: readonly number[]; // [numRows, obsSize]
  readonly masks: readonly number[] | null; // [numRows, maskSize] of 0 and 1
  /** What a recurrent policy remembers before each row; absent = it remembers nothing. */
  readonly states?: readonly number[]; // [numRows, S]
  readonly outputs: { readonly [name in OutputName]?: readonly number[] }; // [numRows, size]
}

/** What an export says of a self-test: all rows of every output, one behind the other. */
export type FoundOutputs = Readonly<Record<string, ArrayLike<number>>>;

/** Largest |a - b| / max(1, |b|) that it lets pass: float32 sums of a few hundred terms in another order stay well below. */
export const SELF_TEST_TOLERANCE = 1e-5;

/** Numbers of observations that a self-test holds at most: 16 rows, fewer of large images. */
const MAX_NUMBERS = 32_768;

export function createSelfTest(
  source: GraphSource,
  observationSpace: Space,
  numRows = Math.min(16, Math.max(1, Math.floor(MAX_NUMBERS / source.spec.observationSize))),
): SelfTest {
  const stream = openStream(0, 'self-test');
  const expect = createExpectation(source);
  const observations: number[] = [];
  const masks: number[] = [];
  const states: number[] = [];
  const outputs: { [name in OutputName]?: number[] } = {};
  for (let row = 0; row < numRows; row++) {
    const observation = drawObservation(source, observationSpace, stream);
    const mask = drawMask(source, stream);
    const state = Array.from({ length: recurrentStateSize(source.spec) }, () =>
      Math.fround(2 * stream.uniform() - 1),
    );
    states.push(...state);
    observations.push(...observation);
    if (mask !== null) masks.push(...mask);
    for (const [name, values] of Object.entries(expect(observation, mask, state)) as [
      OutputName,
      number[],
    ][]) {
      const all = outputs[name] ?? [];
      for (const value of values) all.push(value);
      outputs[name] = all;
    }
  }
  return {
    ...{ numRows, observations, masks: source.spec.actionMaskSize > 0 ? masks : null },
    ...(states.length > 0 && { states }),
    outputs,
  };
}

function drawObservation({ spec }: GraphSource, space: Space, stream: Stream): Float32Array | Uint8Array {
  const row =
    spec.observationDtype === 'uint8'
      ? new Uint8Array(spec.observationSize)
      : new Float32Array(spec.observationSize); // [obsSize]
  flattenObservation(space, sampleSpace(space, stream), row, 0);
  return row;
}

/** At least one choice of each component is allowed. */
function drawMask({ spec }: GraphSource, stream: Stream): Uint8Array | null {
  const { distribution, actionMaskSize } = spec;
  if (actionMaskSize === 0 || !('sizes' in distribution)) return null;
  const mask = Uint8Array.from({ length: actionMaskSize }, () => stream.integer(2));
  let first = 0;
  for (const size of distribution.sizes) {
    mask[first + stream.integer(size)] = 1;
    first += size;
  }
  return mask;
}

type RowExpectation = { [name in OutputName]?: readonly number[] };

/** From one observation, and what was remembered before it, to what the outputs of a right export are. */
export function createExpectation(
  source: GraphSource,
): (observation: ArrayLike<number>, mask: Uint8Array | null, state: ArrayLike<number>) => RowExpectation {
  const { spec, parameters, statistics, starts } = source;
  const forward = openRowForward(spec, parameters, statistics);
  const chooseActions = createActionChoice(spec);
  const mapAction = createActionMapping(spec);
  const A = actionSize(spec.distribution);
  const isDiscrete = actionDtype(spec.distribution) === 'int32';
  const actions = isDiscrete ? new Int32Array(A) : new Float32Array(A); // [A]
  const noise = new Float32Array(0);
  return (observation, masks, state) => {
    forward.state.set(state);
    const row = forward.run(observation);
    const { outputs, logStd } = row;
    const parameters = { distributionParameters: outputs, latent: null, logStd, masks, noise };
    chooseActions({ ...parameters, numRows: 1, deterministic: true, actions });
    mapAction(actions, 0, actions, 0);
    const action = Array.from(actions, (x, a) => x + (isDiscrete ? (starts[a] ?? 0) : 0));
    const { value } = row;
    return {
      ...{ action, ...outputsOf(source, row, masks), ...(value !== null && { value: [value] }) },
      ...(state.length > 0 && { nextState: [...forward.state] }),
    };
  };
}

function outputsOf(
  { spec }: GraphSource,
  row: Parameters<typeof describeDistribution>[1],
  mask: Uint8Array | null,
): RowExpectation {
  const distribution = describeDistribution(spec.distribution, row, mask);
  const logits = () => Array.from(row.outputs, (x, k) => (mask !== null && mask[k] === 0 ? MASKED_LOGIT : x));
  switch (distribution.kind) {
    case 'categorical':
      return { logits: logits(), probabilities: distribution.probabilities.flat() };
    case 'bernoulli':
      return { logits: logits(), probabilities: distribution.probabilities };
    case 'gaussian':
      return { mean: distribution.mean, std: distribution.std };
    case 'action-values':
      return { actionValues: distribution.values.flat() };
    case 'deterministic':
    case 'product': // is not exported
      return {};
  }
}

/**
 * The largest difference of an export's outputs from the expected ones, |a - b| / max(1, |b|).
 *
 * @throws nothing; a missing or shorter output is infinitely wrong.
 */
export function largestDifference(expected: SelfTest['outputs'], found: FoundOutputs): number {
  let largest = 0;
  for (const [name, values] of Object.entries(expected)) {
    const actual: ArrayLike<number> | undefined = found[name];
    if (actual === undefined || actual.length !== values.length) return Infinity;
    for (const [k, value] of values.entries()) {
      const difference = Math.abs(Number(actual[k]) - value) / Math.max(1, Math.abs(value));
      if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
    }
  }
  return largest;
}
