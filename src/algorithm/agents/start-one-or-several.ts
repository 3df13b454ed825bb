/** Whether an algorithm begins among several agents. Loaded with an algorithm's definition, so it loads nothing else. */
import { isMultiAgentSet } from '../../config/blocks/multi-agent.ts';
import { ConfigError } from '../../errors.ts';
import type { Algorithm } from '../algorithm.ts';

/**
 * An environment of several agents is found out about when one is made, unless the section `multiAgent` or `selfPlay` says so before.
 *
 * @throws what the two throw.
 */
export async function startOneOrSeveral(
  {
    multiAgent,
    selfPlay,
  }: {
    readonly multiAgent: Parameters<typeof isMultiAgentSet>[0];
    /** Absent = the algorithm has no self-play. */
    readonly selfPlay?: { readonly selfPlay: string };
  },
  startOne: () => Promise<Algorithm>,
  startSeveral: () => Promise<Algorithm>,
): Promise<Algorithm> {
  if (isMultiAgentSet(multiAgent) || (selfPlay !== undefined && selfPlay.selfPlay !== 'off'))
    return startSeveral();
  try {
    return await startOne();
  } catch (error) {
    if (!(error instanceof ConfigError) || error.code !== 'CONFIG_SEVERAL_AGENTS') throw error;
    return startSeveral();
  }
}
