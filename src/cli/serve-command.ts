/** `operant serve`: trained policies behind HTTP. */
import { flagName } from '../config/option.ts';
import { showValue } from '../config/problems.ts';
import { number } from '../config/value-kind.ts';
import { ConfigError } from '../errors.ts';
import type { ModelSource } from '../serve/load-model.ts';
import { createPolicyServer } from '../serve/policy-server.ts';
import type { TlsFiles } from '../serve/secure-context.ts';
import type { PolicyServerOptions } from '../serve/server-settings.ts';
import type { CommandContext } from './command.ts';
import { readFlags, readInteger } from './command-flags.ts';
import type { FlagSpec, FlagValues } from './flags.ts';
import { EXIT } from './report-error.ts';

const USAGE = `Usage: operant serve --policy [NAME=]<folder>[,NAME=<folder>...] [flags]

Serves policies over HTTP: POST /act with JSON, the open inference protocol v2, a page to try them at /. A run folder's newest checkpoint is taken up as soon as its pointer moves. A token, where one is wanted, comes from the environment variable OPERANT_SERVE_TOKEN.`;

export const SERVE_FLAGS: readonly FlagSpec[] = [
  {
    name: 'policy',
    form: '<[name=]folder>',
    doc: 'A run folder (its latest), a pointer file or a checkpoint, under a name; several with commas between.',
    alsoCalled: ['checkpoint', 'model'],
  },
  { name: 'port', form: '<integer>', doc: 'Where it listens; 0 = any free one. [8000]' },
  { name: 'host', form: '<address>', doc: 'Beyond this machine it wants OPERANT_SERVE_TOKEN. [127.0.0.1]' },
  { name: 'admin-port', form: '<integer>', doc: 'Metrics and administration. [none]' },
  {
    name: 'admin-host',
    form: '<address>',
    doc: 'Where these listen; beyond this machine it wants OPERANT_SERVE_TOKEN. [127.0.0.1]',
  },
  { name: 'num-priorities', form: '<integer>', doc: 'Levels of priority; 1 is the most urgent. [2]' },
  {
    name: 'max-queued',
    form: '<integer>',
    doc: 'Requests that may wait at each level; more get 429. [1024]',
  },
  { name: 'timeout-ms', form: '<integer>', doc: 'Longest that a request waits. [1000]' },
  { name: 'max-batch-rows', form: '<integer>', doc: 'Rows that go through a model together. [64]' },
  { name: 'max-body-bytes', form: '<integer>', doc: 'Size of a request. [1048576]' },
  { name: 'max-connections', form: '<integer>', doc: 'At a time. [1024]' },
  {
    name: 'workers',
    form: '<integer>',
    doc: 'Processes that answer behind the port; limits are shared out among them. [1]',
  },
  {
    name: 'min-agreement',
    form: '<number>',
    doc: 'Share of the last 64 requests in which a newer checkpoint must act as the one before, else it is refused. [0]',
  },
  {
    name: 'max-requests-per-second',
    form: '<integer>',
    doc: 'From one address, twice as many at once; more get 429. 0 = any number. [0]',
  },
  { name: 'lazy', form: '', doc: 'Load a policy when somebody asks for it first.' },
  {
    name: 'memory-budget-mib',
    form: '<integer>',
    doc: 'Of all policies together; those that nobody has asked for longest are dropped until somebody does. 0 = any. [0]',
  },
  {
    name: 'max-sessions',
    form: '<integer>',
    doc: 'Sessions whose state is kept for recurrent policies; more get 429. [10000]',
  },
  { name: 'session-ms', form: '<integer>', doc: 'A session unused for so long is forgotten. [300000]' },
  { name: 'model-timeout-ms', form: '<integer>', doc: 'Longest that a model may take for a batch. [10000]' },
  {
    name: 'breaker-failures',
    form: '<integer>',
    doc: 'Failures of a model in a row after which it is left alone. [5]',
  },
  { name: 'breaker-ms', form: '<integer>', doc: 'For how long. [5000]' },
  { name: 'tls-cert', form: '<file>', doc: 'Certificate (PEM), for https and wss; wants --tls-key.' },
  { name: 'tls-key', form: '<file>', doc: 'Its key (PEM). Both are read again when they change.' },
  {
    name: 'reload-ms',
    form: '<integer>',
    doc: 'How often pointers and certificates are looked at; 0 = never. [1000]',
  },
  {
    name: 'tracing',
    form: '',
    doc: 'Spans of requests through @opentelemetry/api, to the SDK that NODE_OPTIONS=--import=<file> registers.',
  },
  { name: 'trust', form: '', doc: 'Load the modules (networks) that checkpoints name: their code runs.' },
];

