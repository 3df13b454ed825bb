/** Attention over a window of past steps in tfjs operations, over the sequences of a minibatch. */
import {
  attentionStateSize,
  attentionTowers,
  type SpecWithAttention,
  towerMemoryOffset,
} from './networks/attention-state.ts';
import { dense, normalizeLayer, type ParameterTensors } from './tensor-layers.ts';
import type { SequenceTensors } from './tensor-recurrent.ts';
import type { Tensor, TensorFlow } from './tensor-types.ts';

/** Added to the scores of steps that a step does not see. */
const UNSEEN = -1e9;

/**
 * What one tower's transformer makes of the steps of M sequences; gradients flow through all steps of a sequence, and through the memory into keys and values, and
 * end at what was remembered. For each of the blocks, with m_j its inputs at the steps j = t - W .. t of the same episode:
 *
 *     n_j = layerNorm(m_j)      score_tj = ((q_t + u) . k_j + (q_t + v) . d_{t-j}) / sqrt(D / heads)      with q = n Wq, k = n Wk, by heads
 *     y = gate(m, relu((softmax(score) n Wv) Wo))           m' = gate(y, relu(feed1(relu(feed0(layerNorm(y))))))
 *     gate(x, y):  r, z = s(y Wr + x Ur), s(y Wz + x Uz - b)      h = tanh(y Wg + (r x) Ug)      x' = (1 - z) x + z h
 *
 * Source: Parisotto et al. 2020, arXiv:1910.06764, section 3 (GTrXL: normalised inputs of submodules, relu before the gate, GRU gates with b > 0). Departures: d is a
 * table of learnt vectors by distance (Shaw et al. 2018, arXiv:1803.02155) in place of projected sinusoids; biases u, v as in Dai et al. 2019, arXiv:1901.02860.
 *
 * @param tower `trunk`, `actor` or `critic`. @param x [M * L, obsSize] f32, rows step by step.
 * @param unseen {@link unseenScores} of the sequences, the same for all towers.
 * @returns [M * L, D] f32, in the order of x.
 */
export function applyAttention(
  tf: TensorFlow,
  spec: SpecWithAttention,
  parameters: ParameterTensors,
  tower: 'trunk' | 'actor' | 'critic',
  x: Tensor,
  sequences: SequenceTensors,
  unseen: Tensor,
): Tensor {
  const { size: D, numBlocks, window: W } = spec.network;
  const L = sequences.length;
  const M = x.shape[0] / L;
  const byStep = tf.reshape(dense(tf, parameters, `${tower}/embed`, x), [L, M, D]);
  let rows = tf.reshape(tf.transpose(byStep, [1, 0, 2]), [M * L, D]); // sequence by sequence
  const first = towerMemoryOffset(spec, attentionTowers(spec).indexOf(tower));
  for (let k = 0; k < numBlocks; k += 1) {
    const memory = tf.slice(sequences.states, [0, first + k * W * D], [M, W * D]);
    const block = { parameters, name: `${tower}/block${k}` };
    const attended = attend(tf, spec, block, rows, tf.reshape(memory, [M, W, D]), unseen);
    const y = gate(tf, block, 'gate', rows, tf.relu(attended));
    const normalized = normalizeLayer(tf, parameters, `${block.name}/feedNorm`, y);
    const hidden = tf.relu(dense(tf, parameters, `${block.name}/feed0`, normalized));
    rows = gate(tf, block, 'feedGate', y, tf.relu(dense(tf, parameters, `${block.name}/feed1`, hidden)));
  }
  return tf.reshape(tf.transpose(tf.reshape(rows, [M, L, D]), [1, 0, 2]), [M * L, D]);
}

interface Block {
  readonly parameters: ParameterTensors;
  readonly name: string;
}

