/** A runner of several agents in this thread, with freshly drawn networks: enough to look at what it collects. */

import { createAgentsEnvs } from '../../../src/env/agents/agents-envs.ts';
import type { MultiAgentEnv } from '../../../src/env/agents/multi-agent-env.ts';
import { createSeatLayout, type SeatLayout } from '../../../src/env/agents/seat-layout.ts';
import { userAgentsKernel } from '../../../src/env/agents/user-agents-kernel.ts';
import type { EnvFactory } from '../../../src/env/env.ts';
import { factorySource } from '../../../src/env/env-source.ts';
import { flattenActionSpace } from '../../../src/env/flatten-action.ts';
import type { RolloutColumns } from '../../../src/experience/layout.ts';
import { createArena, createArenaPlanner } from '../../../src/memory/arena.ts';
import { initializeParameters } from '../../../src/policy/initialize.ts';
import { mlpParameterLayout } from '../../../src/policy/networks/mlp-parameters.ts';
import type { PolicySpec } from '../../../src/policy/policy-spec.ts';
import { openStream } from '../../../src/random/streams.ts';
import {
  type EnvViews,
  type GroupViews,
  initializeAgents,
  openEnvColumns,
  openGroup,
  reserveAgents,
} from '../../../src/rollout/agents/agents-layout.ts';
import type { AgentsPlan } from '../../../src/rollout/agents/agents-plan.ts';
import { agentsScratchBytes, createAgentsRunner } from '../../../src/rollout/agents/agents-runner.ts';
import type { PolicyPlan } from '../../../src/rollout/agents/policy-plan.ts';
import { type KernelModule, loadKernels } from '../../../src/simd/loader.ts';
import { openWeightBuffer, reserveWeightBuffer } from '../../../src/weights/weight-buffer.ts';

let kernels: KernelModule | undefined;

export interface SmallRunner {
  readonly seats: SeatLayout;
  /** The next rollout: views of each group, and of the environments. */
  collect(): { readonly groups: readonly GroupViews[]; readonly envs: EnvViews };
}

export interface SmallRunnerOptions {
  /** @defaultValue those of on-policy learning */
  readonly columns?: RolloutColumns;
  readonly numEnvs: number;
  readonly rolloutLength: number;
  readonly seed?: number;
  /** Of the layer that gives the actions' logits: one in the millions leaves nothing to chance. */
  readonly policyGain?: number;
}

export function specOf(seats: SeatLayout, g: number, policyGain = 1): PolicySpec {
  const { spaces, observationSize, observationDtype, maskSize } = seats.groups[g];
  const flat = flattenActionSpace(spaces.actionSpace);
  if (flat.kind !== 'categorical') throw new TypeError('Discrete actions only.');
  return {
    observationSize,
    observationDtype,
    observationShape: [observationSize],
    actionMaskSize: maskSize,
    network: { kind: 'mlp', hiddenSizes: [8], activation: 'tanh', shared: false },
    distribution: { kind: 'categorical', sizes: flat.sizes },
    normalizeObservations: false,
    clipObservation: 10,
    initialization: { orthogonal: true, hiddenGain: 1.4, policyGain, valueGain: 1, logStd: 0 },
  };
}

export async function createSmallRunner(
  factory: () => MultiAgentEnv,
  { numEnvs, rolloutLength, seed = 0, policyGain = 1, columns }: SmallRunnerOptions,
): Promise<SmallRunner> {
  const seats = createSeatLayout(createAgentsEnvs(userAgentsKernel(factory, 1, 'probe')).seats);
  const specs = seats.groups.map((_, g) => specOf(seats, g, policyGain));
  const planner = createArenaPlanner();
  const policies: PolicyPlan[] = specs.map((spec, group) => ({
    name: `p${group}`,
    group,
    spec,
    acts: {
      kind: 'network',
      weights: reserveWeightBuffer(planner, mlpParameterLayout(spec).size, spec.observationSize),
      critic: null,
    },
  }));
  const agents: AgentsPlan = {
    layout: reserveAgents(
      planner,
      seats,
      specs,
      specs.map(() => 0),
      numEnvs,
      rolloutLength,
      columns,
    ),
    policies,
    assignment: seats.groupOf.map((g) => [g]),
    league: null,
    keepsAllEnds: columns?.values === true, // as for curiosity
    maxPlayEnvs: 1,
  };
  const scratch = planner.reserve(agentsScratchBytes(agents, numEnvs));
  const arena = createArena(planner);
  initializeAgents(arena.buffer, agents.layout);
  for (const { spec, acts } of policies) {
    if (acts.kind !== 'network') continue;
    const parameters = initializeParameters(spec, mlpParameterLayout(spec), openStream(seed, 'initialize'));
    openWeightBuffer(arena.buffer, acts.weights).publish(parameters, null, null);
  }
  kernels ??= await loadKernels({ deterministic: true, native: false });
  const runner = await createAgentsRunner({
    arena,
    kernels,
    source: factorySource(factory as unknown as EnvFactory),
    seed,
    agents,
    firstRow: 0,
    numRows: numEnvs,
    scratch,
    states: null,
  });
  let numCollected = 0;
  return {
    seats,
    collect() {
      const set = numCollected++ % 2;
      runner.sampler.collect(set, 0);
      return {
        groups: seats.groups.map((_, g) => openGroup(arena.buffer, agents.layout, g, set)),
        envs: openEnvColumns(arena.buffer, agents.layout, set),
      };
    },
  };
}
