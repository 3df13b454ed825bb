/** One row through attention over its past steps in plain float64, a step at a time: how such policies act. Equations: src/policy/tensor-attention.ts. */

import { openFeedForward, openGate, openProduct, openTransposedProduct } from './attention-layers.ts';
import { attentionTowers, type SpecWithAttention, towerMemoryOffset } from './attention-state.ts';
import { openDense, openLayerNorm } from './dense-rows.ts';
import type { FindTensor } from './row-outputs.ts';

/** Where a tower's memory lies, and how much of it there is. */
export interface AttentionMemory {
  /** A row's state begins at `offset`; see attention-state.ts. */
  state: Float32Array | Float64Array;
  offset: number;
  /** Past steps that are remembered, at most W. */
  numSteps: number;
  /** Whether this step goes into the memory. */
  moves: boolean;
}

/** What a transformer makes of an observation, [D] f64, valid until its next step. */
export type AttentionTower = (x: Float64Array, memory: AttentionMemory) => Float64Array;

/**
 * Opens a tower's transformer. A step costs some 20 D^2 + 2 W D heads multiplications a block: keys and values of past steps are not computed, since
 * q . (n Wk) = (q Wk^T) . n, and sum_j a_j (n_j Wv) = (sum_j a_j n_j) Wv.
 *
 * Allocates nothing a row. Thread: any, one each.
 */
export function openAttentionTower(
  tensor: FindTensor,
  spec: SpecWithAttention,
  tower: 'trunk' | 'actor' | 'critic',
): AttentionTower {
  const { size: D, window: W, numBlocks } = spec.network;
  const embed = openDense(tensor, `${tower}/embed`);
  const first = towerMemoryOffset(spec, attentionTowers(spec).indexOf(tower));
  const blocks = Array.from({ length: numBlocks }, (_, k) =>
    openBlock(tensor, spec, `${tower}/block${k}`, first + k * W * D),
  );
  return (x, memory) => {
    let row = embed(x);
    for (const block of blocks) row = block(row, memory);
    return row;
  };
}

/** @param at of this block's memory within a row's state. */
function openBlock(tensor: FindTensor, spec: SpecWithAttention, name: string, at: number): AttentionTower {
  const { size: D, window: W } = spec.network;
  const attend = openAttend(tensor, spec, name, at);
  const gate = openGate(tensor, `${name}/gate`, D);
  const feedNorm = openLayerNorm(tensor, `${name}/feedNorm`);
  const feed = openFeedForward(tensor, name);
  const feedGate = openGate(tensor, `${name}/feedGate`, D);
  const normalized = new Float64Array(D); // [D] f64
  return (row, memory) => {
    const y = gate(row, relu(attend(row, memory)));
    feedNorm(y, 0, normalized, 0);
    const result = feedGate(y, relu(feed(normalized)));
    if (memory.moves) {
      const { state } = memory;
      const begin = memory.offset + at;
      state.copyWithin(begin, begin + D, begin + W * D);
      state.set(row, begin + (W - 1) * D);
    }
    return result;
  };
}

function relu(y: Float64Array): Float64Array {
  for (let j = 0; j < y.length; j++) if (y[j] < 0) y[j] = 0;
  return y;
}

function openAttend(tensor: FindTensor, spec: SpecWithAttention, name: string, at: number): AttentionTower {
  const { size: D, window: W, numHeads } = spec.network;
  const width = D / numHeads;
  const part = (of: string) => tensor(`${name}/${of}`);
  const norm = openLayerNorm(tensor, `${name}/norm`);
  const query = openProduct(part('query'), D);
  const output = openProduct(part('output'), D);
  const values = part('value');
  const rows = new Float64Array((W + 1) * D); // [W + 1, D] f64, normalised; the step itself is the last one
  const weights = new Float64Array(W + 1); // [W + 1] f64
  const current = rows.subarray(W * D);
  const attended = new Float64Array(D); // [heads, D / heads] f64
  const score = openScores(part, D, width, rows, weights);
  const meanOf = openWeightedMean(D, rows, weights);
  return (row, memory) => {
    const first = W - memory.numSteps;
    norm(row, 0, rows, W * D);
    for (let w = first; w < W; w++) norm(memory.state, memory.offset + at + w * D, rows, w * D);
    const q = query(current);
    attended.fill(0);
    for (let begin = 0; begin < D; begin += width) {
      score(q, begin, first);
      softmax(weights, first);
      addColumns(attended, meanOf(first), values, begin, begin + width);
    }
    return output(attended);
  };
}

/** Writes a head's scores of the rows from `first` on; the head has the elements of q from `begin` on. */
function openScores(
  part: FindTensor,
  D: number,
  width: number,
  rows: Float64Array,
  weights: Float64Array,
): (q: Float64Array, begin: number, first: number) => void {
  const toInputs = openTransposedProduct(part('key'), D);
  const [contentBias, positionBias, distances] = [
    part('contentBias'),
    part('positionBias'),
    part('distances'),
  ];
  const scale = 1 / Math.sqrt(width);
  return (q, begin, first) => {
    const end = begin + width;
    const key = toInputs(q, contentBias, begin, end);
    for (let w = first; w < weights.length; w++) {
      let score = 0;
      for (let i = 0; i < D; i++) score += key[i] * rows[w * D + i];
      for (let j = begin; j < end; j++) score += (q[j] + positionBias[j]) * distances[w * D + j];
      weights[w] = score * scale;
    }
  };
}

/** Of the rows from `first` on; valid until its next call. */
function openWeightedMean(
  D: number,
  rows: Float64Array,
  weights: Float64Array,
): (first: number) => Float64Array {
  const mean = new Float64Array(D); // [D] f64
  return (first) => {
    mean.fill(0);
    for (let w = first; w < weights.length; w++) {
      const weight = weights[w];
      for (let i = 0; i < D; i++) mean[i] += weight * rows[w * D + i];
    }
    return mean;
  };
}

/** y += x W over the columns [begin, end), W row-major [D, D]. */
function addColumns(
  y: Float64Array,
  x: Float64Array,
  kernel: Float32Array,
  begin: number,
  end: number,
): void {
  const D = x.length;
  for (let i = 0; i < D; i++) {
    const xi = x[i];
    for (let j = begin; j < end; j++) y[j] += xi * kernel[i * D + j];
  }
}

/** In place, over the elements from `first` on. */
function softmax(scores: Float64Array, first: number): void {
  let largest = -Infinity;
  for (let w = first; w < scores.length; w++) largest = Math.max(largest, scores[w]);
  let total = 0;
  for (let w = first; w < scores.length; w++) {
    scores[w] = Math.exp(scores[w] - largest);
    total += scores[w];
  }
  for (let w = first; w < scores.length; w++) scores[w] /= total;
}
