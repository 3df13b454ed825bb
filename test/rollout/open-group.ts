/** Runners with everything around them that a run would give them, and random weights. */
import { onTestFinished } from 'vitest';
import { rowPolicyScratchBytes } from '../../src/acting/row-policies.ts';
import { locateNetwork } from '../../src/algorithm/locate-network.ts';
import { createPolicySpec, type PolicyOptions } from '../../src/algorithm/policy-setup.ts';
import type { EnvFaultPolicy } from '../../src/env/env-faults.ts';
import type { EnvModuleSource, EnvSource } from '../../src/env/env-source.ts';
import { makeVectorEnv } from '../../src/env/load-env.ts';
import {
  initializeRollout,
  OFF_POLICY_COLUMNS,
  ON_POLICY_COLUMNS,
  type RolloutColumns,
  type RolloutViews,
} from '../../src/experience/layout.ts';
import type { JsonObject } from '../../src/json.ts';
import { type Arena, createArena, createArenaPlanner } from '../../src/memory/arena.ts';
import { inProcessLayout } from '../../src/policy/networks/attention-parameters.ts';
import type { ActingSpec, BehaviourSpec, PolicySpec } from '../../src/policy/policy-spec.ts';
import { reserveControlWords } from '../../src/rollout/control-words.ts';
import { createInProcessRunnerGroup } from '../../src/rollout/in-process-runner-group.ts';
import { createLocalRunnerGroup } from '../../src/rollout/local-runner-group.ts';
import type { RowState } from '../../src/rollout/row-states.ts';
import type { RunnerOptions } from '../../src/rollout/runner.ts';
import type { RunnerGroup } from '../../src/rollout/runner-group.ts';
import { reserveSampling } from '../../src/rollout/sampling-layout.ts';
import { loadKernels } from '../../src/simd/loader.ts';
import type { Exploration } from '../../src/weights/exploration.ts';
import { openWeightBuffer, reserveWeightBuffer } from '../../src/weights/weight-buffer.ts';
import { randomParameters } from '../reference/policy-specs.ts';

export const POLICY_OPTIONS: PolicyOptions = {
  network: 'mlp',
  networkOptions: {},
  hiddenSizes: [16],
  activation: 'tanh',
  sharedLayers: false,
  convLayers: null,
  orthogonalInit: true,
  hiddenGain: Math.SQRT2,
  policyGain: 0.01,
  valueGain: 1,
  logStdInit: 0,
  squashActions: false,
  useGsde: false,
  gsdeSampleFrequency: -1,
  normalizeObservations: false,
  clipObservation: 10,
};

export interface GroupOptions {
  readonly source: EnvSource;
  readonly numEnvs?: number;
  readonly rolloutLength?: number;
  readonly numEnvRunners?: number;
  readonly seed?: number;
  readonly policy?: Partial<PolicyOptions>;
  readonly deadlineMs?: number;
  readonly maxRestarts?: number;
  readonly restartWindowMs?: number;
  readonly memoryMb?: number;
  /** Default: errors of environments are left to the workers. */
  readonly faultPolicy?: EnvFaultPolicy;
  readonly maxEnvRestarts?: number;
  /** Acts by it, without a value head, and collects what replay needs. */
  readonly behaviour?: BehaviourSpec;
  readonly exploration?: Exploration;
  /** Default: those of replay under a behaviour, else on-policy's. */
  readonly columns?: RolloutColumns;
}

export interface OpenedGroup {
  readonly group: RunnerGroup;
  /** Under a behaviour, one without log-probabilities. */
  readonly spec: PolicySpec;
  readonly arena: Arena;
  readonly parameters: Float32Array;
  /** Publishes the parameters and returns the version. */
  publish(): number;
  /** For a runner of one's own, in this thread. */
  readonly runnerOptions: Omit<RunnerOptions, 'states'>;
}

/** A module source for a file of `fixtures/`. */
export function fixture(file: string, options: object = {}): EnvModuleSource {
  return {
    kind: 'module',
    id: file,
    module: new URL(`./fixtures/${file}.ts`, import.meta.url).href,
    export: 'default',
    vectorExport: null,
    options: options as JsonObject,
    maxEpisodeSteps: null,
    rewardThreshold: null,
  };
}

