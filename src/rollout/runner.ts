/** A runner: environments, policy and sampler of a range of rows, in whichever thread it is made. */

import { createRowPolicy } from '../acting/row-policies.ts';
import type { EnvFaultHandling, EnvFaultPolicy } from '../env/env-faults.ts';
import type { EnvSource } from '../env/env-source.ts';
import { makeVectorEnv } from '../env/load-env.ts';
import { copyState } from '../env/saved-state.ts';
import { makeStagedEnv, type StagedEnv } from '../env/staged-env.ts';
import type { VectorEnv } from '../env/vector-env.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Arena, Region } from '../memory/arena.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
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
  /** Of the first episodes, laid over the source's, where options may change; null or absent = they never do. */
  readonly envOptions?: JsonObject | null;
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
  /** Episodes that begin from now on have these options, laid over the source's. Only where there were some from the beginning. */
  setEnvOptions(options: JsonObject): void;
  /** Environments that failed and went on, since this was asked last; null = none. */
  takeEnvFaults(): EnvFaultReport | null;
  close(): void;
}

export async function createRunner(options: RunnerOptions): Promise<Runner> {
  const { arena, spec, source, seed, firstRow, numRows, scratch, weights } = options;
  const faultLog = createEnvFaultLog(options.faultPolicy, source, options.sampling.firstEnv + firstRow);
  const { handling } = faultLog;
  const states = options.states ?? freshRows(numRows, options.envOptions);
  const staged = await makeStaged(source, states, handling);
  const vectorEnv = staged?.vectorEnv ?? (await makeVectorEnv(source, numRows, 'same-step', handling));
  const policy = options.acts
    ? createRowPolicy(instantiateKernels(options.kernels, arena.memory), spec, arena, scratch, weights)
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
  const makeSingle = (r: number) =>
    makeVectorEnv(sourceOf(source, staged?.optionsOf(r)), 1, 'same-step', handling);
  const restarted = await restoreRows({ vectorEnv, sampler, spec, seed, makeSingle }, states);
  envStates(vectorEnv, 1); // what a checkpoint cannot hold is found before anything is learned
  return {
    sampler,
    player,
    restarted: restarted.map((r) => firstRow + r),
    takeEnvFaults: faultLog.take,
    envStates: () => envStates(vectorEnv, numRows),
    setEnvOptions(next) {
      if (staged === null) throw new TypeError('The options of these environments never change.');
      staged.setNextOptions(next);
    },
    close() {
      vectorEnv.close?.();
      player.close();
    },
  };
}

function freshRows(numRows: number, envOptions: JsonObject | null = null): readonly RowState[] {
  const row =
    envOptions === null ? FRESH_ROW : { ...FRESH_ROW, envOptions: { running: envOptions, next: envOptions } };
  return Array.from({ length: numRows }, () => row);
}

/** Where options may change; null = they never do. */
async function makeStaged(
  source: EnvSource,
  states: readonly RowState[],
  handling: EnvFaultHandling,
): Promise<StagedEnv | null> {
  const [{ envOptions }] = states;
  if (envOptions === undefined) return null;
  const running = states.map((state) => state.envOptions?.running ?? {});
  return makeStagedEnv(source, { running, next: envOptions.next }, handling);
}

function sourceOf(source: EnvSource, options: JsonObject = {}): EnvSource {
  return { ...source, options: { ...source.options, ...options } };
}

function envStates(vectorEnv: VectorEnv, numRows: number): JsonValue[] {
  return Array.from({ length: numRows }, (_, r) => copyState(vectorEnv.getState?.(r)));
}
