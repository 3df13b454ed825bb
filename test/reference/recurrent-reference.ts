/** Recurrent policies in plain float64, one row and one step at a time: what the kernels are checked against. */
import { cellStateRange, recurrentStateSize } from '../../src/policy/networks/recurrent-state.ts';
import type { ActingSpec } from '../../src/policy/policy-spec.ts';
import { dense, type ForwardTrace, forwardReference, sigmoid, tensorsOf } from './mlp-reference.ts';

type Numbers = ArrayLike<number>;

/** A row's state after an observation x, from the state before; [S] each. */
export function stepReference(
  spec: ActingSpec,
  parameters: Numbers,
  x: readonly number[],
  state: readonly number[],
): number[] {
  const { network } = spec;
  if (network.kind !== 'recurrent') throw new Error('Expected a recurrent network');
  const { numLayers = 1, sizesBefore = [], activation } = network;
  const next = [...state];
  const towers = network.shared ? ['trunk'] : spec.actorOnly === true ? ['actor'] : ['actor', 'critic'];
  towers.forEach((tower, k) => {
    let input = sizesBefore.reduce(
      (rows, _, j) => dense(spec, parameters, `${tower}/${j}`, activation, rows).output,
      [[...x]],
    )[0];
    for (let layer = 0; layer < numLayers; layer++) {
      const name = `${tower}/cell${layer === 0 ? '' : `/${layer}`}`;
      input = stepCell(spec, parameters, { name, index: k * numLayers + layer, input, state }, next);
    }
  });
  return next;
}

/** One cell's part of `next`, and its hidden state. */
function stepCell(
  spec: ActingSpec,
  parameters: Numbers,
  given: {
    readonly name: string;
    readonly index: number;
    readonly input: readonly number[];
    readonly state: readonly number[];
  },
  next: number[],
): number[] {
  if (spec.network.kind !== 'recurrent') throw new Error('Expected a recurrent network');
  const { input: x, state } = given;
  const tensor = tensorsOf(spec, parameters);
  const H = spec.network.size;
  const { hidden, cell } = cellStateRange(spec, given.index);
  const [kernel, own, bias, ownBias] = ['input', 'state', 'bias', 'stateBias'].map((part) =>
    tensor(`${given.name}/${part}`),
  );
  const columns = bias.size;
  const h = state.slice(hidden, hidden + H);
  const ofInput = (j: number) => x.reduce((sum, v, i) => sum + v * kernel.at(i * columns + j), bias.at(j));
  const ofState = (j: number) => h.reduce((sum, v, i) => sum + v * own.at(i * columns + j), 0);
  for (let k = 0; k < H; k++) {
    if (cell !== null) {
      const gate = (g: number) => ofInput(g * H + k) + ofState(g * H + k);
      const c = sigmoid(gate(1)) * state[cell + k] + sigmoid(gate(0)) * Math.tanh(gate(2));
      next[cell + k] = c;
      next[hidden + k] = sigmoid(gate(3)) * Math.tanh(c);
    } else {
      const fromState = (g: number) => ofState(g * H + k) + ownBias.at(g * H + k);
      const r = sigmoid(ofInput(k) + fromState(0));
      const z = sigmoid(ofInput(H + k) + fromState(1));
      const n = Math.tanh(ofInput(2 * H + k) + r * fromState(2));
      next[hidden + k] = (1 - z) * n + z * h[k];
    }
  }
  return next.slice(hidden, hidden + H);
}

/** Outputs of rows whose cells have these states (after their steps). */
export function outputsReference(spec: ActingSpec, parameters: Numbers, states: number[][]): ForwardTrace {
  const { network } = spec;
  if (network.kind !== 'recurrent') throw new Error('Expected a recurrent network');
  const { numLayers = 1 } = network;
  const hiddenOf = (tower: number) =>
    states.map((state) => {
      const { hidden } = cellStateRange(spec, (tower + 1) * numLayers - 1); // the topmost cell's
      return state.slice(hidden, hidden + network.size);
    });
  return forwardReference(spec, parameters, hiddenOf(0), hiddenOf(network.shared ? 0 : 1));
}

/**
 * Rows i = n * T + t through cells, sequence by sequence: each begins with its stored state, and anew where an episode ended.
 *
 * @param x normalised observations [N * T, obsSize]. @param stored [sequences, S]. @param ends whether the episode ended with row i.
 */
export function sequencesReference(
  spec: ActingSpec,
  parameters: Numbers,
  x: number[][],
  stored: Numbers,
  ends: (i: number) => boolean,
  sequenceLength: number,
): ForwardTrace {
  const S = recurrentStateSize(spec);
  let state: number[] = [];
  const states = x.map((row, i) => {
    if (i % sequenceLength === 0) {
      const first = (i / sequenceLength) * S;
      state = Array.from({ length: S }, (_, k) => stored[first + k]);
    } else if (ends(i - 1)) state = new Array<number>(S).fill(0);
    state = stepReference(spec, parameters, row, state);
    return state;
  });
  return outputsReference(spec, parameters, states);
}

/**
 * States that sequences begin with after a burn-in: each but a row's first is run from its stored state through the B steps before it, and is 0
 * where the episode ended with the last of them.
 *
 * @param stored [sequences, S]. @param rolloutLength of a row.
 */
export function burnInReference(
  spec: ActingSpec,
  parameters: Numbers,
  x: number[][],
  stored: Numbers,
  ends: (i: number) => boolean,
  { sequenceLength, rolloutLength, burnIn }: BurnInShape,
): number[] {
  const S = recurrentStateSize(spec);
  return Array.from({ length: x.length / sequenceLength }, (_, s) => {
    const first = s * sequenceLength;
    let state = Array.from({ length: S }, (_, k) => stored[s * S + k]);
    if (first % rolloutLength === 0) return state;
    for (let i = first - burnIn; i < first; i++) {
      state = stepReference(spec, parameters, x[i], state);
      if (ends(i)) state = state.map(() => 0);
    }
    return state;
  }).flat();
}

export interface BurnInShape {
  readonly sequenceLength: number;
  readonly rolloutLength: number;
  readonly burnIn: number;
}
