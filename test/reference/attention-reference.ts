/** Attention over past steps in plain float64, from the definition: every key and value is computed, head by head, one step at a time. */
import {
  attentionStateSize,
  attentionTowers,
  type SpecWithAttention,
} from '../../src/policy/networks/attention-state.ts';
import { type ForwardTrace, forwardReference, sigmoid, tensorsOf } from './mlp-reference.ts';

type Numbers = ArrayLike<number>;
type Row = readonly number[];

/** Inputs of each tower's blocks at past steps of the episode, the latest last: [towers][blocks][at most W][D]. */
export type MemoryReference = readonly (readonly (readonly Row[])[])[];

export interface StepReference {
  /** What each tower's transformer gives: [towers][D]. */
  readonly features: readonly Row[];
  readonly memory: MemoryReference;
}

export function emptyMemory(spec: SpecWithAttention): MemoryReference {
  return attentionTowers(spec).map(() => Array.from({ length: spec.network.numBlocks }, () => []));
}

const times = (x: Row, of: { at: (k: number) => number }, columns: number): number[] =>
  Array.from({ length: columns }, (_, j) => x.reduce((sum, v, i) => sum + v * of.at(i * columns + j), 0));
const plus = (x: Row, of: { at: (k: number) => number }) => x.map((v, j) => v + of.at(j));
const relu = (x: Row) => x.map((v) => Math.max(v, 0));

/** x' = (1 - z) x + z h. */
export function gateReference(
  part: (name: string) => { at: (k: number) => number },
  x: Row,
  y: Row,
): number[] {
  const D = x.length;
  const [given, own] = [times(y, part('given'), 3 * D), times(x, part('own'), 2 * D)];
  const r = x.map((_, j) => sigmoid(given[j] + own[j]));
  const z = x.map((_, j) => sigmoid(given[D + j] + own[D + j] - part('bias').at(j)));
  const ofReset = times(
    x.map((v, j) => r[j] * v),
    part('candidate'),
    D,
  );
  return x.map((v, j) => (1 - z[j]) * v + z[j] * Math.tanh(given[2 * D + j] + ofReset[j]));
}

export function attentionStepReference(
  spec: SpecWithAttention,
  parameters: Numbers,
  x: Row,
  memory: MemoryReference,
): StepReference {
  const { size: D, numHeads, window: W, numBlocks } = spec.network;
  const tensor = tensorsOf(spec, parameters);
  const width = D / numHeads;
  const results = attentionTowers(spec).map((tower, index) => {
    let row = plus(times(x, tensor(`${tower}/embed/kernel`), D), tensor(`${tower}/embed/bias`));
    const next: (readonly Row[])[] = [];
    for (let k = 0; k < numBlocks; k++) {
      const part = (name: string) => tensor(`${tower}/block${k}/${name}`);
      const norm = (name: string, of: Row) => {
        const mean = of.reduce((a, b) => a + b, 0) / D;
        const variance = of.reduce((a, b) => a + (b - mean) ** 2, 0) / D;
        return of.map(
          (v, j) =>
            ((v - mean) / Math.sqrt(variance + 1e-5)) * part(`${name}/gain`).at(j) +
            part(`${name}/shift`).at(j),
        );
      };
      const steps = [...memory[index][k], row].map((step) => norm('norm', step)); // the latest last
      const keys = steps.map((step) => times(step, part('key'), D));
      const values = steps.map((step) => times(step, part('value'), D));
      const query = times(steps[steps.length - 1], part('query'), D);
      const attended: number[] = [];
      for (let head = 0; head < numHeads; head++) {
        const scores = keys.map((key, s) => {
          const ago = steps.length - 1 - s;
          let score = 0;
          for (let j = head * width; j < (head + 1) * width; j++) {
            score += (query[j] + part('contentBias').at(j)) * key[j];
            score += (query[j] + part('positionBias').at(j)) * part('distances').at((W - ago) * D + j);
          }
          return Math.exp(score / Math.sqrt(width));
        });
        const total = scores.reduce((a, b) => a + b, 0);
        for (let j = head * width; j < (head + 1) * width; j++)
          attended.push(scores.reduce((sum, score, s) => sum + (score / total) * values[s][j], 0));
      }
      const y = gateReference((name) => part(`gate/${name}`), row, relu(times(attended, part('output'), D)));
      const hidden = relu(plus(times(norm('feedNorm', y), part('feed0/kernel'), 2 * D), part('feed0/bias')));
      const fed = relu(plus(times(hidden, part('feed1/kernel'), D), part('feed1/bias')));
      next.push([...memory[index][k], row].slice(-W));
      row = gateReference((name) => part(`feedGate/${name}`), y, fed);
    }
    return { features: row, memory: next };
  });
  return { features: results.map((r) => r.features), memory: results.map((r) => r.memory) };
}

/** Outputs of rows whose transformers gave these features: [B][towers][D]. */
export function attentionOutputsReference(
  spec: SpecWithAttention,
  parameters: Numbers,
  features: readonly (readonly Row[])[],
): ForwardTrace {
  const of = (tower: number) => features.map((row) => [...row[tower]]);
  return forwardReference(spec, parameters, of(0), of(spec.network.shared ? 0 : 1));
}

/** The state that holds a memory, as rollouts keep it; [S]. */
export function stateOfMemory(spec: SpecWithAttention, memory: MemoryReference): number[] {
  const { size: D, window: W } = spec.network;
  const state = memory.flatMap((blocks) =>
    blocks.flatMap((steps) => [...new Array<number>((W - steps.length) * D).fill(0), ...steps.flat()]),
  );
  return [...state, memory[0][0].length];
}

/** The memory that a state holds. */
export function memoryOfState(spec: SpecWithAttention, state: Numbers): MemoryReference {
  const { size: D, window: W, numBlocks } = spec.network;
  const count = state[attentionStateSize(spec) - 1];
  return attentionTowers(spec).map((_, tower) =>
    Array.from({ length: numBlocks }, (__, k) =>
      Array.from({ length: count }, (___, s) => {
        const first = ((tower * numBlocks + k) * W + W - count + s) * D;
        return Array.from({ length: D }, (____, j) => state[first + j]);
      }),
    ),
  );
}
