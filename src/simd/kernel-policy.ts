/**
 * Acting with the kernels: one WebAssembly call per vector step, from raw observations to actions, log-probabilities
 * and values in their rollout rows.
 *
 * How a row is sampled, from its noise u (uniform) or e (standard normal):
 *
 * - categorical: the first k with p_0 + ... + p_k > u, per component; forbidden logits are -1e8 first. Mode: first largest logit.
 * - bernoulli: 1 if u < sigmoid(logit). Mode: logit > 0.
 * - gaussian: mean + exp(logStd) e. Mode: mean.
 * - gsde: mean_a + sum_h latent_h exp(logStd_ha) e_ha. Mode: mean.
 *
 * Behaviours (DQN's, SAC's, TD3's) are sampled in TypeScript: behaviour-policy.ts.
 *
 * Squashed distributions store u before tanh; logProb = log N(u) - sum 2 (log 2 - u - softplus(-2u)), the last being log(1 - tanh(u)^2).
 */
import { ShapeError } from '../errors.ts';
import type { Arena, Region } from '../memory/arena.ts';
import { createRandomActions } from '../policy/distributions/random-action.ts';
import { recurrentStateSize } from '../policy/networks/recurrent-state.ts';
import {
  type ActingDistribution,
  type ActingSpec,
  actionSize,
  distributionSize,
  isBehaviour,
  latentSize,
  noiseSize,
} from '../policy/policy-spec.ts';
import type { ActCall, RowPolicy, ValuesCall } from '../policy/row-policy.ts';
import { statisticsOffset, type WeightBufferLayout } from '../weights/weight-buffer.ts';
import { type BehaviourScratch, createBehaviourPolicy } from './behaviour-policy.ts';
import type { Kernels } from './kernel-exports.ts';
import {
  BLOCK_ROWS,
  type Block,
  chainLayers,
  type DenseLayer,
  type PolicyLayers,
  policyLayers,
  RECORD_BYTES,
  scratchStride,
  writeProgram,
} from './layer-program.ts';
import { createProductPolicy } from './product-policy.ts';
import {
  type CellScratch,
  createCellSteps,
  createRecurrentPolicy,
  planCellScratch,
  writeActCall,
  writeValuesCall,
} from './recurrent-policy.ts';
import { createRowCalls } from './row-calls.ts';

const DESCRIPTOR_WORDS = 41;
const DISTRIBUTION_CODES = { categorical: 0, bernoulli: 1, gaussian: 2, gsde: 3 } as const;
const CLIP_WORD = 16;

interface ScratchPlan {
  readonly blockRows: number;
  readonly descriptor: number;
  readonly segments: number;
  /** [rows, P] f32: outputs of a product of heads, which are sampled in TypeScript. */
  readonly copied: number;
  readonly programs: number;
  readonly observations: Block;
  /** What the first layers read in place of observations; null = the policy has no recurrent cell. */
  readonly cell: CellScratch | null;
  /** Hidden layers alternate between the two. */
  readonly hidden: readonly [Block, Block];
  readonly outputs: Block;
  readonly values: Block;
  readonly weights: number; // probabilities of one categorical, or standard deviations
  readonly spare: number;
  readonly byteLength: number;
}

function planScratch(spec: ActingSpec, rows: number, base: number): ScratchPlan {
  const layers = policyLayers(spec);
  const numOutputs = distributionSize(spec.distribution);
  let end = base;
  const take = (bytes: number) => {
    const address = end;
    end = Math.ceil((end + bytes) / 64) * 64;
    return address;
  };
  const block = (stride: number): Block => ({ address: take(rows * stride), stride });
  const hiddenLayers = [...layers.beforeCells.flat(), ...layers.actorHidden, ...layers.criticHidden];
  const widths = hiddenLayers.map(({ outputs }) => outputs);
  const hiddenStride = scratchStride(Math.max(1, ...widths));
  const numRecords = 2 * (layers.actorHidden.length + layers.criticHidden.length) + 3;
  return {
    blockRows: rows,
    descriptor: take(4 * DESCRIPTOR_WORDS),
    segments: take(4 * actionSize(spec.distribution)),
    copied: spec.distribution.kind === 'product' ? take(4 * rows * numOutputs) : 0,
    programs: take(RECORD_BYTES * numRecords),
    observations: block(scratchStride(spec.observationSize)),
    cell: planCellScratch(spec, rows, take),
    hidden: [block(hiddenStride), block(hiddenStride)],
    outputs: block(4 * numOutputs),
    values: block(4),
    weights: take(4 * Math.max(numOutputs, layers.logStd.size) + 64),
    spare: take(4),
    byteLength: end + 64 - base, // kernels may load up to 60 bytes past the last block
  };
}

