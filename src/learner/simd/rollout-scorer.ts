/** What other weights than those that collected a rollout say of it: log-probabilities of its actions, values of its observations. */
import type { RolloutViews } from '../../experience/layout.ts';
import type { Arena, Region } from '../../memory/arena.ts';
import { actionSize, type PolicySpec } from '../../policy/policy-spec.ts';
import type { ValuesCall } from '../../policy/row-policy.ts';
import { createKernelForward } from '../../simd/kernel-forward.ts';
import { createKernelPolicy, kernelPolicyScratchBytes } from '../../simd/kernel-policy.ts';
import { instantiateKernels, type KernelModule } from '../../simd/kernels.ts';
import type { WeightBufferLayout } from '../../weights/weight-buffer.ts';
import type { GradientChunk } from '../output-gradient.ts';
import { MAX_CHUNK_ROWS } from '../output-gradient.ts';
import { createDistributionGradient } from './distribution-gradient.ts';

export interface RolloutScorer {
  /**
   * @param weightsAddress published weights, or a copy of a slot of them: byte address in the arena.
   * @param out f32 [N, T]: log-probability of each action taken, under the mask it was taken under.
   */
  logProbs(rollout: RolloutViews, weightsAddress: number, out: Float32Array): void;
  /**
   * Overwrites `values`, `bootstrapValues` and, where an episode was truncated, `finalValues` by those of these weights. The rollout must
   * keep its final observations.
   */
  values(rollout: RolloutViews, weightsAddress: number): void;
}

export interface RolloutScorerParts {
  readonly arena: Arena;
  readonly kernels: KernelModule;
  readonly spec: PolicySpec;
  readonly weightLayout: WeightBufferLayout;
  /** {@link scorerScratchBytes} of the arena, its own. */
  readonly scratch: Region;
}

/** Bytes of scratch. */
export function scorerScratchBytes(spec: PolicySpec): number {
  return 2 * halfBytes(spec);
}

const halfBytes = (spec: PolicySpec) => Math.ceil(kernelPolicyScratchBytes(spec, MAX_CHUNK_ROWS) / 64) * 64;

/**
 * For networks that the kernels cover, whatever engine learns. Log-probabilities are computed in float64 from the float32 outputs of the
 * network; they differ from those that acting stores by its float32 rounding.
 *
 * Thread: main. Cost: a forward pass, about 0.5 us a row for two 2x64 towers; allocates nothing per row.
 */
export function createRolloutScorer({
  arena,
  kernels,
  spec,
  weightLayout,
  scratch,
}: RolloutScorerParts): RolloutScorer {
  const instance = instantiateKernels(kernels, arena.memory);
  const half = halfBytes(spec);
  const region = (k: number): Region => ({ offset: scratch.offset + k * half, byteLength: half });
  const forward = createKernelForward(instance, spec, arena, region(0), weightLayout);
  const policy = createKernelPolicy(instance, spec, arena, region(1), weightLayout);
  const distribution = createDistributionGradient(spec);
  const logProbs = new Float64Array(MAX_CHUNK_ROWS);
  const entropies = new Float64Array(MAX_CHUNK_ROWS);
  const A = actionSize(spec.distribution);
  const size = spec.observationSize;
  const rowBytes = size * (spec.observationDtype === 'uint8' ? 1 : 4);
  const call = emptyCall(size);
  return {
    logProbs(rollout, weightsAddress, out) {
      const chunk = emptyChunk(forward.logStdOf(weightsAddress));
      Object.assign(chunk, {
        distributionParameters: forward.outputs,
        latent: forward.latent,
        latentStride: forward.latentStride,
      });
      const count = rollout.numRows * rollout.rolloutLength;
      const maxRows = Math.min(forward.maxRows, MAX_CHUNK_ROWS);
      for (let i = 0; i < count; i += maxRows) {
        chunk.numRows = Math.min(maxRows, count - i);
        forward.run(weightsAddress, rollout.observations.byteOffset + i * rowBytes, chunk.numRows);
        chunk.actions = rollout.actions.subarray(i * A, (i + chunk.numRows) * A);
        const maskSize = spec.actionMaskSize;
        chunk.masks = rollout.actionMasks.subarray(i * maskSize, (i + chunk.numRows) * maskSize);
        distribution.evaluate(chunk, logProbs, entropies);
        for (let r = 0; r < chunk.numRows; r++) out[i + r] = logProbs[r];
      }
    },
    values(rollout, weightsAddress) {
      const { observations, values, bootstrapObservations, bootstrapValues } = rollout;
      const run = (numRows: number, observationAddress: number, valueAddress: number) => {
        Object.assign(call, { weightsAddress, numRows, observationAddress, valueAddress });
        policy.values(call);
      };
      run(rollout.numRows * rollout.rolloutLength, observations.byteOffset, values.byteOffset);
      run(rollout.numRows, bootstrapObservations.byteOffset, bootstrapValues.byteOffset);
      const { truncated, terminated, finalValues, finalSlots, finalObservations } = rollout;
      for (let i = 0; i < truncated.length; i++) {
        if (truncated[i] === 0 || terminated[i] !== 0) continue;
        run(1, finalObservations.byteOffset + finalSlots[i] * rowBytes, finalValues.byteOffset + 4 * i);
      }
    },
  };
}

function emptyCall(observationSize: number): ValuesCall {
  return {
    numRows: 0,
    weightsAddress: 0,
    observationAddress: 0,
    observationStride: observationSize,
    valueAddress: 0,
    valueStride: 1,
    maskAddress: 0,
    maskStride: 0,
  };
}

/** What evaluating a distribution reads, and nothing of what a loss does. */
function emptyChunk(logStd: Float32Array): { -readonly [K in keyof GradientChunk]: GradientChunk[K] } {
  const none = new Float32Array(0);
  return {
    numRows: 0,
    minibatchRows: 1,
    distributionParameters: none,
    values: none,
    latent: none,
    latentStride: 0,
    logStd,
    actions: none,
    masks: new Uint8Array(0),
    oldLogProbs: none,
    oldValues: none,
    advantages: none,
    returns: none,
    scalars: none,
    gradDistributionParameters: none,
    gradValues: none,
    gradLogStd: none,
    stats: new Float64Array(0),
  };
}
