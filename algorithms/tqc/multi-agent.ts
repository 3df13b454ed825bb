/** TQC among several agents: SAC's loop there, with critics and losses of its own. */
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { createSoftActorCritics } from '../sac/multi-agent.ts';
import { checkTQC, type ResolvedTQCConfig, tqcOptions } from './config.ts';
import { tqcVariant } from './tqc.ts';

/** @throws ConfigError when environment, policies and options do not fit together. */
export async function createMultiAgentTQC(config: ResolvedTQCConfig): Promise<Algorithm> {
  return createSoftActorCritics(config, { variantOf: tqcVariant, options: tqcOptions, check: checkTQC });
}
