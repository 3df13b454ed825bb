/** `operant bench-serve`: how much a policy server takes, and what its clients wait. */
import { ConfigError } from '../errors.ts';
import { openFrameLane } from '../serve/load/frame-lane.ts';
import { openJsonLane } from '../serve/load/json-lane.ts';
import { describeModel, type Lane, type LoadTarget, sessionName } from '../serve/load/lane.ts';
import { type LoadOutcome, runLoadTest } from '../serve/load/load-test.ts';
import type { CommandContext } from './command.ts';
import { JSON_FLAG, readFlags, readInteger } from './command-flags.ts';
import type { FlagSpec, FlagValues } from './flags.ts';
import { EXIT } from './report-error.ts';

const USAGE = `Usage: operant bench-serve --url <url> [flags]

Asks a server that operant serve has started, as many clients would, and tells requests a second and latencies. Without --rate every connection asks again as soon as it has its answer. A token comes from the environment variable OPERANT_SERVE_TOKEN. The status is 1 where nothing was answered with 200.`;

const FLAGS: readonly FlagSpec[] = [
  { name: 'url', form: '<url>', doc: 'Of the server: http://127.0.0.1:8000.' },
  { name: 'model', form: '<name>', doc: 'Which one to ask. [its only one]' },
  { name: 'protocol', form: '<json|websocket>', doc: 'POST /act, or binary frames. [json]' },
  { name: 'connections', form: '<integer>', doc: 'At a time. [32]' },
  {
    name: 'rate',
    form: '<integer>',
    doc: 'Requests a second by the clock, whether or not answers come; latency counts from when one is due. [none: a closed loop]',
  },
  { name: 'seconds', form: '<integer>', doc: 'How long. [10]' },
  { name: 'priority', form: '<integer>', doc: 'Of all requests; 0 = the default of the server. [0]' },
  {
    name: 'observation',
    form: '<json>',
    doc: 'As the environment gives it, for json. [a flat row of zeros]',
  },
  { name: 'timeout-ms', form: '<integer>', doc: 'A request without an answer for so long is lost. [10000]' },
  JSON_FLAG,
];

export async function benchServeCommand(context: CommandContext): Promise<number> {
  const flags = readFlags(context, USAGE, FLAGS);
  if (flags === null) return EXIT.done;
  const isSocket = readProtocol(flags) === 'websocket';
  const numConnections = readInteger(flags, 'connections', 1, 65_535) ?? 32;
  const plan = {
    seconds: readInteger(flags, 'seconds', 1) ?? 10,
    rate: readInteger(flags, 'rate', 1) ?? null,
  };
  const target = await readTarget(flags, isSocket);
  const lanes = await Promise.all(
    Array.from({ length: numConnections }, async (_, k) =>
      isSocket ? openFrameLane(target) : openJsonLane(target, sessionName(k)),
    ),
  );
  const outcome = await measure(lanes, plan);
  const about = { url: target.url, model: target.model.name, protocol: isSocket ? 'websocket' : 'json' };
  context.stdout.write(
    flags.get('json') === 'true'
      ? `${JSON.stringify({ ...about, numConnections, rate: plan.rate, priority: target.priority, ...outcome })}\n`
      : `${tell(outcome, `${about.model} at ${about.url} over ${about.protocol}, ${numConnections} connections, ${plan.rate === null ? 'a closed loop' : `${plan.rate} requests/s by the clock`}`)}\n`,
  );
  return outcome.latencyMs === null ? EXIT.failure : EXIT.done;
}

async function measure(
  lanes: readonly Lane[],
  plan: Parameters<typeof runLoadTest>[1],
): Promise<LoadOutcome> {
  try {
    return await runLoadTest(lanes, plan);
  } finally {
    for (const lane of lanes) lane.close();
  }
}

function readProtocol(flags: FlagValues): 'json' | 'websocket' {
  const given = flags.get('protocol') ?? 'json';
  if (given === 'json' || given === 'websocket') return given;
  throw new ConfigError('CONFIG_FLAG', `Expected --protocol to be json or websocket, got ${given}.`);
}

async function readTarget(flags: FlagValues, isSocket: boolean): Promise<LoadTarget> {
  const url = readUrl(flags);
  const observation = readObservation(flags, isSocket);
  const priority = readInteger(flags, 'priority', 0, 255) ?? 0;
  const timeoutMs = readInteger(flags, 'timeout-ms', 1) ?? 10_000;
  const given = process.env.OPERANT_SERVE_TOKEN ?? '';
  const token = given === '' ? null : given;
  const model = await describeModel(url, token, flags.get('model'));
  return { url, token, model, priority, observation, timeoutMs };
}

function readUrl(flags: FlagValues): string {
  const given = flags.get('url');
  if (given === undefined)
    throw new ConfigError('CONFIG_FLAG', 'Which server? Give --url http://127.0.0.1:8000.');
  if (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)) return given.replace(/\/+$/, '');
  throw new ConfigError('CONFIG_FLAG', `Expected --url to be an http or https URL, got ${given}.`);
}

function readObservation(flags: FlagValues, isSocket: boolean): string | null {
  const given = flags.get('observation');
  if (given === undefined) return null;
  if (isSocket)
    throw new ConfigError('CONFIG_FLAG', '--observation is for --protocol json: frames are rows of zeros.');
  try {
    return JSON.stringify(JSON.parse(given));
  } catch {
    throw new ConfigError('CONFIG_FLAG', `Expected --observation to be JSON, got ${given}.`);
  }
}

/** Above this share of a core the client may be what is slow. */
const BUSY = 0.9;

function tell(outcome: LoadOutcome, title: string): string {
  const { seconds, requestsPerSecond, latencyMs, answers, numLost, numUnsent, clientLoad } = outcome;
  const ms = (value: number): string => value.toFixed(value < 10 ? 3 : 1);
  const latencies = Object.entries(latencyMs ?? {}).map(([name, value]) => `${name} ${ms(value)}`);
  const statuses = Object.entries(answers).map(([status, number]) => `${status}: ${number}`);
  return [
    title,
    `requests/s   ${requestsPerSecond.toFixed(0)} in ${seconds.toFixed(1)} s`,
    `latency, ms  ${latencies.join('  ') || 'nothing was answered with 200'}`,
    `answers      ${statuses.join('  ') || 'none'}`,
    `errors       ${numLost} lost${numUnsent > 0 ? `, ${numUnsent} due and not sent: more connections take them` : ''}`,
    ...(clientLoad > BUSY
      ? [
          `This process took ${(100 * clientLoad).toFixed(0)} % of a core: the server may take more. Run several of these at once.`,
        ]
      : []),
  ].join('\n');
}
