/** Whether there is still a cluster. */
import { ClusterError } from '../errors.ts';
import type { Connection } from './connection.ts';

/** @throws ClusterError `CLUSTER_LOST` when the head does not answer. */
export async function requireHead(connection: Pick<Connection, 'probe'>): Promise<void> {
  await connection.probe().catch((cause: ClusterError) => {
    throw new ClusterError(
      'CLUSTER_LOST',
      `The cluster is gone: ${cause.message} The last checkpoint is whole: \`--resume\` goes on from it.`,
      { cause },
    );
  });
}
