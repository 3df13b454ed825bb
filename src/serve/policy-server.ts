/** `operant serve` and `createPolicyServer`: trained policies behind HTTP. */

import type { Server } from 'node:http';
import { Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '../errors.ts';
import { isLoopback } from './access.ts';
import { createActServer } from './act-server.ts';
import { createAdminServer } from './admin-server.ts';
import type { Log } from './answers.ts';
import type { ModelSource } from './load-model.ts';
import { createServeMetrics } from './metrics.ts';
import { createModelRepository, type ModelRepository } from './model-repository.ts';
import { openSecureContext, type SecureContext, type TlsFiles } from './secure-context.ts';

export interface PolicyServerOptions {
  /** Models by name; each a checkpoint, a run folder (its latest) or a pointer file `latest` or `best`. */
  readonly policies: readonly ModelSource[];
  /** @defaultValue 8000; 0 = any free one. */
  readonly port?: number;
  /** Where it listens. Beyond this machine it wants `tokens`. @defaultValue '127.0.0.1' */
  readonly host?: string;
  /** Bearer tokens, any of which opens it. @defaultValue none: everybody who reaches it may act */
  readonly tokens?: readonly string[];
  /** Port of metrics and administration, on 127.0.0.1; null = none; 0 = any free one. @defaultValue null */
  readonly adminPort?: number | null;
  /** Levels of priority; 1 is the most urgent. @defaultValue 2 */
  readonly numPriorities?: number;
  /** Of a request that names none. @defaultValue the last level */
  readonly defaultPriority?: number;
  /** Requests that may wait for a model at each level; more are refused with 429. @defaultValue 1024 */
  readonly maxQueued?: number;
  /** Longest that a request waits, ms; a client may ask for less. @defaultValue 1000 */
  readonly timeoutMs?: number;
  /** Rows that go through a model together. @defaultValue 64 */
  readonly maxBatchRows?: number;
  /** Bytes of a request. @defaultValue 1 MiB */
  readonly maxBodyBytes?: number;
  /** Connections at a time. @defaultValue 1024 */
  readonly maxConnections?: number;
  /** Requests a second from one address, twice as many at once; more get 429. 0 = any number. @defaultValue 0 */
  readonly maxRequestsPerSecond?: number;
  /** Longest that a model may take for a batch, ms; one that takes longer is not asked until it has returned. @defaultValue 10000 */
  readonly modelTimeoutMs?: number;
  /** Failures of a model in a row after which it is left alone for `breakerMs`. @defaultValue 5 */
  readonly breakerFailures?: number;
  /** How long a model that failed again and again is left alone, ms. @defaultValue 5000 */
  readonly breakerMs?: number;
  /** Files of a certificate and its key, PEM: https and wss. Read again when they change. @defaultValue null */
  readonly tls?: TlsFiles | null;
  /** How often pointers and certificates are looked at for a newer checkpoint, ms; 0 = never. @defaultValue 1000 */
  readonly reloadMs?: number;
  /** One JSON object a line. @defaultValue nothing is told */
  readonly log?: (line: string) => void;
}

export interface PolicyServer {
  readonly url: string;
  /** null without administration. */
  readonly adminUrl: string | null;
  readonly models: ModelRepository;
  /** Refuses new requests, answers those that it has, and closes; a second later what has sent no whole request is cut off. */
  close(): Promise<void>;
}

const DEFAULTS = {
  port: 8000,
  host: '127.0.0.1',
  tokens: [],
  adminPort: null,
  numPriorities: 2,
  maxQueued: 1024,
  timeoutMs: 1000,
  maxBatchRows: 64,
  maxBodyBytes: 2 ** 20,
  maxConnections: 1024,
  maxRequestsPerSecond: 0,
  modelTimeoutMs: 10_000,
  breakerFailures: 5,
  breakerMs: 5_000,
  tls: null,
  reloadMs: 1000,
} as const;

/** What `createPolicyServer` of the package does. */
export async function createPolicyServer(options: PolicyServerOptions): Promise<PolicyServer> {
  const settings = { ...DEFAULTS, ...options };
  checkSettings(settings);
  const log: Log = (level, event, fields) =>
    options.log?.(JSON.stringify({ time: new Date().toISOString(), level, event, ...fields }));
  const metrics = createServeMetrics();
  const secure = settings.tls === null ? null : openSecureContext(settings.tls, log);
  const models = createModelRepository({ ...settings, maxRows: settings.maxBatchRows, metrics, log });
  for (const source of settings.policies) await models.load(source);
  const defaultPriority = settings.defaultPriority ?? settings.numPriorities;
  const act = createActServer(models, metrics, { ...settings, defaultPriority, secure, log });
  const collect = async () =>
    metrics.collect({ models: models.list(), inFlight: act.inFlight, numWebSockets: act.numWebSockets });
  const admin = settings.adminPort === null ? null : createAdminServer(models, collect, settings);
  await listen(act.server, settings.port, settings.host);
  if (admin !== null && settings.adminPort !== null) {
    await listen(admin, settings.adminPort, '127.0.0.1').catch(async (error: unknown) => {
      await closeServer(act.server);
      throw error;
    });
  }
  const stopWatching = watchFiles(models, secure, settings.reloadMs);
  const url = urlOf(act.server, settings.host);
  log('info', 'listening', { url });
  return {
    url,
    adminUrl: admin === null ? null : urlOf(admin, '127.0.0.1'),
    models,
    async close() {
      stopWatching();
      act.stopAccepting();
      await models.drain();
      act.closeWebSockets();
      await Promise.all([closeServer(act.server), ...(admin === null ? [] : [closeServer(admin)])]);
      metrics.stop();
      log('info', 'closed', {});
    },
  };
}

function checkSettings(
  settings: Required<Omit<PolicyServerOptions, 'log' | 'defaultPriority'>> & PolicyServerOptions,
): void {
  const { policies, host, tokens, adminPort, numPriorities, defaultPriority = numPriorities } = settings;
  const refuse = (message: string) => new ConfigError('CONFIG_SERVE', message);
  if (policies.length === 0)
    throw refuse('Expected at least one policy to serve, got none: give --policy NAME=DIR.');
  const names = policies.map(({ name }) => name);
  const twice = names.find((name, k) => names.indexOf(name) !== k);
  if (twice !== undefined) throw refuse(`Two policies are called \`${twice}\`: give each a name of its own.`);
  const odd = names.find((name) => !/^[\w.-]+$/.test(name));
  if (odd !== undefined)
    throw refuse(`Expected a policy's name to have letters, digits, _, . and - alone, got \`${odd}\`.`);
  if (!isLoopback(host) && tokens.length === 0) {
    const message = `Serving on ${host} opens the policies to everybody who reaches this machine: give \`tokens\` (OPERANT_SERVE_TOKEN on the command line), or listen on 127.0.0.1.`;
    throw refuse(message);
  }
  const short = tokens.find((token) => token.length < 16);
  if (short !== undefined)
    throw refuse(`Expected tokens of at least 16 characters, got one of ${short.length}.`);
  const values = { ...settings, defaultPriority, adminPort: adminPort === null ? 0 : adminPort };
  const counts = { ...COUNTS, defaultPriority: [1, numPriorities] } as const;
  for (const [name, [least, most]] of Object.entries(counts)) {
    const value = values[name as keyof typeof counts];
    if (Number.isInteger(value) && value >= least && value <= most) continue;
    throw refuse(`Expected \`${name}\` to be an integer from ${least} to ${most}, got ${String(value)}.`);
  }
}

const COUNTS = {
  port: [0, 65_535],
  adminPort: [0, 65_535],
  numPriorities: [1, 16],
  maxQueued: [1, 1_000_000],
  timeoutMs: [1, 3_600_000],
  maxBatchRows: [1, 4096],
  maxBodyBytes: [64, 2 ** 30],
  maxConnections: [1, 65_535],
  maxRequestsPerSecond: [0, 1_000_000],
  modelTimeoutMs: [1, 3_600_000],
  breakerFailures: [1, 1_000_000],
  breakerMs: [1, 3_600_000],
  reloadMs: [0, 3_600_000],
} as const;

/** The pointer file is looked at, never a folder: it moves when a checkpoint is whole. */
function watchFiles(models: ModelRepository, secure: SecureContext | null, everyMs: number): () => void {
  if (everyMs === 0) return () => undefined;
  let isBusy = false;
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    secure?.refresh();
    void models.reload().finally(() => {
      isBusy = false;
    });
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const message = `Cannot listen on ${host}:${port} (${cause.code ?? cause.message}). Choose another port.`;
      reject(new ConfigError('CONFIG_SERVE', message, { cause }));
    });
    server.listen(port, host, () => resolve());
  });
}

/** For answers on their way. */
const GRACE_MS = 1_000;

/** A server that closes does not look at timeouts any more: who has sent half a request, or none, would hold it open for ever. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  return `${server instanceof SecureServer ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