/** Kernels compute rows in fours. */
const roundRows = (rows: number) => Math.min(BLOCK_ROWS, Math.ceil(rows / 4) * 4);

/** Bytes of arena scratch that suit calls of `maxRows` rows; larger calls work too, in smaller blocks. */
export function kernelPolicyScratchBytes(spec: ActingSpec, maxRows: number): number {
  return planScratch(spec, roundRows(maxRows), 0).byteLength;
}

/** The largest block that fits the scratch. */
export function fitScratch(spec: ActingSpec, scratch: Region): ScratchPlan {
  for (let rows = BLOCK_ROWS; rows >= 4; rows -= 4) {
    const plan = planScratch(spec, rows, scratch.offset);
    if (plan.byteLength <= scratch.byteLength) return plan;
  }
  throw new ShapeError(
    'SHAPE_POLICY_SCRATCH',
    `Expected at least ${planScratch(spec, 4, 0).byteLength} bytes of scratch for the policy, got ${scratch.byteLength}. Reserve kernelPolicyScratchBytes(spec, maxRows).`,
  );
}

/** A chain of layers through the two hidden blocks; null activations are not kept, nothing flows back. */
function chain(layers: readonly DenseLayer[], head: DenseLayer, from: Block, plan: ScratchPlan, to: Block) {
  const records = chainLayers(layers, from, plan.hidden);
  const input = records.at(-1)?.output ?? from;
  records.push({ layer: head, input, output: to, isDense: true, pre: 0, backward: null });
  return { records, latent: input };
}

function segmentSizes(distribution: ActingDistribution): readonly number[] {
  return distribution.kind === 'categorical' ? distribution.sizes : [];
}

/** -1 = not the kernels': a behaviour. */
function distributionCode({ kind }: ActingDistribution): number {
  return (DISTRIBUTION_CODES as Partial<Record<ActingDistribution['kind'], number>>)[kind] ?? -1;
}

/** Programs of actions, of values beside them, and of values alone; empty where the network has no such head. */
function planPrograms(layers: PolicyLayers, plan: ScratchPlan) {
  const { hasActor, hasCritic } = layers;
  const from = plan.cell?.hidden ?? plan.observations;
  const actor = chain(layers.actorHidden, layers.actorHead, from, plan, plan.outputs);
  const critic = layers.shared
    ? chain([], layers.criticHead, actor.latent, plan, plan.values)
    : chain(layers.criticHidden, layers.criticHead, from, plan, plan.values);
  const valuesOnly = layers.shared
    ? chain(layers.actorHidden, layers.criticHead, from, plan, plan.values)
    : critic;
  const programs = [
    hasActor ? actor.records : [],
    hasCritic ? critic.records : [],
    hasCritic ? valuesOnly.records : [],
  ];
  return { actor, programs };
}