/** @param rows [M * L, D] f32, sequence by sequence. @param memory [M, W, D] f32. @returns [M * L, D] f32. */
function attend(
  tf: TensorFlow,
  { network: { size: D, numHeads, window: W } }: SpecWithAttention,
  { parameters, name }: Block,
  rows: Tensor,
  memory: Tensor,
  unseen: Tensor,
): Tensor {
  const M = memory.shape[0];
  const L = rows.shape[0] / M;
  const part = (of: string) => parameters[`${name}/${of}`];
  const inputs = tf.concat([memory, tf.reshape(rows, [M, L, D])], 1); // [M, W + L, D]
  const flat = tf.reshape(inputs, [M * (W + L), D]);
  const normalized = normalizeLayer(tf, parameters, `${name}/norm`, flat);
  const byHead = (product: Tensor, numRows: number) => {
    const split = tf.reshape(product, [M, numRows, numHeads, D / numHeads]);
    return tf.reshape(tf.transpose(split, [0, 2, 1, 3]), [M * numHeads, numRows, D / numHeads]);
  };
  const [keys, values] = ['key', 'value'].map((of) => byHead(tf.matMul(normalized, part(of)), W + L));
  const current = tf.slice(tf.reshape(normalized, [M, W + L, D]), [0, W, 0], [M, L, D]);
  const queries = tf.matMul(tf.reshape(current, [M * L, D]), part('query')); // [M * L, D]
  const content = tf.matMul(byHead(tf.add(queries, part('contentBias')), L), keys, false, true);
  const distances = tf.transpose(tf.reshape(part('distances'), [W + 1, numHeads, D / numHeads]), [1, 2, 0]);
  const tiled = tf.reshape(tf.tile(tf.reshape(distances, [1, numHeads, D / numHeads, W + 1]), [M, 1, 1, 1]), [
    M * numHeads,
    -1,
    W + 1,
  ]);
  const ofDistance = tf.matMul(byHead(tf.add(queries, part('positionBias')), L), tiled); // [M heads, L, W + 1]
  const scores = tf.mul(tf.add(content, shiftRows(tf, ofDistance)), Math.sqrt(numHeads / D));
  const seen = tf.add(tf.reshape(scores, [M, numHeads, L, W + L]), unseen);
  const weights = tf.reshape(tf.softmax(seen), [M * numHeads, L, W + L]);
  const attended = tf.reshape(tf.matMul(weights, values), [M, numHeads, L, D / numHeads]);
  return tf.matMul(tf.reshape(tf.transpose(attended, [0, 2, 1, 3]), [M * L, D]), part('output'));
}

/**
 * Row i is moved i columns to the right: what was by distance, W + 1 columns, is by step, W + L columns, and 0 where no distance is.
 *
 * @param x [B, L, W + 1] f32. @returns [B, L, W + L] f32.
 */
function shiftRows(tf: TensorFlow, x: Tensor): Tensor {
  const [B, L, columns] = x.shape as [number, number, number];
  const padded = tf.pad(x, [
    [0, 0],
    [0, 0],
    [0, L],
  ]);
  const numKept = L * (columns + L - 1);
  return tf.reshape(tf.slice(tf.reshape(padded, [B, L * (columns + L)]), [0, 0], [B, numKept]), [B, L, -1]);
}

/** 0 where step i of a sequence sees what lies in column j (W remembered steps, then the sequence's own), else {@link UNSEEN}: [M, 1, L, W + L] f32. */
export function unseenScores(
  tf: TensorFlow,
  spec: SpecWithAttention,
  { length: L, states, continues }: SequenceTensors,
): Tensor {
  const W = spec.network.window;
  const M = states.shape[0];
  const table = (numRows: number, numColumns: number, at: (i: number, j: number) => boolean) =>
    tf.tensor2d(
      Float32Array.from({ length: numRows * numColumns }, (_, k) =>
        at(Math.floor(k / numColumns), k % numColumns) ? 1 : 0,
      ),
      [numRows, numColumns],
    );
  const begins = tf.transpose(tf.reshape(tf.sub(1, continues), [L, M])); // [M, L]
  const upTo = table(L, L, (k, i) => k > 0 && k <= i);
  const episodes = tf.matMul(begins, upTo); // [M, L]: how many episodes have begun since the sequence's first step
  const episodeOfColumn = tf.concat([tf.zeros([M, W]), episodes], 1);
  const numRemembered = tf.slice(states, [0, attentionStateSize(spec) - 1], [M, 1]);
  const ages = tf.tensor2d(
    Float32Array.from({ length: W }, (_, w) => W - w),
    [1, W],
  );
  const isThere = tf.concat([tf.cast(tf.greaterEqual(numRemembered, ages), 'float32'), tf.ones([M, L])], 1);
  const isSame = tf.cast(
    tf.equal(tf.reshape(episodes, [M, L, 1]), tf.reshape(episodeOfColumn, [M, 1, W + L])),
    'float32',
  );
  const isNear = table(L, W + L, (i, j) => i <= j && j <= i + W);
  const seen = tf.mul(tf.mul(isSame, tf.reshape(isThere, [M, 1, W + L])), isNear); // [M, L, W + L]
  return tf.reshape(tf.mul(tf.sub(1, seen), UNSEEN), [M, 1, L, W + L]);
}

/** @param x what is kept as far as the gate is shut, @param y what comes through it: [B, D] f32. */
function gate(tf: TensorFlow, { parameters, name }: Block, of: string, x: Tensor, y: Tensor): Tensor {
  const [numRows, D] = x.shape as [number, number];
  const part = (tensor: string) => parameters[`${name}/${of}/${tensor}`];
  const given = tf.matMul(y, part('given'));
  const own = tf.matMul(x, part('own'));
  const column = (from: Tensor, k: number) => tf.slice(from, [0, k * D], [numRows, D]);
  const r = tf.sigmoid(tf.add(column(given, 0), column(own, 0)));
  const z = tf.sigmoid(tf.sub(tf.add(column(given, 1), column(own, 1)), part('bias')));
  const h = tf.tanh(tf.add(column(given, 2), tf.matMul(tf.mul(r, x), part('candidate'))));
  return tf.add(x, tf.mul(z, tf.sub(h, x)));
}
