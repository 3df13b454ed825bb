/** What the options `initFrom` and its kin ask for, done to an algorithm that has just been made. */
import { existsSync } from 'node:fs';
import type { Algorithm } from '../algorithm/algorithm.ts';
import { type LoadedCheckpoint, loadCheckpoint } from '../checkpoint/load-checkpoint.ts';
import type { runOptions } from '../config/blocks/run.ts';
import type { ResolvedConfig } from '../config/option.ts';
import { ConfigError, isOperantError } from '../errors.ts';

/**
 * Loads what `initFrom` names before anything is started; null = it names nothing.
 *
 * @throws ConfigError `CONFIG_INIT_FROM` for a policy that was exported; CheckpointError as `loadCheckpoint`.
 */
export async function prepareWarmStart({
  checkpointing,
}: Pick<ResolvedConfig<typeof runOptions>, 'checkpointing'>): Promise<
  ((algorithm: Algorithm) => void) | null
> {
  const { initFrom, initNetworks: networks, initOptimizer: optimizer, initPolicies } = checkpointing;
  if (initFrom === null) return null;
  const policies = initPolicies as Readonly<Record<string, string>> | null;
  const { path, content } = await load(initFrom);
  return (algorithm) => {
    if (algorithm.initializeFrom === undefined) {
      const message = `Algorithm \`${algorithm.name}\` cannot be initialised from a checkpoint: leave initFrom (${initFrom}) out.`;
      throw new ConfigError('CONFIG_INIT_FROM', message);
    }
    algorithm.initializeFrom(content, path, { networks, optimizer, policies });
  };
}

/** What these say of a file or folder that is there, but is no whole checkpoint. */
const NO_CHECKPOINT = ['CHECKPOINT_POINTER', 'CHECKPOINT_NOT_FOUND', 'CHECKPOINT_FILE_MISSING'];

async function load(initFrom: string): Promise<LoadedCheckpoint> {
  try {
    return await loadCheckpoint(initFrom, { withSegments: false });
  } catch (error) {
    if (!isOperantError(error) || !NO_CHECKPOINT.includes(error.code) || !existsSync(initFrom)) throw error;
    const message =
      `initFrom \`${initFrom}\` is no checkpoint: ${error.message}. It takes a run folder or a whole checkpoint of one. What \`operant export\` ` +
      'wrote, or the part of a checkpoint that was copied to act elsewhere, lacks what learning goes on from: give the run that it came from.';
    throw new ConfigError('CONFIG_INIT_FROM', message, { cause: error });
  }
}