/** Writes the constant words; those of a call (0 to 12) are written by each call. Gives what a behaviour needs to know. */
export function writeDescriptor(
  buffer: ArrayBufferLike,
  spec: ActingSpec,
  weightLayout: WeightBufferLayout,
  plan: ScratchPlan,
): BehaviourScratch {
  const layers = policyLayers(spec);
  const { distribution } = spec;
  const { actor, programs } = planPrograms(layers, plan);
  const addresses: number[] = [];
  let address = plan.programs;
  for (const records of programs) {
    writeProgram(buffer, address, records);
    addresses.push(address);
    address += RECORD_BYTES * records.length;
  }
  const statistics = statisticsOffset(weightLayout);
  const words = new Uint32Array(buffer, plan.descriptor, DESCRIPTOR_WORDS);
  const isProduct = distribution.kind === 'product'; // its outputs are given as the mode of a Gaussian
  const isGaussian = distribution.kind === 'gaussian' || distribution.kind === 'gsde';
  const constants = [
    spec.observationSize, // 13
    spec.observationDtype === 'uint8' ? 1 : 0,
    spec.normalizeObservations ? 1 : 0,
    0, // 16: the clip, as a float
    statistics.mean,
    statistics.inverseStd,
    plan.observations.address,
    plan.observations.stride, // 20
    addresses[0],
    programs[0].length,
    addresses[1],
    programs[1].length,
    plan.outputs.address, // 25
    distributionSize(distribution),
    plan.values.address,
    isProduct ? DISTRIBUTION_CODES.gaussian : distributionCode(distribution),
    isGaussian && distribution.squash ? 1 : 0,
    isProduct ? distributionSize(distribution) : actionSize(distribution), // 30
    plan.segments,
    layers.logStd.offset,
    actor.latent.address,
    actor.latent.stride,
    latentSize(spec), // 35
    plan.weights,
    addresses[2],
    programs[2].length,
    plan.spare,
    plan.blockRows, // 40
  ];
  words.set(constants, 13);
  new Float32Array(buffer, plan.descriptor, DESCRIPTOR_WORDS)[CLIP_WORD] = spec.clipObservation;
  new Int32Array(buffer, plan.segments, actionSize(distribution)).set(segmentSizes(distribution));
  const { descriptor, blockRows, outputs } = plan;
  const [program] = addresses;
  const numLayers = actor.records.length;
  const { latent } = actor;
  return { descriptor, blockRows, program, numLayers, outputs, latent, logStdOffset: layers.logStd.offset };
}

/**
 * Makes the policy of one thread.
 *
 * A row's result does not depend, to the bit, on the number of rows of the call or on its place among them. Nothing is
 * allocated per call. `noise` as {@link noiseSize} says.
 *
 * @throws ShapeError `SHAPE_POLICY_SCRATCH` when the scratch cannot hold a block of four rows.
 * @param scratch {@link kernelPolicyScratchBytes} bytes of the arena, owned by this policy.
 * Thread: any, one policy each. Cost of `act`: about 0.8 us a row for two 2x64 towers.
 */
export function createKernelPolicy(
  kernels: Kernels,
  spec: ActingSpec,
  arena: Arena,
  scratch: Region,
  weightLayout: WeightBufferLayout,
): RowPolicy {
  const plan = fitScratch(spec, scratch);
  const behaviour = writeDescriptor(arena.buffer, spec, weightLayout, plan);
  const { distribution } = spec;
  if (isBehaviour(distribution)) {
    const { cell } = plan;
    const cells = cell === null ? null : createCellSteps(kernels, spec, arena.buffer, { ...plan, cell });
    const acting = { ...spec, distribution };
    return createBehaviourPolicy(kernels, acting, arena.buffer, behaviour, weightLayout, cells);
  }
  const policy =
    plan.cell === null
      ? createSamplingPolicy(kernels, arena.buffer, plan.descriptor)
      : createRecurrentPolicy(kernels, spec, arena.buffer, { ...plan, cell: plan.cell });
  if (distribution.kind === 'product') {
    const place = { ...plan, logStdOffset: behaviour.logStdOffset };
    return createProductPolicy(policy, { ...spec, distribution }, arena.buffer, place, weightLayout);
  }
  return spec.actorOnly === true ? withWarmUp(policy, spec, arena.buffer, weightLayout) : policy;
}

/** Without a value head there is a replay buffer, which random actions may warm up; a recurrent policy's states follow what is seen all the same. */
function withWarmUp(
  policy: RowPolicy,
  spec: ActingSpec,
  buffer: ArrayBufferLike,
  weightLayout: WeightBufferLayout,
): RowPolicy {
  const calls = createRowCalls(buffer, spec, weightLayout);
  const sampleRandom = createRandomActions(spec.distribution, noiseSize(spec));
  const remembers = recurrentStateSize(spec) > 0;
  return {
    ...policy,
    act(call) {
      const isRandom = calls.useExploration(call) && sampleRandom !== null;
      if (!isRandom || remembers) policy.act(call);
      if (isRandom) calls.sampleAll(call, sampleRandom);
    },
  };
}

/** Network and sampling in one call of the kernels. */
function createSamplingPolicy(kernels: Kernels, buffer: ArrayBufferLike, descriptor: number): RowPolicy {
  const words = new Uint32Array(buffer, descriptor, 13);
  return {
    act(call: ActCall) {
      writeActCall(words, call);
      kernels.act(descriptor);
    },
    values(call: ValuesCall) {
      writeValuesCall(words, call);
      kernels.values(descriptor);
    },
  };
}
