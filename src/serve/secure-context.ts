/** A certificate and its key, from files that are read again when they change: renewed certificates need no restart. */
import { readFileSync, statSync } from 'node:fs';
import type { Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import { ConfigError } from '../errors.ts';
import type { Log } from './log.ts';

export interface TlsFiles {
  /** PEM, with the chain behind it. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

interface Pair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface SecureContext {
  current(): Pair;
  /** This server takes new connections with the newest pair. */
  follow(server: Server): void;
  /** Looks at the files. A pair that does not fit together changes nothing and is told. */
  refresh(): void;
}

/** @throws ConfigError `CONFIG_SERVE` for files that cannot be read or do not fit together. */
export function openSecureContext(files: TlsFiles, log: Log): SecureContext {
  const servers: Server[] = [];
  let seen = stampOf(files);
  let pair: Pair;
  try {
    pair = readPair(files);
  } catch (cause) {
    const message = `Cannot serve over TLS with the certificate ${files.cert} and the key ${files.key}: ${reasonOf(cause)}. Expected two PEM files that belong together.`;
    throw new ConfigError('CONFIG_SERVE', message, { cause });
  }
  return {
    current: () => pair,
    follow: (server) => void servers.push(server),
    refresh() {
      const stamp = stampOf(files);
      if (stamp === seen) return;
      seen = stamp;
      try {
        pair = readPair(files);
        for (const server of servers) server.setSecureContext(pair);
        log('info', 'certificate', files as unknown as Record<string, unknown>);
      } catch (cause) {
        log('error', 'certificate', { ...files, reason: reasonOf(cause) });
      }
    },
  };
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

function readPair({ cert, key }: TlsFiles): Pair {
  const pair = { cert: readFileSync(cert), key: readFileSync(key) };
  createSecureContext(pair); // throws where they do not fit together
  return pair;
}

/** Files that are being replaced may be missing for a moment. */
function stampOf({ cert, key }: TlsFiles): string {
  return [cert, key].map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0).join();
}
