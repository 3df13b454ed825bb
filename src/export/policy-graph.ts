/**
 * A policy as operations: network, distribution and the mapping into the action space. What is linear is folded into the last layer: dueling
 * (V + A - mean A) and the mean of quantiles, in float64 before the weights are rounded.
 */

import type { EpsilonGreedySpec } from '../policy/distributions/epsilon-greedy.ts';
import { GSDE_VARIANCE_EPSILON } from '../policy/distributions/gsde.ts';
import { LOG_STD_MAX, LOG_STD_MIN } from '../policy/distributions/squashed-gaussian.ts';
import { GSDE_MEAN_CLIP } from '../policy/distributions/squashed-gsde.ts';
import { recurrentStateSize } from '../policy/networks/recurrent-state.ts';
import type { PlainSpec } from '../policy/networks/row-forward.ts';
import type { ActingDistribution } from '../policy/policy-spec.ts';
import type { ObservationStatistics } from '../weights/observation-statistics.ts';
import type { OutputName, PolicyGraph } from './graph.ts';
import { createGraphBuilder, type GraphBuilder } from './graph-builder.ts';
import { addNetwork, type NetworkGraph } from './network-graph.ts';

export interface GraphSource {
  readonly spec: PlainSpec;
  readonly parameters: Float32Array;
  readonly statistics: ObservationStatistics | null;
  /** What is added to each discrete action: `start` of a Discrete space. */
  readonly starts: readonly number[];
}

type Outputs = { [name in OutputName]?: number };

export function createPolicyGraph({ spec, parameters, statistics, starts }: GraphSource): PolicyGraph {
  const graph = createGraphBuilder();
  const network = addNetwork(graph, spec, parameters, statistics);
  const mask = spec.actionMaskSize > 0 ? graph.input('mask', spec.actionMaskSize, 'bool') : null;
  const outputs: Outputs = addDistribution(graph, spec.distribution, network, mask, starts);
  if (network.value !== null) outputs.value = network.value;
  if (network.nextState !== null) outputs.nextState = network.nextState;
  return {
    nodes: graph.nodes,
    outputs: Object.entries(outputs).map(([name, node]) => ({ name: name as OutputName, node })),
    observationSize: spec.observationSize,
    observationDtype: spec.observationDtype,
    maskSize: spec.actionMaskSize,
    stateSize: recurrentStateSize(spec),
  };
}

function addDistribution(
  graph: GraphBuilder,
  distribution: ActingDistribution,
  network: NetworkGraph,
  mask: number | null,
  starts: readonly number[],
): Outputs {
  const { latent, tensor } = network;
  const head = () => graph.dense(latent, tensor('actor/head/kernel'), tensor('actor/head/bias'));
  const masked = (x: number) => (mask === null ? x : graph.mask(x, mask));
  switch (distribution.kind) {
    case 'categorical': {
      const logits = masked(head());
      const parts = split(graph, logits, distribution.sizes);
      const action = graph.concat(parts.map((part, k) => graph.argMax(part, starts[k])));
      return { action, logits, probabilities: graph.concat(parts.map((part) => graph.softmax(part))) };
    }
    case 'epsilon-greedy': {
      const actionValues = addActionValues(graph, distribution, network);
      const parts = split(graph, masked(actionValues), distribution.sizes);
      return { action: graph.concat(parts.map((part, k) => graph.argMax(part, starts[k]))), actionValues };
    }
    case 'bernoulli': {
      const logits = head();
      return { action: graph.positive(logits), logits, probabilities: graph.unary('sigmoid', logits) };
    }
    case 'gaussian':
    case 'gsde': {
      const mean = head();
      const std =
        distribution.kind === 'gsde'
          ? addStateDependentStd(graph, latent, tensor('logStd'), GSDE_VARIANCE_EPSILON)
          : repeat(graph, mean, tensor('logStd').map(Math.exp));
      if (distribution.squash)
        return { action: stretch(graph, graph.unary('tanh', mean), distribution), mean, std };
      const { low, high } = distribution;
      return { action: graph.arithmetic('min', graph.arithmetic('max', mean, low), high), mean, std };
    }
    case 'squashed-gaussian': {
      const both = head();
      const mean = graph.slice(both, 0, distribution.size);
      const logStd = graph.slice(both, distribution.size, distribution.size);
      const clamped = graph.arithmetic('min', graph.arithmetic('max', logStd, [LOG_STD_MIN]), [LOG_STD_MAX]);
      return {
        action: stretch(graph, graph.unary('tanh', mean), distribution),
        mean,
        std: graph.unary('exp', clamped),
      };
    }
    case 'squashed-gsde': {
      const mean = graph.arithmetic('min', graph.arithmetic('max', head(), [-GSDE_MEAN_CLIP]), [
        GSDE_MEAN_CLIP,
      ]);
      const std = addStateDependentStd(graph, latent, tensor('logStd'), 0);
      return { action: stretch(graph, graph.unary('tanh', mean), distribution), mean, std };
    }
    case 'deterministic-tanh':
      return { action: stretch(graph, graph.unary('tanh', head()), distribution) };
    case 'product':
      throw new TypeError('Expected actions of one kind: openExportSource refuses others.');
  }
}

