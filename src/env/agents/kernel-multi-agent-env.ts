/** The single face of a kernel: one episode at a time, for evaluation by hand, rendering and checks. */
import { EnvError } from '../../errors.ts';
import { flattenAction } from '../flatten-action.ts';
import { unflattenObservation } from '../flatten-space.ts';
import { Box } from '../spaces.ts';
import type { ObservationArray } from '../vector-env.ts';
import { type AgentsEnvs, createAgentsEnvs } from './agents-envs.ts';
import { AgentEnd, type AgentsKernelFactory } from './agents-kernel.ts';
import type { AgentsReset, MultiAgentEnv, MultiAgentEnvFactory } from './multi-agent-env.ts';
import { createSeatLayout, type SeatLayout } from './seat-layout.ts';

/** The factory of single environments of a kernel. Its time limit is applied here, so that `maxEpisodeSteps` need not be. */
export function multiAgentFactory(createKernel: AgentsKernelFactory): MultiAgentEnvFactory {
  return (options) => singleMultiAgentEnv(createAgentsEnvs(createKernel(1, options)));
}

function singleMultiAgentEnv(envs: AgentsEnvs): MultiAgentEnv {
  const { seats, results } = envs;
  const layout = createSeatLayout(seats);
  const actions = new Float32Array(layout.actionStride);
  let isRunning = false;
  return {
    agents: Object.fromEntries(seats.map(({ name, ...spaces }) => [name, spaces])),
    ...(envs.stateSize > 0 && {
      stateSpace: new Box(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, [envs.stateSize]),
      state() {
        const state = new Float32Array(envs.stateSize);
        envs.writeState(0, state, 0);
        return state;
      },
    }),
    reset({ seed = 0 } = {}) {
      envs.reset(0, seed);
      isRunning = true;
      return observe(envs, layout);
    },
    step(given) {
      if (!isRunning)
        throw new EnvError('ENV_STEP_AFTER_END', 'Expected reset before the first step and after an end.');
      for (const [s, { name, actionSpace }] of seats.entries()) {
        if (given[name] !== undefined)
          flattenAction(actionSpace, given[name], actions, layout.actionOffsets[s]);
      }
      envs.step(0, actions, 0);
      isRunning = results.episodeEnd === AgentEnd.NONE;
      const flags = (end: number) =>
        results.episodeEnd === end
          ? true
          : bySeat(
              envs,
              (s) => results.ended[s] === end,
              () => true,
            );
      return {
        ...observe(envs, layout),
        rewards: bySeat(
          envs,
          (s) => results.rewards[s] !== 0,
          (s) => results.rewards[s],
        ),
        terminated: flags(AgentEnd.TERMINATED),
        truncated: flags(AgentEnd.TRUNCATED),
        finalObservations: bySeat(
          envs,
          (s) => results.ended[s] === AgentEnd.TRUNCATED && results.acting[s] === 1,
          (s) => read(layout, envs, s, (out) => envs.writeFinalObservation(0, s, out, 0)),
        ),
      };
    },
    observe: (agent) => {
      const s = layout.names.indexOf(agent);
      return s < 0 ? undefined : read(layout, envs, s, (out) => envs.writeObservation(0, s, out, 0));
    },
    ...(envs.setState !== null && {
      getState: () => envs.getState(0),
      setState: (state) => {
        envs.setState?.(0, state);
        isRunning = true;
      },
    }),
    ...(envs.render !== null && { render: (mode) => envs.render?.(0, mode) ?? '' }),
    close: envs.close,
  };
}

function observe(envs: AgentsEnvs, layout: SeatLayout): AgentsReset {
  const { results, seats } = envs;
  const acts = (s: number) => results.acting[s] === 1;
  const hasEnded = (s: number) =>
    results.ended[s] === AgentEnd.TRUNCATED || results.episodeEnd === AgentEnd.TRUNCATED;
  const metrics: Record<string, number> = {};
  envs.reportMetrics?.(0, (name, value) => {
    metrics[name] = value;
  });
  return {
    observations: bySeat(
      envs,
      (s) => acts(s) || hasEnded(s),
      (s) => read(layout, envs, s, (out) => envs.writeObservation(0, s, out, 0)),
    ),
    acting: seats.flatMap(({ name }, s) => (acts(s) ? [name] : [])),
    actionMasks: bySeat(
      envs,
      (s) => acts(s) && seats[s].masksActions === true,
      (s) => {
        const mask = new Uint8Array(layout.groups[layout.groupOf[s]].maskSize);
        envs.writeMask(0, s, mask, 0);
        return mask;
      },
    ),
    info: {
      outcome: bySeat(
        envs,
        (s) => !Number.isNaN(results.outcomes[s]),
        (s) => results.outcomes[s],
      ),
      ...(Object.keys(metrics).length > 0 && { metrics }),
    },
  };
}

function bySeat<T>(
  { seats }: AgentsEnvs,
  has: (s: number) => boolean,
  of: (s: number) => T,
): Record<string, T> {
  return Object.fromEntries(seats.flatMap(({ name }, s) => (has(s) ? [[name, of(s)] as const] : [])));
}

function read(
  { groups, groupOf }: SeatLayout,
  { seats }: AgentsEnvs,
  s: number,
  write: (out: ObservationArray) => void,
) {
  const { observationSize, observationDtype } = groups[groupOf[s]];
  const row =
    observationDtype === 'uint8' ? new Uint8Array(observationSize) : new Float32Array(observationSize);
  write(row);
  return unflattenObservation(seats[s].observationSpace, row);
}
