/** One step of an objective as a function of tensors: loss, gradients, clipping, Adam and blends. Runs eagerly, or captured. */
import { type ModelLayout, type ModelSpec, modelLayout } from '../../../policy/networks/model.ts';
import type { ParameterTensors } from '../../../policy/tensor-layers.ts';
import type { Scalar, Tensor, TensorFlow, Variable } from '../../../policy/tensor-types.ts';
import type { ParameterEntry } from '../../../weights/parameter-layout.ts';
import { GRADIENT_BOUND } from '../../learner.ts';
import type { ObjectiveSpec, OptimizerGroup } from '../../objective.ts';
import { packParameters, unpackParameters } from '../flat-parameters.ts';
import type { StatisticsTensors } from '../gradient-step.ts';
import { applyNetwork } from './model-network.ts';
import { perturbNetwork } from './perturb-network.ts';
import type { StepLoss, TensorObjective, TensorScope } from './tensor-objective.ts';

export interface ObjectiveVariables {
  readonly parameters: Variable; // [size] f32
  readonly m: Variable; // [trainedSize] f32
  readonly v: Variable; // [trainedSize] f32
}

export interface StepFunctionOptions {
  readonly model: ModelSpec;
  readonly objective: ObjectiveSpec;
  readonly losses: TensorObjective;
  readonly variables: ObjectiveVariables;
  readonly nonFinite: 'stop' | 'skip' | 'clip';
}

/** What a step is given, in this order: the columns, the noises, the observation statistics where it is normalised, scalars, Adam's corrections. */
export interface StepInputs {
  readonly columns: readonly Tensor[]; // in the objective's order
  readonly noises: readonly Tensor[]; // factors, likewise
  readonly statistics: StatisticsTensors | null;
  readonly scalars: Tensor; // [numScalars] f32
  /** For each group of the objective: learning rate times sqrt(1 - beta2^t) / (1 - beta1^t), epsilon sqrt(1 - beta2^t). */
  readonly corrections: Tensor; // [numGroups, 2] f32
}

const CLIP_EPSILON = 1e-6;

/** A contiguous part of the flat vector that a step replaces. */
interface Piece {
  readonly offset: number;
  readonly size: number;
  readonly values: Tensor; // [size] f32
}

/**
 * Runs step `step` and moves the variables.
 *
 * @returns the step's statistics and then its groups' gradient norms before clipping, [S + G] f32; row outputs of the first step [B].
 * Where one of the numbers is not finite the variables stay as they are, or, with `clip`, take a step with a clipped gradient.
 */
export function runStep(
  tf: TensorFlow,
  options: StepFunctionOptions,
  step: number,
  inputs: StepInputs,
): Tensor[] {
  const { objective, variables, nonFinite } = options;
  const layout = modelLayout(options.model);
  const entries = unpackParameters(tf, layout, variables.parameters);
  const scope = createScope(tf, options, entries, inputs);
  const members = objective.steps[step].groups.map((name) => groupOf(objective, layout, name));
  const {
    stats: lossStats,
    rowOutputs,
    gradients,
  } = differentiate(tf, options, step, scope, entries, members);
  const norms = gradients.map((gradient) => normOf(tf, gradient));
  const stats = tf.concat([...lossStats, ...norms.map((norm) => tf.reshape(norm, [1]))]);
  const areFinite = tf.all(tf.isFinite(stats)); // [] bool
  const moved = members.map((member, k) => {
    const finite = nonFinite === 'clip' ? keepFinite(tf, gradients[k], areFinite) : gradients[k];
    const norm = nonFinite === 'clip' ? normOf(tf, finite) : norms[k];
    const clipped = clipToNorm(tf, finite, norm, member.group.maxGradNorm);
    return adam(tf, member, variables, clipped, inputs, objective);
  });
  const allowed = nonFinite === 'clip' ? null : areFinite;
  const pieces = (name: 'parameters' | 'm' | 'v') => moved.map((piece) => piece[name]);
  const stepped = replace(tf, variables.parameters, pieces('parameters'), allowed);
  variables.parameters.assign(blend(tf, options, step, layout, stepped, scope, allowed));
  variables.m.assign(replace(tf, variables.m, pieces('m'), allowed));
  variables.v.assign(replace(tf, variables.v, pieces('v'), allowed));
  return [stats, ...rowOutputs];
}

