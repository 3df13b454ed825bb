/** Where everything of the SIMD learner lies in the arena: plain data, so that helper threads can be told. */
import type { ArenaPlanner, Region } from '../../memory/arena.ts';
import type { PolicySpec } from '../../policy/policy-spec.ts';
import { BLOCK_ROWS, policyLayers } from '../../simd/layer-program.ts';
import { type SequenceShape, sequencesPerBlock } from '../epoch-order.ts';
import type { OutputGradientSource } from '../output-gradient.ts';
import { CONTROL_BYTES } from './control.ts';
import { threadScratchBytes } from './tower-plan.ts';

export interface SimdLearnerOptions {
  /** Global norm that gradients are clipped to; null = no clipping. */
  readonly maxGradNorm: number | null;
  /** Default 0.9. */
  readonly adamBeta1?: number;
  /** Default 0.999. */
  readonly adamBeta2?: number;
  /** Default 1e-5. */
  readonly adamEpsilon?: number;
  /** Whether moments are divided by what they lack in the first steps. Absent = true; false, with `adamBeta1` 0, makes RMSProp of Adam. */
  readonly correctsBias?: boolean;
  /** Most epochs that a plan will ask for. */
  readonly maxEpochs: number;
  /** Largest minibatch that a plan will ask for. */
  readonly maxMinibatchSize: number;
  readonly outputGradient: OutputGradientSource;
  /** Of a recurrent policy: steps of the sequences that gradients flow through. It divides the rollout's length and `maxMinibatchSize`. */
  readonly sequenceLength?: number;
  /** Steps before each sequence that only warm its state, as the rollout's layout says. Absent = 0. */
  readonly burnIn?: number;
}

/** Byte addresses in the arena. Owned by the learner while it updates: main thread and helpers as the control words say. */
export interface SimdLearnerLayout {
  readonly numSamples: number;
  readonly maxThreads: number;
  readonly parameterCount: number;
  readonly parameters: number; // f32 [parameterCount]
  readonly m: number; // f32 [parameterCount]
  readonly v: number; // f32 [parameterCount]
  /** One gradient slab per group of blocks, f32 [parameterCount] each. */
  readonly slabs: number;
  readonly slabBytes: number;
  readonly maxGroups: number;
  /** Rows of a block: 64, or those of the sequences that go through a recurrent cell together. */
  readonly blockRows: number;
  /** Of a recurrent policy; null = rows are independent. */
  readonly sequences: SequenceShape | null;
  /** Parameter slices: the unit of reduction and of Adam. */
  readonly numSlices: number;
  readonly sliceBytes: number;
  readonly observationMean: number; // f32 [obsSize]
  readonly observationInverseStd: number; // f32 [obsSize]
  readonly permutations: number; // i32 [maxEpochs, numSamples]
  readonly maxEpochs: number;
  readonly maxMinibatchSize: number;
  /** This epoch's advantages in minibatch order, normalised when the plan says so. */
  readonly advantages: number; // f32 [numSamples]
  readonly control: Region;
  readonly threads: readonly Region[];
}

/** A minibatch's blocks are summed in at most this many groups; part of the arithmetic, so it never follows the machine. */
const MAX_GROUPS = 8;
const MAX_SLICES = 16;
const SLICE_ELEMENTS = 1024;

/** Number of gradient slabs for a minibatch. */
export function numGroupsFor(
  { blockRows }: Pick<SimdLearnerLayout, 'blockRows'>,
  minibatchRows: number,
): number {
  return Math.min(MAX_GROUPS, Math.ceil(minibatchRows / blockRows));
}

/**
 * Reserves the learner's memory in a plan, before the arena exists.
 *
 * @param numSamples N * T of the rollouts it will learn from.
 * @param maxThreads threads that may take part, the main one included. More threads change speed, never results.
 */
export function reserveSimdLearner(
  planner: ArenaPlanner,
  spec: PolicySpec,
  options: SimdLearnerOptions,
  numSamples: number,
  maxThreads = 1,
): SimdLearnerLayout {
  const { parameterCount } = policyLayers(spec);
  const sequences = sequencesFor(spec, options);
  const blockRows = sequences === null ? BLOCK_ROWS : sequences.length * sequences.perBlock;
  const maxGroups = numGroupsFor({ blockRows }, options.maxMinibatchSize);
  // kernels load up to 15 elements past a tensor, so every parameter vector has that much behind it
  const vectorBytes = 4 * parameterCount + 64;
  const take = (bytes: number) => planner.reserve(bytes).offset;
  const numSlices = Math.min(MAX_SLICES, Math.max(1, Math.ceil(parameterCount / SLICE_ELEMENTS)));
  return {
    numSamples,
    maxThreads,
    parameterCount,
    parameters: take(vectorBytes),
    m: take(vectorBytes),
    v: take(vectorBytes),
    slabs: take(vectorBytes * maxGroups),
    slabBytes: vectorBytes,
    maxGroups,
    blockRows,
    sequences,
    numSlices,
    sliceBytes: 64 * Math.ceil(parameterCount / 16 / numSlices),
    observationMean: take(4 * spec.observationSize + 16),
    observationInverseStd: take(4 * spec.observationSize + 16),
    permutations: take(4 * options.maxEpochs * numSamples),
    maxEpochs: options.maxEpochs,
    maxMinibatchSize: options.maxMinibatchSize,
    advantages: take(4 * numSamples),
    control: planner.reserve(CONTROL_BYTES),
    threads: Array.from({ length: maxThreads }, () => planner.reserve(threadScratchBytes(spec, sequences))),
  };
}

/** @throws TypeError when a recurrent policy comes without the length of its sequences. */
function sequencesFor(
  { network }: PolicySpec,
  { sequenceLength, burnIn = 0, maxMinibatchSize }: SimdLearnerOptions,
): SequenceShape | null {
  if (network.kind !== 'recurrent') return null;
  if (sequenceLength === undefined)
    throw new TypeError('Expected `sequenceLength` for a recurrent policy, got none.');
  const perBlock = sequencesPerBlock(maxMinibatchSize, sequenceLength);
  return { length: sequenceLength, perBlock, burnIn };
}
