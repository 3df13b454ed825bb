/** Options of a policy server, what they are by default, and their bounds. */
import { ConfigError } from '../errors.ts';
import { isLoopback } from './access.ts';
import type { ModelSource } from './load-model.ts';
import type { TlsFiles } from './secure-context.ts';

export interface PolicyServerOptions {
  /** Models by name; each a checkpoint, a run folder (its latest) or a pointer file `latest` or `best`. */
  readonly policies: readonly ModelSource[];
  /** @defaultValue 8000; 0 = any free one. */
  readonly port?: number;
  /** Where it listens. Beyond this machine it wants `tokens`. @defaultValue '127.0.0.1' */
  readonly host?: string;
  /** Bearer tokens, any of which opens it. @defaultValue none: everybody who reaches it may act */
  readonly tokens?: readonly string[];
  /** Port of metrics and administration; null = none; 0 = any free one. @defaultValue null */
  readonly adminPort?: number | null;
  /** Where that listens: whoever reaches it and has a token may load checkpoints of this machine. Beyond it, it wants `tokens`. @defaultValue '127.0.0.1' */
  readonly adminHost?: string;
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
  /** Sessions at a time whose state the server keeps for recurrent policies; more get 429. @defaultValue 10000 */
  readonly maxSessions?: number;
  /** A session that has not been used for so long is forgotten, ms. @defaultValue 300000 */
  readonly sessionMs?: number;
  /** Load a model when somebody asks for it first, not at the start. @defaultValue false */
  readonly lazy?: boolean;
  /** Memory of all models together, MiB; those that nobody has asked for longest are dropped, and loaded again when asked for. 0 = any amount. @defaultValue 0 */
  readonly memoryBudgetMib?: number;
  /** Requests a second from one address, twice as many at once; more get 429. 0 = any number. @defaultValue 0 */
  readonly maxRequestsPerSecond?: number;
  /** A newer checkpoint is refused where it acts as the default does in a smaller share of the last 64 requests, 0 to 1. @defaultValue 0 */
  readonly minAgreement?: number;
  /** Processes that answer behind one port, each with all models; limits are shared out among them. 1 = this one. @defaultValue 1 */
  readonly workers?: number;
  /** Longest that a model may take for a batch, ms; one that takes longer is not asked until it has returned. @defaultValue 10000 */
  readonly modelTimeoutMs?: number;
  /** Failures of a model in a row after which it is left alone for `breakerMs`. @defaultValue 5 */
  readonly breakerFailures?: number;
  /** How long a model that failed again and again is left alone, ms. @defaultValue 5000 */
  readonly breakerMs?: number;
  /** Files of a certificate and its key, PEM: https and wss. Read again when they change. @defaultValue null */
  readonly tls?: TlsFiles | null;
  /** Spans through `@opentelemetry/api`, an optional package, to the SDK that the program has registered. @defaultValue false */
  readonly tracing?: boolean;
  /** How often pointers and certificates are looked at for a newer checkpoint, ms; 0 = never. @defaultValue 1000 */
  readonly reloadMs?: number;
  /** One JSON object a line. @defaultValue nothing is told */
  readonly log?: (line: string) => void;
}

export type ServerSettings = Required<Omit<PolicyServerOptions, 'log' | 'defaultPriority'>> & {
  readonly log?: (line: string) => void;
  readonly defaultPriority?: number;
};

export const SERVER_DEFAULTS = {
  port: 8000,
  host: '127.0.0.1',
  tokens: [],
  adminPort: null,
  adminHost: '127.0.0.1',
  numPriorities: 2,
  maxQueued: 1024,
  timeoutMs: 1000,
  maxBatchRows: 64,
  maxBodyBytes: 2 ** 20,
  maxConnections: 1024,
  maxRequestsPerSecond: 0,
  lazy: false,
  memoryBudgetMib: 0,
  maxSessions: 10_000,
  sessionMs: 300_000,
  modelTimeoutMs: 10_000,
  breakerFailures: 5,
  breakerMs: 5_000,
  minAgreement: 0,
  workers: 1,
  tls: null,
  tracing: false,
  reloadMs: 1000,
} as const;

/** @throws ConfigError `CONFIG_SERVE` naming the option, its bound and its value. */
export function checkSettings(settings: ServerSettings): void {
  const {
    policies,
    host,
    adminHost,
    tokens,
    adminPort,
    numPriorities,
    defaultPriority = numPriorities,
  } = settings;
  const refuse = (message: string) => new ConfigError('CONFIG_SERVE', message);
  if (policies.length === 0)
    throw refuse('Expected at least one policy to serve, got none: give --policy NAME=DIR.');
  const names = policies.map(({ name }) => name);
  const twice = names.find((name, k) => names.indexOf(name) !== k);
  if (twice !== undefined) throw refuse(`Two policies are called \`${twice}\`: give each a name of its own.`);
  const odd = names.find((name) => !/^[\w.-]+$/.test(name));
  if (odd !== undefined)
    throw refuse(`Expected a policy's name to have letters, digits, _, . and - alone, got \`${odd}\`.`);
  const open = [host, adminHost].find((address) => !isLoopback(address));
  if (open !== undefined && tokens.length === 0) {
    const message = `Serving on ${open} opens the policies to everybody who reaches this machine: give \`tokens\` (OPERANT_SERVE_TOKEN on the command line), or listen on 127.0.0.1.`;
    throw refuse(message);
  }
  const short = tokens.find((token) => token.length < 16);
  if (short !== undefined)
    throw refuse(`Expected tokens of at least 16 characters, got one of ${short.length}.`);
  const { minAgreement } = settings;
  if (!(minAgreement >= 0 && minAgreement <= 1))
    throw refuse(`Expected \`minAgreement\` to be a number from 0 to 1, got ${minAgreement}.`);
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
  memoryBudgetMib: [0, 1_048_576],
  maxSessions: [1, 1_000_000],
  sessionMs: [1, 86_400_000],
  modelTimeoutMs: [1, 3_600_000],
  breakerFailures: [1, 1_000_000],
  breakerMs: [1, 3_600_000],
  workers: [1, 256],
  reloadMs: [0, 3_600_000],
} as const;