/** Not started yet; stopped when the test ends. */
export async function openGroup(options: GroupOptions): Promise<OpenedGroup> {
  const { source, numEnvs = 4, rolloutLength = 8, numEnvRunners = 0, seed = 7 } = options;
  const { trouble: _, ...untroubled } = source.options;
  const probe = await makeVectorEnv({ ...source, options: untroubled }, 1);
  const onPolicy = createPolicySpec(probe, { ...POLICY_OPTIONS, ...options.policy }, locateNetwork);
  const { behaviour } = options;
  const spec: ActingSpec =
    behaviour === undefined ? onPolicy : { ...onPolicy, distribution: behaviour, actorOnly: true };
  const columns = options.columns ?? (behaviour === undefined ? ON_POLICY_COLUMNS : OFF_POLICY_COLUMNS);
  probe.close?.();
  const kernels = await loadKernels();
  const planner = createArenaPlanner();
  const sampling = reserveSampling(planner, spec, numEnvs, rolloutLength, columns);
  const numRegions = Math.max(1, numEnvRunners);
  const control = reserveControlWords(planner, numRegions);
  const scratchBytes = rowPolicyScratchBytes(spec, numEnvs);
  const scratch = Array.from({ length: numRegions }, () => planner.reserve(scratchBytes));
  const weights = reserveWeightBuffer(planner, inProcessLayout(spec).size, spec.observationSize);
  const arena = createArena(planner);
  for (const address of sampling.setAddresses) initializeRollout(arena.buffer, address, sampling.rollout);
  const parameters = randomParameters(spec);
  const weightBuffer = openWeightBuffer(arena.buffer, weights);
  const faultPolicy = options.faultPolicy ?? { restartFailedEnvs: 'off', nonFinite: 'stop' };
  const common = { kernels, spec, source, seed, sampling, weights, acts: true, faultPolicy };
  const limits = {
    maxEnvRestarts: options.maxEnvRestarts ?? 100,
    restartWindowMs: options.restartWindowMs ?? 600_000,
  };
  const runnerOptions = { ...common, arena, firstRow: 0, numRows: numEnvs, scratch: scratch[0] };
  const group =
    numEnvRunners === 0
      ? createInProcessRunnerGroup({ ...runnerOptions, ...limits, central: null, poison: true })
      : createLocalRunnerGroup({
          plan: { ...common, source: source as EnvModuleSource, memory: arena.memory, control, helper: null },
          numEnvs,
          scratch,
          central: null,
          poison: true,
          deadlineMs: options.deadlineMs ?? 20_000,
          maxRestarts: options.maxRestarts ?? 5,
          ...limits,
          memoryMb: options.memoryMb ?? null,
        });
  onTestFinished(() => group.stop());
  return {
    group,
    spec: spec as PolicySpec,
    arena,
    parameters,
    publish: () => weightBuffer.publish(parameters, null, null, options.exploration),
    runnerOptions,
  };
}

/** Everything that runners write and anybody may read, as one list of numbers per rollout. */
export function snapshot(rollout: RolloutViews): number[][] {
  const isEnd = (i: number) => rollout.terminated[i] === 1 || rollout.truncated[i] === 1;
  const isCut = (i: number) => rollout.terminated[i] === 0 && rollout.truncated[i] === 1;
  const where = (column: Float32Array | Float64Array | Int32Array, isMeant: (i: number) => boolean) =>
    [...column].map((value, i) => (isMeant(i) ? value : 0));
  return [
    [...rollout.observations],
    [...rollout.actions],
    [...rollout.logProbs],
    [...rollout.values],
    [...rollout.rewards],
    [...rollout.terminated],
    [...rollout.truncated],
    [...rollout.actionMasks],
    where(rollout.finalValues, isCut),
    where(rollout.episodeReturns, isEnd),
    where(rollout.episodeLengths, isEnd),
    [...rollout.bootstrapObservations],
    [...rollout.bootstrapMasks],
    [...rollout.bootstrapValues],
    [...rollout.finalSlots],
    ...finalObservations(rollout),
  ];
}

/** Those of slots in use. */
function finalObservations({
  finalSlots,
  finalObservations,
  numRows,
  observations,
}: RolloutViews): number[][] {
  const size = observations.length / (numRows * Math.max(1, finalSlots.length / numRows));
  return [...finalSlots]
    .filter((slot) => slot >= 0)
    .map((slot) => [...finalObservations.subarray(slot * size, (slot + 1) * size)]);
}

export interface Played {
  readonly rollouts: number[][][];
  readonly metrics: Readonly<Record<string, number>>[];
  readonly episodes: unknown[];
}

/** Starts and plays a few rollouts; the policy changes between them. */
export async function play(
  { group, parameters, publish }: OpenedGroup,
  numRollouts: number,
  states: readonly RowState[] | null = null,
): Promise<Played> {
  await group.start(states);
  return goOn({ group, parameters, publish }, 0, numRollouts);
}

/** Rollouts `first` .. `first + count - 1` of a run that `play` would have made. */
export async function goOn(
  { group, parameters, publish }: Pick<OpenedGroup, 'group' | 'parameters' | 'publish'>,
  first: number,
  count: number,
): Promise<Played> {
  const original = parameters.slice();
  const played: Played = { rollouts: [], metrics: [], episodes: [] };
  for (let k = first; k < first + count; k++) {
    for (let i = 0; i < parameters.length; i++) parameters[i] = original[i] * (1 + 0.1 * k);
    const { rollout, metrics, episodes } = await group.collect(publish());
    played.rollouts.push(snapshot(rollout));
    played.metrics.push(metrics);
    played.episodes.push(episodes);
  }
  parameters.set(original);
  return played;
}