/** The step's loss, differentiated by its groups' entries. */
function differentiate(
  tf: TensorFlow,
  { objective, losses }: StepFunctionOptions,
  step: number,
  scope: TensorScope,
  entries: ParameterTensors,
  members: readonly GroupMember[],
) {
  const { stats: statNames } = objective.steps[step];
  const names = members.flatMap(({ entries: own }) => own.map(({ name }) => name));
  const differentiated = losses[step](scope);
  if (names.length === 0) {
    const result = differentiated(); // nothing is differentiated
    return {
      stats: statNames.map((name) => tf.reshape(result.stats[name], [1])),
      rowOutputs: step === 0 ? objective.rowOutputs.map((name) => rowOutput(result, name)) : [],
      gradients: [],
    };
  }
  const kept: Tensor[] = []; // the engine frees what the function does not return, and it may return one tensor only
  const { grads } = tf.engine().gradients(
    () => {
      const result: StepLoss = differentiated();
      for (const name of statNames) kept.push(tf.keep(tf.reshape(result.stats[name], [1])));
      if (step === 0) for (const name of objective.rowOutputs) kept.push(tf.keep(rowOutput(result, name)));
      return result.loss;
    },
    names.map((name) => entries[name]),
    undefined as never,
    true,
  );
  const byName = Object.fromEntries(names.map((name, k) => [name, grads[k] ?? undefined]));
  const copies = kept.map((tensor) => tf.clone(tensor));
  for (const tensor of kept) tensor.dispose();
  return {
    stats: copies.slice(0, statNames.length),
    rowOutputs: copies.slice(statNames.length),
    gradients: members.map(({ local }) => packParameters(tf, local, byName)),
  };
}

/** Targets follow what was just stepped. */
function blend(
  tf: TensorFlow,
  { model, objective }: StepFunctionOptions,
  step: number,
  layout: ModelLayout,
  stepped: Tensor,
  scope: TensorScope,
  allowed: Tensor | null,
): Tensor {
  const pieces = objective.steps[step].blends.map(({ target, tau }): Piece => {
    const to = layout.ranges[target];
    const from = layout.ranges[model.targets[target]];
    const old = tf.slice(stepped, [to.offset], [to.size]);
    const difference = tf.sub(tf.slice(stepped, [from.offset], [from.size]), old);
    return { ...to, values: tf.add(old, tf.mul(difference, scope.scalar(tau))) };
  });
  return replace(tf, stepped, pieces, allowed);
}

function rowOutput({ rowOutputs }: StepLoss, name: string): Tensor {
  const output = rowOutputs?.[name];
  if (output === undefined)
    throw new TypeError(`Expected the row output ${name} of the objective's first step.`);
  return output;
}

interface GroupMember {
  readonly group: OptimizerGroup;
  readonly index: number;
  readonly offset: number;
  readonly size: number;
  readonly entries: readonly ParameterEntry[];
  /** The entries with offsets from the group's beginning. */
  readonly local: { readonly entries: readonly ParameterEntry[]; readonly size: number };
}

function groupOf(objective: ObjectiveSpec, layout: ModelLayout, name: string): GroupMember {
  const index = objective.groups.findIndex((group) => group.name === name);
  const group = objective.groups[index];
  const ranges = group.networks.map((network) => layout.ranges[network]);
  const { offset } = ranges[0];
  const size = ranges.reduce((sum, range) => sum + range.size, 0);
  const entries = layout.entries.filter((entry) => entry.offset >= offset && entry.offset < offset + size);
  const local = { entries: entries.map((entry) => ({ ...entry, offset: entry.offset - offset })), size };
  return { group, index, offset, size, entries, local };
}

