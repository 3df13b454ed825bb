/** `operant ray submit`: the learner itself goes to the cluster. */
import { performance } from 'node:perf_hooks';
import { followJob } from '../cluster/jobs/follow-job.ts';
import { packJob } from '../cluster/jobs/job-package.ts';
import type { JobInfo } from '../cluster/jobs/jobs-client.ts';
import { showValue } from '../config/problems.ts';
import { jsonObject, number } from '../config/value-kind.ts';
import { ClusterError, ConfigError } from '../errors.ts';
import { operantVersion } from '../machine/operant-version.ts';
import type { CommandContext } from './command.ts';
import { JSON_FLAG, readFlags } from './command-flags.ts';
import type { FlagSpec, FlagValues } from './flags.ts';
import { interruptSignal } from './interrupt.ts';
import { createOutput, type Output } from './output.ts';
import { CLUSTER_FLAGS, clientOf } from './ray-flags.ts';
import { EXIT } from './report-error.ts';
import { splitCommand } from './split-command.ts';

const USAGE = `Usage: operant ray submit [flags] -- train --env CartPole --algo ppo ...

Sends Operant, the project and what both depend on to a Ray cluster, where a job runs what stands behind \`--\` in the folder that one stands in here, and follows its output. \`train\` gets --runners ray --ray-address auto unless it says otherwise. Ctrl-C ends the following, not the job.`;

const FLAGS: readonly FlagSpec[] = [
  ...CLUSTER_FLAGS,
  {
    name: 'working-dir',
    form: '<folder>',
    doc: 'The project that is sent, without node_modules, runs, coverage and folders of git. [that of the nearest package.json]',
  },
  {
    name: 'python',
    form: '<path>',
    doc: "The cluster's Python that has ray: OPERANT_PYTHON there. [an active virtual environment there, else python3]",
  },
  { name: 'num-cpus', form: '<number>', doc: 'CPUs that the job reserves for the learner. [0]' },
  {
    name: 'resources',
    form: '<json>',
    doc: 'Custom resources of the node that the learner runs on, {"learner": 1}.',
  },
  { name: 'follow', form: '', doc: 'Show what the job writes until it is over. [on]' },
  JSON_FLAG,
];

/** Seconds that a job has to write its last checkpoint when it is told to stop; Ray's own is 3. */
const STOP_SECONDS = '60';

export async function raySubmit(context: CommandContext): Promise<number> {
  const { own, command } = splitCommand(context.argv);
  const flags = readFlags({ ...context, argv: own }, USAGE, FLAGS);
  if (flags === null) return EXIT.done;
  const argv = checkCommand(command);
  const isJson = flags.get('json') === 'true';
  const output = createOutput({ isJson, isQuiet: false }, context.stdout, context.stderr);
  const client = clientOf(flags);
  const request = readRequest(flags);
  const ray = await client.version();
  const begin = performance.now();
  const pack = packJob(flags.get('working-dir') ?? null);
  const workingDir = await client.upload(pack.name, pack.bytes);
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  output.say(
    `Sent ${(pack.bytes.length / 2 ** 20).toFixed(1)} MiB to ${client.address} (Ray ${ray}) in ${seconds} s`,
  );
  const metadata = { operant: operantVersion(), command: argv.join(' ') };
  const id = await client.submit({ ...request, workingDir, metadata, entrypoint: pack.entrypoint(argv) });
  output.say(`Job ${id}: operant ${argv.join(' ')}`);
  if (argv[0] === 'train' && !hasFlag(argv, 'out'))
    output.say(
      "The run folder lies in the job's own folder there, which Ray deletes some time after it has ended: --out names a folder that stays.",
    );
  output.emit({ type: 'submitted', job: id, address: client.address, ray, package: pack.name });
  if (flags.get('follow') === 'false') return EXIT.done;
  const { signal, dispose } = interruptSignal();
  const ended = await followJob(client, id, (text) => void output.human.write(text), signal).finally(dispose);
  return ended === null ? leave(output, id) : report(output, ended);
}

const hasFlag = (argv: readonly string[], name: string) =>
  argv.some((argument) => argument === `--${name}` || argument.startsWith(`--${name}=`));

function checkCommand(command: readonly string[]): readonly string[] {
  const [name = '-'] = command;
  if (name.startsWith('-'))
    throw new ConfigError(
      'CONFIG_COMMAND',
      'What should the job run? `operant ray submit -- train --env CartPole`: a command of operant behind `--`.',
    );
  if (name !== 'train' || hasFlag(command, 'runners')) return command;
  const address = hasFlag(command, 'ray-address') ? [] : ['--ray-address', 'auto'];
  return [...command, '--runners', 'ray', ...address];
}

function readRequest(flags: FlagValues) {
  const python = flags.get('python');
  return {
    environment: {
      RAY_JOB_STOP_WAIT_TIME_S: STOP_SECONDS,
      ...(python === undefined ? {} : { OPERANT_PYTHON: python }),
    },
    numCpus: readValue(flags, 'num-cpus', number({ min: 0 }), 0),
    resources: readValue(flags, 'resources', jsonObject(), {}) as Readonly<Record<string, number>>,
  };
}

function readValue<T>(
  flags: FlagValues,
  name: string,
  {
    schema,
    parse,
    expects,
  }: Pick<ReturnType<typeof number>, 'expects' | 'parse'> & {
    readonly schema: { safeParse(value: unknown): { success: true; data: T } | { success: false } };
  },
  otherwise: T,
): T {
  const text = flags.get(name);
  if (text === undefined) return otherwise;
  const result = schema.safeParse(parse(text));
  if (result.success) return result.data;
  throw new ConfigError('CONFIG_RANGE', `Expected --${name} to be ${expects}, got ${showValue(text)}.`);
}

function leave(output: Output, id: string): number {
  output.say(
    `The job goes on. \`operant ray logs ${id} --follow\` shows what it writes, \`operant ray stop ${id}\` ends it.`,
  );
  return EXIT.interrupted;
}

/** Exit code of a shell that did not find a program. */
const NOT_FOUND = 127;

function report(output: Output, { id, status, message, exitCode }: JobInfo): number {
  output.emit({ type: 'ended', job: id, status, message, exitCode });
  if (status === 'SUCCEEDED') {
    output.say(`Job ${id} is done.`);
    return EXIT.done;
  }
  const isNodeMissing = exitCode === NOT_FOUND || message.includes(`exit code ${NOT_FOUND}`);
  if (isNodeMissing)
    throw new ClusterError(
      'CLUSTER_NO_NODE',
      `Job ${id} found no Node on the cluster's head: install Node ${process.versions.node.split('.')[0]} in its image, on the PATH of its raylet.`,
    );
  if (status === 'STOPPED') {
    output.say(`Job ${id} was stopped.`);
    return EXIT.interrupted;
  }
  const [first = ''] = message.trim().split('\n');
  const why = exitCode === null ? first : `exit code ${exitCode}, its own words stand above`;
  throw new ClusterError('CLUSTER_JOB_FAILED', `Job ${id} failed: ${why}`);
}
