/** What judging a rollout is made of, whatever order its rows go through the network in. */
import type { RolloutViews } from '../../experience/layout.ts';
import type { Arena, Region } from '../../memory/arena.ts';
import { actionDtype, actionSize, type PolicySpec } from '../../policy/policy-spec.ts';
import type { RowPolicy, ValuesCall } from '../../policy/row-policy.ts';
import { createKernelForward, type KernelForward } from '../../simd/kernel-forward.ts';
import { createKernelPolicy, kernelPolicyScratchBytes } from '../../simd/kernel-policy.ts';
import { instantiateKernels, type KernelModule } from '../../simd/kernels.ts';
import type { WeightBufferLayout } from '../../weights/weight-buffer.ts';
import { type GradientChunk, MAX_CHUNK_ROWS } from '../output-gradient.ts';
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
  /** `scorerScratchBytes` of the arena, its own. */
  readonly scratch: Region;
}

/** Bytes of {@link createScoreKernels}. */
export function scoreKernelsBytes(spec: PolicySpec): number {
  return 2 * halfBytes(spec);
}

const halfBytes = (spec: PolicySpec) => Math.ceil(kernelPolicyScratchBytes(spec, MAX_CHUNK_ROWS) / 64) * 64;

export interface ScoreKernels {
  /** The actor: `run` it over rows, then `readLogProbs` of their actions. */
  readonly forward: KernelForward;
  /** Rows of a `run` at most. */
  readonly maxRows: number;
  /** For values. */
  readonly policy: RowPolicy;
  /** Its words are the caller's to set. */
  readonly call: ValuesCall;
  /** Writes log-probabilities of the actions of rows i = first, first + step, ..., as many as were run, to `out[i]`. */
  readLogProbs(
    rollout: Pick<RolloutViews, 'actions' | 'actionMasks'>,
    weightsAddress: number,
    rows: { readonly first: number; readonly step: number; readonly count: number },
    out: Float32Array,
  ): void;
  /** Value of the true last observation of step i, which was truncated. */
  finalValue(rollout: RolloutViews, i: number, stateAddress: number): void;
}

export function createScoreKernels({
  arena,
  kernels,
  spec,
  weightLayout,
  scratch,
}: RolloutScorerParts): ScoreKernels {
  const instance = instantiateKernels(kernels, arena.memory);
  const half = halfBytes(spec);
  const region = (k: number): Region => ({ offset: scratch.offset + k * half, byteLength: half });
  const forward = createKernelForward(instance, spec, arena, region(0), weightLayout);
  const policy = createKernelPolicy(instance, spec, arena, region(1), weightLayout);
  const distribution = createDistributionGradient(spec);
  const [logProbs, entropies] = [new Float64Array(MAX_CHUNK_ROWS), new Float64Array(MAX_CHUNK_ROWS)];
  const A = actionSize(spec.distribution);
  const { actionMaskSize: M, observationSize } = spec;
  const rowBytes = observationSize * (spec.observationDtype === 'uint8' ? 1 : 4);
  const isDiscrete = actionDtype(spec.distribution) === 'int32';
  const actions = new (isDiscrete ? Int32Array : Float32Array)(MAX_CHUNK_ROWS * A); // [rows, A]
  const masks = new Uint8Array(MAX_CHUNK_ROWS * M); // [rows, M] u8
  const call = emptyCall(observationSize);
  let logStdAddress = -1; // of the weights whose deviations the chunk has
  const { outputs: distributionParameters, latent, latentStride } = forward;
  const chunk = { ...emptyChunk(), distributionParameters, latent, latentStride, actions, masks };
  return {
    forward,
    maxRows: Math.min(forward.maxRows, MAX_CHUNK_ROWS),
    policy,
    call,
    readLogProbs(rollout, weightsAddress, { first, step, count }, out) {
      if (weightsAddress !== logStdAddress) {
        chunk.logStd = forward.logStdOf(weightsAddress);
        logStdAddress = weightsAddress;
      }
      for (let r = 0; r < count; r++) {
        const i = first + r * step;
        for (let a = 0; a < A; a++) actions[r * A + a] = rollout.actions[i * A + a];
        for (let m = 0; m < M; m++) masks[r * M + m] = rollout.actionMasks[i * M + m];
      }
      chunk.numRows = count;
      distribution.evaluate(chunk, logProbs, entropies);
      for (let r = 0; r < count; r++) out[first + r * step] = logProbs[r];
    },
    finalValue({ finalObservations, finalSlots, finalValues }, i, stateAddress) {
      call.numRows = 1;
      call.observationAddress = finalObservations.byteOffset + finalSlots[i] * rowBytes;
      call.valueAddress = finalValues.byteOffset + 4 * i;
      call.stateAddress = stateAddress;
      call.movesState = false;
      policy.values(call);
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
    stateAddress: 0,
    movesState: false,
  };
}

/** What evaluating a distribution reads, and nothing of what a loss does. */
function emptyChunk(): { -readonly [K in keyof GradientChunk]: GradientChunk[K] } {
  const none = new Float32Array(0);
  return {
    numRows: 0,
    minibatchRows: 1,
    distributionParameters: none,
    values: none,
    latent: none,
    latentStride: 0,
    logStd: none,
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
