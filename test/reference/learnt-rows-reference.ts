/** What closed forms read of a batch, row by row in slow float64: transitions, or sequences through the cell that each network has. */
import type { SequenceRows } from '../../src/learner/objective.ts';
import {
  type MlpTrunk,
  type ModelCell,
  type ModelSpec,
  modelLayout,
  networkNamed,
} from '../../src/policy/networks/model.ts';
import { openStream } from '../../src/random/streams.ts';
import { sigmoid } from './mlp-reference.ts';
import { forwardRow, masksOf } from './model-reference.ts';
import { type Columns, normals } from './objective-fixture.ts';

interface OutputOptions {
  /** Of what the step led to. */
  readonly isNext?: boolean;
  /** What the network reads besides the observation. */
  readonly beside?: readonly (readonly number[])[];
  /** Of the pass, where the network has dropout. */
  readonly draw?: number;
}

export interface LearntReference {
  /** The row with what the step of row r led to, and the column of its masks. */
  nextOf(r: number): number;
  readonly nextMasks: 'masks' | 'nextMasks';
  outputs(p: Float64Array, name: string, r: number, options?: OutputOptions): number[];
  /** By the rows' weights. */
  mean(f: (r: number) => number): number;
}

function meanOver(numRows: number, weightOf: (r: number) => number): LearntReference['mean'] {
  return (f) => {
    let sum = 0;
    for (let r = 0; r < numRows; r++) if (weightOf(r) !== 0) sum += weightOf(r) * f(r);
    return sum / numRows;
  };
}

const dropoutOf = (model: ModelSpec, name: string, columns: Columns, r: number, draw: number | undefined) =>
  draw === undefined ? [] : masksOf(model, name, columns.dropoutSeeds?.[r] ?? 0, draw);

export function transitionsOf(model: ModelSpec, columns: Columns): LearntReference {
  const { size } = model.inputs.observation;
  return {
    nextOf: (r) => r,
    nextMasks: 'nextMasks',
    outputs(p, name, r, { isNext = false, beside = [], draw } = {}) {
      const x = columns[isNext ? 'nextObservations' : 'observations'].slice(r * size, (r + 1) * size);
      return forwardRow(model, p, name, [x, ...beside], dropoutOf(model, name, columns, r, draw));
    },
    mean: meanOver(columns.rewards.length, () => 1),
  };
}

/** The burn-in is `fixed`'s: no gradient flows there. States are stored for actors, critics begin with zeros. */
export function sequencesOf(
  model: ModelSpec,
  columns: Columns,
  { length, burnIn, perBlock }: SequenceRows,
  fixed: Float64Array,
): LearntReference {
  const { size } = model.inputs.observation;
  const numRows = columns.rewards.length;
  const { entries, ranges } = modelLayout(model);
  const tensorOf = (p: Float64Array, name: string) => {
    const found = entries.find((entry) => entry.name === name) ?? { offset: 0, size: 0 };
    return p.subarray(found.offset, found.offset + found.size);
  };
  const partOf = (p: Float64Array, name: string) =>
    p.subarray(ranges[name].offset, ranges[name].offset + ranges[name].size);
  const hiddenOf = (p: Float64Array, name: string): number[][] => {
    const { kind, size: numUnits } = (networkNamed(model, name).trunk as MlpTrunk).cell as ModelCell;
    const stateSize = kind === 'lstm' ? 2 * numUnits : numUnits;
    const step = kind === 'lstm' ? stepLstm : stepGru;
    const [warm, own] = [fixed, p].map((parameters): Tensors => {
      const part = (of: string) => tensorOf(parameters, `${name}/cell/${of}`);
      return [part('input'), part('state'), part('bias'), part('stateBias')];
    });
    const hidden: number[][] = [];
    for (let s = 0; s < numRows / length; s++) {
      const first = Math.floor(s / perBlock) * perBlock * length + (s % perBlock);
      let state = name.endsWith('actor')
        ? columns.states.slice(first * stateSize, (first + 1) * stateSize)
        : new Array<number>(stateSize).fill(0);
      for (let u = 0; u < length; u++) {
        const r = first + u * perBlock;
        if (u > 0 && columns.continues[r] === 0) state = state.map(() => 0);
        const x = columns.observations.slice(r * size, (r + 1) * size);
        state = step(u < burnIn ? warm : own, x, state);
        hidden[r] = state.slice(0, numUnits);
      }
    }
    return hidden;
  };
  const known = new Map<string, { readonly parameters: Float64Array; readonly hidden: number[][] }>();
  /** Parameters are moved in place, one at a time. */
  const hiddenAt = (p: Float64Array, name: string, r: number): number[] => {
    const part = partOf(p, name);
    let found = known.get(name);
    if (found === undefined || part.some((value, k) => value !== found?.parameters[k])) {
      found = { parameters: part.slice(), hidden: hiddenOf(p, name) };
      known.set(name, found);
    }
    return found.hidden[r];
  };
  return {
    nextOf: (r) => r + columns.bootstraps[r] * perBlock,
    nextMasks: 'masks',
    outputs: (p, name, r, { beside = [], draw } = {}) =>
      forwardRow(model, p, name, [hiddenAt(p, name, r), ...beside], dropoutOf(model, name, columns, r, draw)),
    mean: meanOver(numRows, (r) => columns.weights[r]),
  };
}

