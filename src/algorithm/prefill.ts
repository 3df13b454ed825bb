/** Experience that a replay buffer begins with: from random actions, from another run's policy, or recorded. */

import { createActionStoring } from '../acting/action-mapping.ts';
import { jsonDifferences } from '../checkpoint/exact-json.ts';
import type { EnvFaultHandling } from '../env/env-faults.ts';
import { spaceToJson } from '../env/space-json.ts';
import { ConfigError } from '../errors.ts';
import { loadEpisodes } from '../replay/episode-file.ts';
import { appendEpisodes, type RecordedEpisode } from '../replay/recorded-episodes.ts';
import { createEnvFaultLog } from '../rollout/env-fault-log.ts';
import { openPolicyActor } from './load-policy.ts';
import type { OffPolicyConfig } from './off-policy-config.ts';
import type { OffPolicySystem } from './off-policy-system.ts';
import { createPolicyPlayer, createRandomPlayer, recordEpisodes } from './record-episodes.ts';

const DEFAULT_STEPS = 10_000;

/**
 * Fills the replay buffer of a run that begins; a run that resumes has its own. These transitions are no environment steps of the run:
 * neither learningStarts nor schedules see them. Rows get equal parts of them, see {@link appendEpisodes}.
 *
 * @returns transitions that were appended.
 * @throws ConfigError `CONFIG_PREFILL` for experience of other spaces; CheckpointError when the file or checkpoint cannot be used.
 */
export async function prefillReplay(system: OffPolicySystem, config: OffPolicyConfig): Promise<number> {
  const { prefill, prefillSteps } = config.training;
  if (prefill === null) return 0;
  const episodes = await obtainEpisodes(system, config, prefill, prefillSteps ?? DEFAULT_STEPS);
  const { replay, scaling, spec } = system;
  return appendEpisodes(replay, episodes, createActionStoring(spec), scaling.absorb);
}

async function obtainEpisodes(
  system: OffPolicySystem,
  { envRunners, debugging, faultTolerance }: OffPolicyConfig,
  prefill: string,
  numSteps: number,
): Promise<RecordedEpisode[]> {
  const { source, spec } = system;
  if (prefill.endsWith('.safetensors')) return loadEpisodes(prefill);
  const faults = createEnvFaultLog(faultTolerance, source, envRunners.numEnvs);
  const handling: EnvFaultHandling = faults.handling;
  const common = { source, numSteps, seed: debugging.seed, envIndex: envRunners.numEnvs, handling };
  const player = prefill === 'random' ? createRandomPlayer(spec) : await openPlayer(system, prefill);
  const episodes = await recordEpisodes({ ...common, player });
  system.runners.noteEnvFaults(faults.take());
  return episodes;
}

async function openPlayer({ observationSpace, actionSpace }: OffPolicySystem, path: string) {
  const policy = await openPolicyActor(path);
  const spaces = (has: { observationSpace: typeof observationSpace; actionSpace: typeof actionSpace }) => ({
    observationSpace: spaceToJson(has.observationSpace),
    actionSpace: spaceToJson(has.actionSpace),
  });
  const differences = jsonDifferences(spaces(policy), spaces({ observationSpace, actionSpace }));
  if (differences.length > 0) {
    const list = differences.map(({ path: at, first, second }) => `${at}: ${first} there, ${second} here`);
    throw new ConfigError(
      'CONFIG_PREFILL',
      `The policy of \`${path}\` acts in another environment, and cannot prefill this replay buffer: ${list.join('; ')}.`,
    );
  }
  return createPolicyPlayer(policy.spec, policy.createActor(1));
}
