/** Recurrent cells in tfjs operations, unrolled over the sequences of a minibatch: the readable reference of the kernels. */
import { cellName, cellStateRange, numCellLayers, recurrentTowers } from './networks/recurrent-state.ts';
import type { ActingSpec, RecurrentSpec } from './policy-spec.ts';
import type { Tensor, TensorFlow } from './tensor-types.ts';

/** What a minibatch of M sequences of L steps brings besides its rows, which lie step by step: row t * M + s. */
export interface SequenceTensors {
  /** L. */
  readonly length: number;
  /** What each sequence began with when it was collected. */
  readonly states: Tensor; // [M, S] f32
  /** 0 where an episode begins at that row, so that the state before it is 0; else 1. Not read at first steps. */
  readonly continues: Tensor; // [M * L] f32
  /** Steps before the sequences, which `states` are to be run through (src/learner/tensorflow/burn-in.ts); null or absent = none. */
  readonly burnIn?: BurnInTensors | null;
}

/** The B steps before M sequences, step by step. */
export interface BurnInTensors {
  /** B. */
  readonly length: number;
  /** Raw. */
  readonly observations: Tensor; // [M * B, obsSize]
  /** As of the sequences' rows. */
  readonly continues: Tensor; // [M * B] f32
  /** 0 where an episode begins with the sequence; else 1. */
  readonly continuesInto: Tensor; // [M] f32
  /** 0 where nothing is before the sequence, whose rows here are then any; else 1. */
  readonly exists: Tensor; // [M] f32
}

export interface CellsTensors {
  /** Of the topmost cell. */
  readonly hidden: Tensor; // [M * L, H] f32
  /** After the last step, of all cells from below: hidden and, LSTM, cell state. */
  readonly states: readonly Tensor[]; // [M, H] f32 each
}

/**
 * Hidden states of a tower's topmost cell; gradients flow through all steps of a sequence and end at its beginning.
 *
 *     LSTM   i, f, u, o = s(x Wi + h Ri + bi), s(...), tanh(...), s(...)     c' = f c + i u      h' = o tanh(c')
 *     GRU    r, z = s(x W + b + h R + q)     n = tanh(x Wn + bn + r (h Rn + qn))      h' = (1 - z) n + z h
 *
 * x is the tower's input, or the hidden states of the cell below.
 *
 * @param tower `trunk`, `actor` or `critic`. @param x [M * L, inputs] f32.
 * @returns hidden states in the order of x.
 */
export function applyCells(
  tf: TensorFlow,
  spec: ActingSpec & { readonly network: RecurrentSpec },
  parameters: Readonly<Record<string, Tensor>>,
  tower: 'trunk' | 'actor' | 'critic',
  x: Tensor,
  sequences: SequenceTensors,
): CellsTensors {
  const numLayers = numCellLayers(spec);
  const first = recurrentTowers(spec).indexOf(tower) * numLayers;
  let hidden = x;
  const states: Tensor[] = [];
  for (let layer = 0; layer < numLayers; layer += 1) {
    const place = { name: cellName(tower, layer), index: first + layer };
    const cell = applyCell(tf, spec, parameters, place, hidden, sequences);
    hidden = cell.hidden;
    states.push(...cell.states);
  }
  return { hidden, states };
}

function applyCell(
  tf: TensorFlow,
  spec: ActingSpec & { readonly network: RecurrentSpec },
  parameters: Readonly<Record<string, Tensor>>,
  { name: of, index }: { readonly name: string; readonly index: number },
  x: Tensor,
  { length, states, continues }: SequenceTensors,
): CellsTensors {
  const { size: H, cell } = spec.network;
  const M = x.shape[0] / length;
  const part = (name: string) => parameters[`${of}/${name}`];
  const ofInputs = tf.add(tf.matMul(x, part('input')), part('bias')); // [M * L, gates H]
  const range = cellStateRange(spec, index);
  let h = tf.slice(states, [0, range.hidden], [M, H]);
  let c = range.cell === null ? null : tf.slice(states, [0, range.cell], [M, H]);
  const hidden: Tensor[] = [];
  for (let t = 0; t < length; t += 1) {
    if (t > 0) {
      const keep = tf.reshape(tf.slice(continues, [t * M], [M]), [M, 1]);
      h = tf.mul(h, keep);
      c = c && tf.mul(c, keep);
    }
    const given = tf.slice(ofInputs, [t * M, 0], [M, ofInputs.shape[1] as number]);
    const own = tf.matMul(h, part('state'));
    if (c !== null) [h, c] = lstmStep(tf, tf.add(given, own), c, H);
    else h = gruStep(tf, given, tf.add(own, part('stateBias')), h, H);
    hidden.push(h);
  }
  if (cell === 'lstm' && c === null) throw new TypeError('Expected the state of an LSTM.');
  return { hidden: tf.concat(hidden, 0), states: c === null ? [h] : [h, c] };
}

const gate = (tf: TensorFlow, of: Tensor, k: number, H: number) => tf.slice(of, [0, k * H], [of.shape[0], H]);

function lstmStep(tf: TensorFlow, gates: Tensor, c: Tensor, H: number): [Tensor, Tensor] {
  const [i, f, o] = [0, 1, 3].map((k) => tf.sigmoid(gate(tf, gates, k, H)));
  const next = tf.add(tf.mul(f, c), tf.mul(i, tf.tanh(gate(tf, gates, 2, H))));
  return [tf.mul(o, tf.tanh(next)), next];
}

function gruStep(tf: TensorFlow, given: Tensor, own: Tensor, h: Tensor, H: number): Tensor {
  const [r, z] = [0, 1].map((k) => tf.sigmoid(tf.add(gate(tf, given, k, H), gate(tf, own, k, H))));
  const n = tf.tanh(tf.add(gate(tf, given, 2, H), tf.mul(r, gate(tf, own, 2, H))));
  return tf.add(n, tf.mul(z, tf.sub(h, n)));
}
