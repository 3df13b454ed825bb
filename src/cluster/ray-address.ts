/** Where the cluster is, whether anybody answers there, and whether we may speak to it without a token. */
import { connect } from 'node:net';
import { ClusterError, ConfigError } from '../errors.ts';
import { hasToken } from './auth-token.ts';

export interface RayAddress {
  /** As Ray takes it. */
  readonly text: string;
  /** null for `auto`: Ray knows it. */
  readonly hostPort: { readonly host: string; readonly port: number } | null;
}

const PROBE_MS = 4_000;
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|::1|\[::1\])$/;

/** @throws ConfigError `CONFIG_RAY_ADDRESS` */
export function parseRayAddress(text: string): RayAddress {
  if (text === 'auto') return { text, hostPort: null };
  const [, host, port] = /^(?:ray:\/\/)?([\w.-]+|\[[0-9a-f:]+\]):(\d{1,5})$/i.exec(text) ?? [];
  if (host === undefined || Number(port) > 65535)
    throw new ConfigError(
      'CONFIG_RAY_ADDRESS',
      `Expected \`rayAddress\` to be HOST:PORT, ray://HOST:PORT or auto, got \`${text}\`. The port is the head's, 6379 unless \`ray start --port\` said otherwise.`,
    );
  return { text, hostPort: { host, port: Number(port) } };
}

/**
 * Ray runs any code of whoever reaches it: off this machine only with a token, or when the user says that the network is private.
 *
 * @throws ClusterError `CLUSTER_TOKEN`
 */
export function requireToken(
  { text, hostPort }: RayAddress,
  insecure: boolean,
  isThere: () => boolean = hasToken,
): void {
  if (insecure || hostPort === null || LOOPBACK.test(hostPort.host) || isThere()) return;
  throw new ClusterError(
    'CLUSTER_TOKEN',
    `${text} is not this machine, and there is no token: whoever reaches a Ray cluster without one runs code on it. Start the cluster with token authentication ` +
      'and set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN (or RAY_AUTH_TOKEN_PATH) here, too; `--insecure` (`insecure: true`) does without, for a private network.',
  );
}

/** @throws ClusterError `CLUSTER_UNREACHABLE` when nobody takes a connection within four seconds. */
export async function probeAddress({ text, hostPort }: RayAddress, deadlineMs = PROBE_MS): Promise<void> {
  if (hostPort === null) return;
  const problem = await new Promise<string | null>((resolve) => {
    const socket = connect({ host: hostPort.host.replace(/^\[|\]$/g, ''), port: hostPort.port });
    const end = (result: string | null) => {
      socket.destroy();
      resolve(result);
    };
    // Whoever was busy until the deadline hears of what came meanwhile first.
    socket.setTimeout(deadlineMs, () => setImmediate(end, `no answer within ${deadlineMs / 1000} s`));
    socket.on('connect', () => end(null));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
  if (problem === null) return;
  throw new ClusterError(
    'CLUSTER_UNREACHABLE',
    `Nobody answers at ${text} (${problem}). Is the cluster up (\`ray status\`), is it the head's address and port, and is it open to this machine?`,
  );
}
