/** The policy that a thread acts with, over rows in the arena: on the kernels, or in plain TypeScript where they do not cover the network. */
import type { Arena, Region } from '../memory/arena.ts';
import { type ActingSpec, actsInRunners, isBehaviour } from '../policy/policy-spec.ts';
import type { RowPolicy } from '../policy/row-policy.ts';
import type { Kernels } from '../simd/kernel-exports.ts';
import { createKernelPolicy, kernelPolicyScratchBytes } from '../simd/kernel-policy.ts';
import type { WeightBufferLayout } from '../weights/weight-buffer.ts';
import { createAttentionPolicy } from './attention-policy.ts';

/** Bytes of scratch that {@link createRowPolicy} needs; 0 also for networks that runners do not act with. */
export function rowPolicyScratchBytes(spec: ActingSpec, maxRows: number): number {
  const { network } = spec;
  return network.kind === 'attention' || !actsInRunners(network)
    ? 0
    : kernelPolicyScratchBytes(spec, maxRows);
}

/** @param scratch {@link rowPolicyScratchBytes} bytes of the arena, owned by this policy. */
export function createRowPolicy(
  kernels: Kernels,
  spec: ActingSpec,
  arena: Arena,
  scratch: Region,
  weightLayout: WeightBufferLayout,
): RowPolicy {
  const { network, distribution } = spec;
  if (network.kind !== 'attention') return createKernelPolicy(kernels, spec, arena, scratch, weightLayout);
  if (isBehaviour(distribution) || distribution.kind === 'gsde')
    throw new TypeError(`Expected another distribution for attention than ${distribution.kind}.`);
  return createAttentionPolicy({ ...spec, network, distribution }, arena.buffer, weightLayout);
}