type Tensors = readonly [
  input: Float64Array,
  state: Float64Array,
  bias: Float64Array,
  stateBias: Float64Array,
];

/** Column j of x times a kernel with so many columns, on top of a bias. */
function product(
  x: readonly number[],
  kernel: Float64Array,
  numColumns: number,
  j: number,
  bias: number,
): number {
  let sum = bias;
  for (let i = 0; i < x.length; i++) sum += x[i] * kernel[i * numColumns + j];
  return sum;
}

/** The equations of src/simd/assembly/recurrent.ts; [2 H]. */
function stepLstm([kernel, own, bias]: Tensors, x: readonly number[], state: readonly number[]): number[] {
  const H = state.length / 2;
  const h = state.slice(0, H);
  const next: number[] = [];
  for (let k = 0; k < H; k++) {
    const [i, f, u, o] = [0, 1, 2, 3].map((g) =>
      product(h, own, 4 * H, g * H + k, product(x, kernel, 4 * H, g * H + k, bias[g * H + k])),
    );
    next[H + k] = sigmoid(f) * state[H + k] + sigmoid(i) * Math.tanh(u);
    next[k] = sigmoid(o) * Math.tanh(next[H + k]);
  }
  return next;
}

/** Likewise; [H]. */
function stepGru(
  [kernel, own, bias, ownBias]: Tensors,
  x: readonly number[],
  h: readonly number[],
): number[] {
  const H = h.length;
  return h.map((before, k) => {
    const [given, kept] = [0, 1, 2].reduce<[number[], number[]]>(
      ([a, b], g) => [
        [...a, product(x, kernel, 3 * H, g * H + k, bias[g * H + k])],
        [...b, product(h, own, 3 * H, g * H + k, ownBias[g * H + k])],
      ],
      [[], []],
    );
    const z = sigmoid(given[1] + kept[1]);
    const n = Math.tanh(given[2] + sigmoid(given[0] + kept[0]) * kept[2]);
    return (1 - z) * n + z * before;
  });
}

/** Columns of two blocks of sequences with ends inside, one right behind the burn-in; some rows are not learnt. Those of actions are the caller's. */
export function sequenceBatch(cell: ModelCell, { length, burnIn, perBlock }: SequenceRows): Columns {
  const numRows = 2 * perBlock * length;
  const pick = openStream(11, 'sequences');
  const rows = Array.from({ length: numRows }, (_, r) => ({
    u: Math.floor((r % (perBlock * length)) / perBlock),
    p: r % perBlock,
  }));
  const isLearnt = rows.map(({ u }) => u >= burnIn && u < length - 2 && pick.uniform() < 0.8);
  return {
    observations: normals('observations', 3 * numRows),
    rewards: normals('rewards', numRows),
    discounts: isLearnt.map((learnt) => (learnt && pick.uniform() < 0.8 ? Math.fround(0.97) : 0)),
    bootstraps: rows.map(({ u }) => (u < length - 2 ? 1 + pick.integer(2) : 0)),
    weights: isLearnt.map((learnt) => (learnt ? 1.25 : 0)),
    states: normals('states', numRows * cell.size * (cell.kind === 'lstm' ? 2 : 1)),
    continues: rows.map(({ u, p }) => ((p === 1 && u === burnIn) || (u > 0 && pick.uniform() < 0.2) ? 0 : 1)),
    noise: normals('noise', 2 * numRows),
    nextNoise: normals('nextNoise', 2 * numRows),
    dropoutSeeds: normals('dropoutSeeds', numRows, 1e9).map(Math.round),
  };
}

/** A shape whose actor and critics have a cell, and one small layer behind: differences are taken at every parameter. */
export function withCell<S extends { readonly actorTrunk: unknown; readonly criticTrunk: unknown }>(
  shape: S,
  cell: ModelCell,
  sequences: SequenceRows,
): S {
  const { actorTrunk, criticTrunk } = shape;
  return {
    ...shape,
    actorTrunk: { ...(actorTrunk as MlpTrunk), hiddenSizes: [4], cell },
    criticTrunk: { ...(criticTrunk as MlpTrunk), hiddenSizes: [4], cell },
    sequences,
  };
}
