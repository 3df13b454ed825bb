/** Rollout hosts on Ray for a config. Imported on use: whoever trains on one machine loads none of it. */
import { createRayRunnerGroup } from '../cluster/ray-runner-group.ts';
import { ConfigError } from '../errors.ts';
import { createEnvFaultLog } from '../rollout/env-fault-log.ts';
import { createEpisodePlayer } from '../rollout/episode-player.ts';
import type { RunnerGroup } from '../rollout/runner-group.ts';
import { openWeightBuffer } from '../weights/weight-buffer.ts';
import type { RunnerParts, RunnersConfig } from './create-runners.ts';

/** The rollouts of hosts are then taken as they come: any is as good as any other. */
const isLagFree = (config: RunnersConfig & { readonly training?: object }) =>
  config.training !== undefined && 'lag' in config.training && config.training.lag === 'free';

/** @throws ConfigError `CONFIG_RAY` for what hosts cannot do. */
export function createRayRunners(config: RunnersConfig, parts: RunnerParts): RunnerGroup {
  const { envRunners, faultTolerance, debugging, learners } = config;
  const { arena, kernels, spec, source, sampling, columns, weights, central, envOptions } = parts;
  if (source.kind === 'factory')
    throw new ConfigError('CONFIG_RAY', 'A factory function cannot be sent to a host: give a module.');
  if (central !== null)
    throw new ConfigError(
      'CONFIG_RAY',
      `Hosts act with the kernels, which do not cover the network \`${spec.network.kind}\`: use \`network: 'mlp'\` (or a recurrent one), or runners 'local'.`,
    );
  const { restartFailedEnvs, nonFinite } = faultTolerance;
  const faultPolicy = { restartFailedEnvs, nonFinite };
  const { handling } = createEnvFaultLog(faultPolicy, source, 0);
  const player = createEpisodePlayer({
    ...{ kernels, spec, source, handling },
    buffer: arena.buffer,
    weights: openWeightBuffer(arena.buffer, weights),
    weightLayout: weights,
    onStep: undefined,
  });
  const group = createRayRunnerGroup({
    ...{ arena, spec, source, sampling, columns, weights, faultPolicy, envOptions },
    cluster: {
      ...envRunners,
      hostResources: envRunners.hostResources as Readonly<Record<string, number>>,
      hostLabels: envRunners.hostLabels as Readonly<Record<string, string>>,
    },
    seed: debugging.seed,
    poison: debugging.poison,
    numEnvs: envRunners.numEnvs,
    numThreads: envRunners.numEnvRunners,
    isEven: isLagFree(config),
    memoryMb: envRunners.workerMemoryMb,
    kernelBuild: kernels.build,
    nativeKernels: learners.nativeKernels,
    deadlineMs: faultTolerance.workerDeadlineSeconds * 1000,
    maxRestarts: faultTolerance.maxWorkerRestarts,
    maxEnvRestarts: faultTolerance.maxEnvRestarts,
    restartWindowMs: faultTolerance.restartWindowSeconds * 1000,
    playHere: (request, signal) => player.play(request, () => signal?.aborted === true, true),
  });
  return {
    ...group,
    get place() {
      return group.place;
    },
    get isCollecting() {
      return group.isCollecting;
    },
    async stop() {
      player.close();
      await group.stop();
    },
  };
}