function createScope(
  tf: TensorFlow,
  { model, objective }: StepFunctionOptions,
  entries: ParameterTensors,
  { columns, noises, statistics, scalars }: StepInputs,
): TensorScope {
  const column = (name: string): Tensor => columns[objective.columns.findIndex((each) => each.name === name)];
  return {
    tf,
    column,
    vector: (name) => tf.reshape(column(name), [-1]),
    apply(network, inputs, noise) {
      const at = (objective.noises ?? []).findIndex(
        (draw) => draw.name === noise && draw.network === network,
      );
      if (noise !== undefined && at < 0)
        throw new TypeError(`Expected a noise of ${network} among the objective's, got ${noise}.`);
      const parameters = noise === undefined ? entries : perturbNetwork(tf, entries, network, noises[at]);
      return applyNetwork(tf, model, parameters, network, inputs, statistics);
    },
    free: (name) => entries[name],
    scalar: (name) => tf.reshape(tf.slice(scalars, [objective.scalars.indexOf(name)], [1]), []) as Scalar,
  };
}

const normOf = (tf: TensorFlow, gradient: Tensor) => tf.sqrt(tf.sum(tf.square(gradient))) as Scalar;

function clipToNorm(tf: TensorFlow, gradient: Tensor, norm: Scalar, maxGradNorm: number | null): Tensor {
  if (maxGradNorm === null) return gradient;
  return tf.mul(gradient, tf.minimum(tf.div(maxGradNorm, tf.add(norm, CLIP_EPSILON)), 1));
}

/** The gradient as it is where all numbers are finite; else NaN becomes 0, everything else at most +-1e6. */
function keepFinite(tf: TensorFlow, gradient: Tensor, areFinite: Tensor): Tensor {
  const numbers = tf.where(tf.isNaN(gradient), tf.zerosLike(gradient), gradient);
  return tf.where(areFinite, gradient, tf.clipByValue(numbers, -GRADIENT_BOUND, GRADIENT_BOUND));
}

/** Adam with decoupled decay: p (1 - lr decay) - lr' m / (sqrt(v) + epsilon'); see `../adam.ts`. */
function adam(
  tf: TensorFlow,
  { group, index, offset, size }: GroupMember,
  { parameters, m, v }: ObjectiveVariables,
  gradient: Tensor,
  { corrections, scalars }: StepInputs,
  { scalars: names }: ObjectiveSpec,
): { parameters: Piece; m: Piece; v: Piece } {
  const part = (variable: Tensor) => tf.slice(variable, [offset], [size]);
  const correction = (k: number) => tf.reshape(tf.slice(corrections, [index, k], [1, 1]), []);
  const newM = tf.add(tf.mul(part(m), group.adamBeta1), tf.mul(gradient, 1 - group.adamBeta1));
  const newV = tf.add(tf.mul(part(v), group.adamBeta2), tf.mul(tf.square(gradient), 1 - group.adamBeta2));
  const change = tf.mul(tf.div(newM, tf.add(tf.sqrt(newV), correction(1))), correction(0));
  const rate = tf.reshape(tf.slice(scalars, [names.indexOf(group.learningRate)], [1]), []);
  const old = part(parameters);
  const kept = group.weightDecay === 0 ? old : tf.mul(old, tf.sub(1, tf.mul(rate, group.weightDecay)));
  const piece = (values: Tensor): Piece => ({ offset, size, values });
  return { parameters: piece(tf.sub(kept, change)), m: piece(newM), v: piece(newV) };
}

/** A vector with some of its pieces replaced; where `allowed` is false it stays as it is. */
function replace(tf: TensorFlow, vector: Tensor, pieces: readonly Piece[], allowed: Tensor | null): Tensor {
  if (pieces.length === 0) return tf.clone(vector);
  const parts: Tensor[] = [];
  let end = 0;
  const keepTo = (offset: number) => {
    if (offset > end) parts.push(tf.slice(vector, [end], [offset - end]));
  };
  for (const { offset, size, values } of [...pieces].sort((a, b) => a.offset - b.offset)) {
    keepTo(offset);
    parts.push(values);
    end = offset + size;
  }
  keepTo(vector.shape[0] as number);
  const replaced = tf.concat(parts);
  return allowed === null ? replaced : tf.where(allowed, replaced, vector);
}
