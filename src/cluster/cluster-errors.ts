/** What a failure between here and a host means to the user. */
import { ClusterError } from '../errors.ts';
import type { FailureCode, RequestFailure } from './bridge.ts';

const LATER = 'The last checkpoint is whole: `--resume` goes on from it.';

/** Failures that come back as often as one tries. */
const FINAL = new Set<FailureCode>([
  ...(['NO_RAY', 'VERSION', 'TOKEN', 'NOT_A_NODE', 'RUNTIME_ENV', 'CONNECT', 'NO_NODE'] as const),
]);

export function isFinal({ code }: RequestFailure): boolean {
  return FINAL.has(code);
}

/** The error that ends a run. */
export function toClusterError(failure: RequestFailure, address: string): ClusterError {
  const details = { cause: failure };
  const said = firstLines(failure.message);
  switch (failure.code) {
    case 'NO_RAY':
      return new ClusterError(
        'CLUSTER_NO_RAY',
        `Runners on Ray need a Python with ray and numpy: ${said}. Install them (\`pip install ray numpy\`, the cluster's version), and set OPERANT_PYTHON to that Python or activate its environment.`,
        details,
      );
    case 'VERSION':
      return new ClusterError(
        'CLUSTER_RAY_VERSION',
        `The Ray or Python here is not the cluster's: ${said}. Install the cluster's versions here, and set OPERANT_PYTHON to that Python.`,
        details,
      );
    case 'TOKEN':
      return new ClusterError(
        'CLUSTER_TOKEN',
        `${address} refuses us: it wants a token, and RAY_AUTH_TOKEN (or the file of RAY_AUTH_TOKEN_PATH) here is missing or another one. Set RAY_AUTH_MODE=token and the cluster's token. Ray says: ${said}`,
        details,
      );
    case 'NOT_A_NODE':
      return new ClusterError(
        'CLUSTER_NOT_A_NODE',
        `This machine is no node of a cluster at ${address}: ${said}. Start one (\`ray start --head\`), join it (\`ray start --address HOST:PORT --num-cpus 0\`), use ray://HOST:10001, or send the learner there (\`ray job submit\`).`,
        details,
      );
    case 'RUNTIME_ENV':
      return new ClusterError(
        'CLUSTER_SHIPPING',
        `The cluster did not take what the hosts need: ${said}. Ray's limit for it is 500 MiB; \`rayWorkingDir\` says what is sent.`,
        details,
      );
    case 'NO_NODE':
      return new ClusterError(
        'CLUSTER_NO_NODE',
        `Rollout hosts run Node, and ${said}. Install Node ${process.versions.node.split('.')[0]} in the hosts' image and start their raylets with it on the PATH.`,
        details,
      );
    case 'CONNECT':
      return new ClusterError(
        'CLUSTER_CONNECT',
        `Could not join the cluster at ${address}: ${said}`,
        details,
      );
    case 'BRIDGE_EXITED':
      return new ClusterError(
        'CLUSTER_LOST',
        `The bridge to the cluster at ${address} ended and could not be started again: ${said}. ${LATER}`,
        details,
      );
    default:
      return new ClusterError('CLUSTER_HOST_LOST', `A rollout host was lost: ${said}. ${LATER}`, details);
  }
}

/** Ray's messages go on for pages. */
function firstLines(message: string): string {
  const text = message.trim().replace(/\s+/g, ' ');
  return text.length > 600 ? `${text.slice(0, 600)}...` : text;
}
