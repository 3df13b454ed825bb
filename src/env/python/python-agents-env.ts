/**
 * Environments of several agents in Python: what the ids `pettingzoo:` stand for.
 *
 * One Python process hosts the environments of a worker and steps them one at a time; every episode begins with its own seed, so a run is the same for any number of
 * workers and resumes exactly, as far as the environment draws from its seed alone. A process that dies is replaced by one that leads all episodes back to where they were.
 */
import { EnvError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import {
  type AgentsKernel,
  type AgentsKernelFactory,
  clearResults,
  seatResults,
} from '../agents/agents-kernel.ts';
import { multiAgentFactory } from '../agents/kernel-multi-agent-env.ts';
import { ofAgent } from '../agents/user-agents-results.ts';
import { choiceSizes, flattenActionSpace } from '../flatten-action.ts';
import { checkNumEnvs } from '../kernel-vector-env.ts';
import { finiteReward, writeMask } from '../user-results.ts';
import type { ObservationArray } from '../vector-env.ts';
import { findPython } from './find-python.ts';
import { AgentsOperation, startAgentsHost } from './python-agents-host.ts';
import { readAgentsOptions } from './python-options.ts';
import { readPicture } from './python-picture.ts';
import { type ReplayedAgentsHost, replayedAgentsHost } from './replayed-agents-host.ts';

/** N environments of several agents in one Python process. @throws ConfigError `CONFIG_PYTHON...`, `CONFIG_ENV_...` */
export const pythonAgentsKernel: AgentsKernelFactory = (numEnvs, given) => {
  const options = readAgentsOptions(given);
  const { reference, python, maxEpisodeSteps } = options;
  const config = options as unknown as JsonObject;
  const start = () => startAgentsHost(findPython(python), reference, config, checkNumEnvs(numEnvs));
  const hosts = replayedAgentsHost(start, reference, numEnvs, options.maxRestarts);
  return createKernel(hosts, reference, numEnvs, maxEpisodeSteps);
};

/** One of them, which can draw itself where Python's can. */
export const pythonAgentsEnv = (options?: JsonObject) =>
  multiAgentFactory(pythonAgentsKernel)({ renderMode: 'rgb_array', ...options });

function createKernel(
  hosts: ReplayedAgentsHost,
  envId: string,
  numEnvs: number,
  maxEpisodeSteps: number | null,
): AgentsKernel {
  const { seats, layout, stateSize, hasPictures } = hosts.host;
  const results = seatResults(seats.length);
  const needsRebuild = new Uint8Array(numEnvs); // [numEnvs] u8, a call of it failed
  const ask = (operation: number, n: number, argument: number, actions?: Float32Array) => {
    try {
      return hosts.ask(operation, n, argument, actions);
    } catch (error) {
      needsRebuild[n] = 1;
      throw error;
    }
  };
  const take = (n: number) => {
    const { rewards, acting, ended } = hosts.host.answers[n];
    clearResults(results);
    results.acting.set(acting);
    results.ended.set(ended);
    for (let s = 0; s < seats.length; s++) results.rewards[s] = rewardOf(rewards[s], seats[s].name);
  };
  const parts = seats.map(({ actionSpace, masksActions }) =>
    masksActions === true ? choiceSizes(flattenActionSpace(actionSpace)) : [],
  );
  return {
    envId,
    numEnvs,
    seats,
    results,
    maxEpisodeSteps,
    ...(stateSize > 0 && {
      stateSize,
      writeState: (n: number, out: Float32Array, offset: number) => {
        copyFinite(hosts.host.answers[n].state, 'state', out, offset);
      },
    }),
    reset(n, seed) {
      const operation = needsRebuild[n] === 1 ? AgentsOperation.REBUILD : AgentsOperation.RESET;
      ask(operation, n, seed);
      needsRebuild[n] = 0;
      take(n);
    },
    step(n, actions, offset) {
      ask(AgentsOperation.STEP, n, 0, actions.subarray(offset, offset + layout.actionStride));
      take(n);
    },
    writeObservation(n, s, out, offset) {
      if (hosts.host.answers[n].hasSeen[s] === 0) ask(AgentsOperation.OBSERVE, n, s);
      try {
        copyFinite(hosts.host.answers[n].observations[s], 'observation', out, offset);
      } catch (error) {
        throw error instanceof EnvError ? ofAgent(error, seats[s].name) : error;
      }
    },
    writeMask(n, s, out, offset) {
      try {
        writeMask(hosts.host.answers[n].masks[s], parts[s], out, offset, 'action_mask');
      } catch (error) {
        throw error instanceof EnvError ? ofAgent(error, seats[s].name) : error;
      }
    },
    reportMetrics(n, onMetric) {
      const { metrics, numMetrics } = hosts.host.answers[n];
      for (let k = 0; k < numMetrics; k++) onMetric(hosts.host.nameOf(metrics[2 * k]), metrics[2 * k + 1]);
    },
    ...(hasPictures && {
      render: (n: number) => readPicture(hosts.ask(AgentsOperation.RENDER, n, 0) ?? {}),
    }),
    close: () => hosts.host.process.close(),
  };
}

function rewardOf(reward: number, agent: string): number {
  if (reward === 0) return 0;
  try {
    return finiteReward(reward, false, []);
  } catch (error) {
    throw error instanceof EnvError ? ofAgent(error, agent) : error;
  }
}

function copyFinite(row: ArrayLike<number>, what: string, out: ObservationArray, offset: number): void {
  for (let k = 0; k < row.length; k++) {
    out[offset + k] = row[k];
    if (Number.isFinite(row[k])) continue;
    throw new EnvError(
      'ENV_OBSERVATION_NON_FINITE',
      `Expected finite numbers, got ${row[k]} as element ${k} of the flat ${what}.`,
    );
  }
}