function split(graph: GraphBuilder, x: number, sizes: readonly number[]): number[] {
  let begin = 0;
  return sizes.map((size) => {
    begin += size;
    return graph.slice(x, begin - size, size);
  });
}

/** Constants for every row. */
function repeat(graph: GraphBuilder, x: number, constants: Float32Array): number {
  return graph.arithmetic('add', graph.arithmetic('mul', x, [0]), constants);
}

/** low + (unit + 1) / 2 (high - low). */
function stretch(
  graph: GraphBuilder,
  unit: number,
  { low, high }: { readonly low: readonly number[]; readonly high: readonly number[] },
): number {
  const half = low.map((least, a) => (high[a] - least) / 2);
  const middle = low.map((least, a) => least + half[a]);
  return graph.arithmetic('add', graph.arithmetic('mul', unit, half), middle);
}

/** sqrt(sum_h latent_h^2 exp(logStd_ha)^2 + epsilon). */
function addStateDependentStd(
  graph: GraphBuilder,
  latent: number,
  logStd: Float32Array,
  epsilon: number,
): number {
  const variances = logStd.map((x) => Math.exp(x) ** 2); // [H, A]
  const bias = new Float32Array(logStd.length / graph.sizeOf(latent)).fill(epsilon);
  return graph.unary('sqrt', graph.dense(graph.unary('square', latent), variances, bias));
}

function addActionValues(
  graph: GraphBuilder,
  distribution: EpsilonGreedySpec,
  { latent, tensor }: NetworkGraph,
): number {
  const { numAtoms, support } = distribution;
  const combine = createCombination(distribution);
  const kernel = tensor('actor/head/kernel');
  const bias = tensor('actor/head/bias');
  const rows = Array.from({ length: graph.sizeOf(latent) }, (_, h) =>
    combine(kernel.subarray(h * bias.length, (h + 1) * bias.length)),
  );
  const combined = Float32Array.from(rows.flat()); // [H, S] or [H, S numAtoms]
  const outputs = graph.dense(latent, combined, Float32Array.from(combine(bias)));
  if (support === null) return outputs;
  const { low, high } = support;
  const step = (high - low) / (numAtoms - 1);
  return graph.expectation(
    outputs,
    Float32Array.from({ length: numAtoms }, (_, j) => low + j * step),
  );
}

/** From one row of the head to what it adds to each action: V + A - mean A atom by atom; without a support the mean over atoms. */
function createCombination({ sizes, numAtoms, support, dueling }: EpsilonGreedySpec) {
  return (head: Float32Array): number[] => {
    const values: number[] = [];
    let first = dueling ? numAtoms : 0;
    for (const size of sizes) {
      const baseline = Array.from({ length: numAtoms }, (_, j) => {
        if (!dueling) return 0;
        let sum = 0;
        for (let a = 0; a < size; a++) sum += head[first + a * numAtoms + j];
        return head[j] - sum / size;
      });
      for (let a = 0; a < size; a++) {
        const atoms = baseline.map((base, j) => base + head[first + a * numAtoms + j]);
        if (support !== null) values.push(...atoms);
        else values.push(atoms.reduce((sum, x) => sum + x, 0) / numAtoms);
      }
      first += size * numAtoms;
    }
    return values;
  };
}