export async function serveCommand(context: CommandContext): Promise<number> {
  const flags = readFlags(context, USAGE, SERVE_FLAGS);
  if (flags === null) return EXIT.done;
  const server = await createPolicyServer({
    ...readOptions(flags),
    log: (line) => void context.stdout.write(`${line}\n`),
  });
  context.stderr.write(
    `${server.url}${server.adminUrl === null ? '' : `, administration ${server.adminUrl}`}\n`,
  );
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await server.close();
  return EXIT.done;
}

function readOptions(flags: FlagValues): PolicyServerOptions {
  const given = flags.get('policy');
  if (given === undefined) {
    throw new ConfigError('CONFIG_FLAG', 'Which policy? Give --policy <folder>, or --policy NAME=<folder>.');
  }
  const token = process.env.OPERANT_SERVE_TOKEN ?? '';
  const [host, adminHost] = [flags.get('host'), flags.get('admin-host')];
  return {
    policies: readPolicies(given, flags.get('trust') === 'true'),
    tokens: token === '' ? [] : [token],
    ...(host !== undefined && { host }),
    ...(adminHost !== undefined && { adminHost }),
    lazy: flags.get('lazy') === 'true',
    tracing: flags.get('tracing') === 'true',
    tls: readTls(flags),
    minAgreement: readShare(flags.get('min-agreement')),
    ...Object.fromEntries(
      COUNTS.flatMap((name) => {
        const count = readInteger(flags, flagName(name), 0, MAX_COUNT);
        return count === undefined ? [] : [[name, count]];
      }),
    ),
  };
}

/** Options that a flag of the same name sets; the server says what it takes. */
const COUNTS = [
  ...(['port', 'adminPort', 'numPriorities', 'maxQueued', 'timeoutMs', 'maxBatchRows'] as const),
  ...(['maxBodyBytes', 'maxConnections', 'maxRequestsPerSecond', 'modelTimeoutMs'] as const),
  ...([
    'breakerFailures',
    'breakerMs',
    'workers',
    'reloadMs',
    'maxSessions',
    'sessionMs',
    'memoryBudgetMib',
  ] as const),
] satisfies readonly (keyof PolicyServerOptions)[];
const MAX_COUNT = 2 ** 31;

function readShare(text = '0'): number {
  const value = number({ min: 0, max: 1 });
  const result = value.schema.safeParse(value.parse(text));
  if (result.success) return result.data;
  throw new ConfigError(
    'CONFIG_RANGE',
    `Expected --min-agreement to be ${value.expects}, got ${showValue(text)}.`,
  );
}

function readTls(flags: FlagValues): TlsFiles | null {
  const [cert, key] = [flags.get('tls-cert'), flags.get('tls-key')];
  if (cert === undefined && key === undefined) return null;
  if (cert !== undefined && key !== undefined) return { cert, key };
  const [given, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
  throw new ConfigError('CONFIG_FLAG', `--tls-${given} wants --tls-${missing} beside it.`);
}

/** `cart=runs/a,runs/b`: names before the first `=`, else `default`. */
function readPolicies(text: string, trust: boolean): ModelSource[] {
  return text.split(',').map((part) => {
    const [, name = 'default', path] = /^(?:([\w.-]+)=)?(.*)$/.exec(part) as unknown as [
      string,
      string?,
      string?,
    ];
    return { name, path: path ?? '', trust };
  });
}
