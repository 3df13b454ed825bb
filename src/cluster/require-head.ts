/** Whether there is still a cluster. */
import { ClusterError } from '../errors.ts';
import type { BridgeLink } from './bridge-link.ts';

const RESUME = 'The last checkpoint is whole: `--resume` goes on from it.';

/** @param advice what is left, and what a user may do. @throws ClusterError `CLUSTER_LOST` when the head does not answer. */
export async function requireHead(link: Pick<BridgeLink, 'probe'>, advice: string = RESUME): Promise<void> {
  await link.probe().catch((cause: ClusterError) => {
    throw new ClusterError('CLUSTER_LOST', `The cluster is gone: ${cause.message} ${advice}`, { cause });
  });
}
