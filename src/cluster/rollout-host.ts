/** A host's part of a run: its rows in an arena of its own, collected by worker threads exactly as a local run does. */

import { rowPolicyScratchBytes } from '../acting/row-policies.ts';
import { initializeRollout } from '../experience/layout.ts';
import type { JsonObject } from '../json.ts';
import { type Arena, createArena, createArenaPlanner } from '../memory/arena.ts';
import { reserveControlWords } from '../rollout/control-words.ts';
import type { EnvFaultReport, EnvFaults } from '../rollout/env-fault-log.ts';
import { toErrorMessage } from '../rollout/error-message.ts';
import { createLocalRunnerGroup } from '../rollout/local-runner-group.ts';
import type { RowState } from '../rollout/row-states.ts';
import type { RunnerGroup } from '../rollout/runner-group.ts';
import { reserveSampling, type SamplingLayout } from '../rollout/sampling-layout.ts';
import { loadKernels } from '../simd/loader.ts';
import { publishSlot, reserveWeightBuffer } from '../weights/weight-buffer.ts';
import { differingFiles } from './file-hashes.ts';
import { packRollout } from './fragment.ts';
import type { HostNews, HostPlan, HostReply } from './host-messages.ts';

/** Frames that are answered: the message, and bytes behind it. */
export interface HostAnswer {
  readonly message: HostReply;
  /** Parts, valid until the host is asked for something else. */
  readonly body?: readonly Uint8Array[];
}

export interface RolloutHost {
  start(states: readonly RowState[] | null): Promise<HostAnswer>;
  /** Weights that everything from now on is collected and played with. A slot of the weight buffer, as bytes. */
  useWeights(slot: Uint8Array): void;
  collect(): Promise<HostAnswer>;
  states(): Promise<HostAnswer>;
  /** Episodes that begin from now on have these. Only where some were given from the beginning, by the plan or by states. */
  setEnvOptions(options: JsonObject): Promise<HostAnswer>;
  play(request: Parameters<RunnerGroup['play']>[0], signal: AbortSignal): Promise<HostAnswer>;
  stop(): Promise<void>;
}

export async function createRolloutHost(plan: HostPlan): Promise<RolloutHost> {
  const kernels = await loadKernels({ deterministic: plan.deterministic, native: plan.nativeKernels });
  const { arena, sampling, weights, control, scratch } = reserve(plan);
  const { spec, source, seed, faultPolicy, envOptions } = plan;
  const group = createLocalRunnerGroup({
    plan: {
      ...{ kernels, spec, source, seed, faultPolicy, sampling, weights, control },
      ...{ acts: true, memory: arena.memory, helper: null, envOptions },
    },
    numEnvs: plan.numRows,
    scratch,
    central: null,
    poison: plan.poison,
    deadlineMs: plan.deadlineMs,
    maxRestarts: plan.maxRestarts,
    maxEnvRestarts: Number.POSITIVE_INFINITY, // the learner counts those of all hosts
    restartWindowMs: plan.restartWindowMs,
    memoryMb: plan.memoryMb,
  });
  let version = -1;
  let numCollected = 0;
  return {
    async start(states) {
      await group.start(states);
      const differing = differingFiles(process.cwd(), plan.files);
      return {
        message: { kind: 'started', kernels: kernels.build, differingFiles: differing, ...newsOf(group) },
      };
    },
    useWeights(slot) {
      version = publishSlot(arena.buffer, weights, slot);
    },
    async collect() {
      const { metricSums: sums } = await group.collect(version);
      const address = sampling.setAddresses[numCollected++ % sampling.setAddresses.length];
      const faults = reportOf(group.takeEnvFaults());
      return {
        message: { kind: 'collected', sums, faults, ...newsOf(group) },
        body: packRollout(arena.buffer, address, sampling.rollout),
      };
    },
    async states() {
      const states = await group.getStates();
      return {
        message: { kind: 'states', states: states.map(({ envState }) => envState), ...newsOf(group) },
      };
    },
    async setEnvOptions(options) {
      await group.setEnvOptions(options);
      return { message: { kind: 'options', ...newsOf(group) } };
    },
    async play(request, signal) {
      const played = await group.play(request, signal);
      const faults = reportOf(group.takeEnvFaults());
      return { message: { kind: 'played', played, faults, ...newsOf(group) } };
    },
    stop: () => group.stop(),
  };
}

function reserve(plan: HostPlan) {
  const { spec, numRows, numThreads } = plan;
  const planner = createArenaPlanner();
  const sampling: SamplingLayout = reserveSampling(
    planner,
    spec,
    numRows,
    plan.rolloutLength,
    plan.columns,
    undefined,
    plan.firstRow,
  );
  const control = reserveControlWords(planner, numThreads);
  const scratchBytes = rowPolicyScratchBytes(spec, Math.ceil(numRows / numThreads));
  const scratch = Array.from({ length: numThreads }, () => planner.reserve(scratchBytes));
  const weights = reserveWeightBuffer(planner, plan.parameterCount, spec.observationSize);
  const arena: Arena = createArena(planner);
  for (const address of sampling.setAddresses) initializeRollout(arena.buffer, address, sampling.rollout);
  return { arena, sampling, control, scratch, weights };
}

function newsOf(group: RunnerGroup): HostNews {
  const failures = group.takeFailures().map(({ workerIndex, error, seconds, numProcessesEnded }) => ({
    ...{ workerIndex, seconds, numProcessesEnded },
    error: toErrorMessage(error),
  }));
  return { failures, restarted: group.takeRestarted() };
}

/** An episode without an end is told of by the learner's own ledger. */
function reportOf({ counts, faults }: EnvFaults): EnvFaultReport | null {
  const first = faults
    .filter(({ outcome }) => outcome !== 'endless')
    .map(({ error, outcome }) => ({ error: toErrorMessage(error), outcome }));
  return first.length === 0 ? null : { counts, first };
}
