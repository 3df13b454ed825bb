/** A runner: environments, policy and sampler of a range of rows, in whichever thread it is made. */

import type { EnvFaultPolicy } from '../env/env-faults.ts';
import type { EnvSource } from '../env/env-source.ts';
import { makeVectorEnv } from '../env/load-env.ts';
import { copyState } from '../env/saved-state.ts';
import type { VectorEnv } from '../env/vector-env.ts';
import type { JsonValue } from '../json.ts';
import type { Arena, Region } from '../memory/arena.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import { createKernelPolicy } from '../simd/kernel-policy.ts';
import { instantiateKernels, type KernelModule } from '../simd/loader.ts';
import { openWeightBuffer, type WeightBufferLayout } from '../weights/weight-buffer.ts';
import { createEnvFaultLog, type EnvFaultReport } from './env-fault-log.ts';
import { createEpisodePlayer, type EpisodePlayer } from './episode-player.ts';
import { restoreRows } from './restore-rows.ts';
import { FRESH_ROW, type RowState } from './row-states.ts';
import { createSampler, type Sampler } from './sampler.ts';
import type { SamplingLayout } from './sampling-layout.ts';

export interface RunnerOptions {
  readonly arena: Arena;
  readonly kernels: KernelModule;
  readonly spec: ActingSpec;
  readonly source: EnvSource;
  readonly faultPolicy: EnvFaultPolicy;
  readonly seed: number;
  readonly sampling: SamplingLayout;
  readonly weights: WeightBufferLayout;
  readonly acts: boolean;
  readonly firstRow: number;
  readonly numRows: number;
  readonly scratch: Region;
  readonly states: readonly RowState[] | null;
  /** Called after every vector step. */
  readonly onStep?: () => void;
}

export interface Runner {
  readonly sampler: Sampler;
  /** Environments (indices in the whole run) that had to restart their episode. */
  readonly restarted: readonly number[];
  /** Plays evaluation episodes; only a runner that acts can. */
  readonly player: EpisodePlayer;
  envStates(): JsonValue[];
  /** Environments that failed and went on, since this was asked last; null = none. */
  takeEnvFaults(): EnvFaultReport | null;
  close(): void;
}

export async function createRunner(options: RunnerOptions): Promise<Runner> {
  const { arena, spec, source, seed, firstRow, numRows, scratch, weights } = options;
  const faultLog = createEnvFaultLog(options.faultPolicy, source, options.sampling.firstEnv + firstRow);
  const { handling } = faultLog;
  const vectorEnv = await makeVectorEnv(source, numRows, 'same-step', handling);
  const policy = options.acts
    ? createKernelPolicy(instantiateKernels(options.kernels, arena.memory), spec, arena, scratch, weights)
    : null;
  const { buffer } = arena;
  const weightBuffer = openWeightBuffer(buffer, weights);
  const sampler = createSampler({
    vectorEnv,
    firstRow,
    seed,
    spec,
    buffer,
    layout: options.sampling,
    weights: weightBuffer,
    policy,
    ...(options.onStep && { onStep: options.onStep }),
  });
  const { kernels, onStep } = options;
  const player = createEpisodePlayer({
    kernels,
    spec,
    source,
    handling,
    buffer,
    weights: weightBuffer,
    weightLayout: weights,
    onStep,
  });
  const states = options.states ?? Array.from({ length: numRows }, () => FRESH_ROW);
  const makeSingle = () => makeVectorEnv(source, 1, 'same-step', handling);
  const restarted = await restoreRows({ vectorEnv, sampler, spec, seed, makeSingle }, states);
  envStates(vectorEnv, 1); // what a checkpoint cannot hold is found before anything is learned
  return {
    sampler,
    player,
    restarted: restarted.map((r) => firstRow + r),
    takeEnvFaults: faultLog.take,
    envStates: () => envStates(vectorEnv, numRows),
    close() {
      vectorEnv.close?.();
      player.close();
    },
  };
}

function envStates(vectorEnv: VectorEnv, numRows: number): JsonValue[] {
  return Array.from({ length: numRows }, (_, r) => copyState(vectorEnv.getState?.(r)));
}
