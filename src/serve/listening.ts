/** Listening, and coming to an end. */
import type { Server } from 'node:http';
import { Server as SecureServer } from 'node:https';
import { type AddressInfo, createServer, type Server as NetServer } from 'node:net';
import { ConfigError } from '../errors.ts';

/** @throws ConfigError `CONFIG_SERVE`. */
export function listen(server: NetServer, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const message = `Cannot listen on ${host}:${port} (${cause.code ?? cause.message}). Choose another port.`;
      reject(new ConfigError('CONFIG_SERVE', message, { cause }));
    });
    server.listen(port, host, () => resolve());
  });
}

/** A port that nobody listens at. Another program may take it before it is used. @throws ConfigError `CONFIG_SERVE`. */
export async function findFreePort(host: string): Promise<number> {
  const probe = createServer();
  await listen(probe, 0, host);
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => void probe.close(resolve));
  return port;
}

/** For answers on their way. */
const GRACE_MS = 1_000;

/** A server that closes does not look at timeouts any more: who has sent half a request, or none, would hold it open for ever. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

export function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  return `${server instanceof SecureServer ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
