/** `operant ray status`, `logs` and `stop`. */
import { followJob, isOver, waitForEnd } from '../cluster/jobs/follow-job.ts';
import type { JobInfo } from '../cluster/jobs/jobs-client.ts';
import { formatDuration } from '../run/format-number.ts';
import { table } from '../run/text-table.ts';
import type { CommandContext } from './command.ts';
import { JSON_FLAG, readFlags } from './command-flags.ts';
import { interruptSignal } from './interrupt.ts';
import { CLUSTER_FLAGS, clientOf, takeJob } from './ray-flags.ts';
import { EXIT } from './report-error.ts';

const STATUS_USAGE = `Usage: operant ray status [JOB] [flags]

Lists the jobs that were submitted to a Ray cluster, the newest first, or tells all of one.`;

export async function rayStatus(context: CommandContext): Promise<number> {
  const [first = '-'] = context.argv;
  const isNamed = !first.startsWith('-');
  const argv = context.argv.slice(isNamed ? 1 : 0);
  const flags = readFlags({ ...context, argv }, STATUS_USAGE, [...CLUSTER_FLAGS, JSON_FLAG]);
  if (flags === null) return EXIT.done;
  const client = clientOf(flags);
  const ray = await client.version();
  const isJson = flags.get('json') === 'true';
  const told = isNamed ? await client.info(first) : await client.list();
  if (isJson) context.stdout.write(`${JSON.stringify(told, null, 2)}\n`);
  else if (Array.isArray(told)) context.stdout.write(`${listText(told, client.address, ray)}\n`);
  else context.stdout.write(`${jobText(told as JobInfo)}\n`);
  return EXIT.done;
}

function listText(jobs: readonly JobInfo[], address: string, ray: string): string {
  const where = `${address}, Ray ${ray}`;
  if (jobs.length === 0) return `No jobs at ${where}.`;
  const rows = jobs.map((job) => [job.id, job.status, timesOf(job), commandOf(job)]);
  return `${table([['job', 'status', 'time', 'command'], ...rows])}\n\n${jobs.length} jobs at ${where}`;
}

const commandOf = ({ metadata, entrypoint }: JobInfo) =>
  metadata.command === undefined ? entrypoint : `operant ${metadata.command}`;

function timesOf({ startTime, endTime }: JobInfo): string {
  return startTime === null ? '-' : formatDuration(((endTime ?? Date.now()) - startTime) / 1000);
}

function jobText(job: JobInfo): string {
  const at = (time: number | null) => (time === null ? '-' : new Date(time).toISOString());
  return table([
    ['job', job.id],
    ['status', job.status],
    ['command', commandOf(job)],
    ['began', at(job.startTime)],
    ['ended', at(job.endTime)],
    ['took', timesOf(job)],
    ['exit code', job.exitCode === null ? '-' : String(job.exitCode)],
    ['says', job.message.trim().split('\n')[0] || '-'],
  ]);
}

const LOGS_USAGE = `Usage: operant ray logs JOB [flags]

Shows what a job has written so far.`;

export async function rayLogs(context: CommandContext): Promise<number> {
  const follow = { name: 'follow', form: '', doc: 'And what it goes on to write, until it is over.' };
  if (isHelp(context)) return help(context, LOGS_USAGE, [...CLUSTER_FLAGS, follow]);
  const { id, rest } = takeJob(context.argv, 'logs');
  const flags = readFlags({ ...context, argv: rest }, LOGS_USAGE, [...CLUSTER_FLAGS, follow]);
  if (flags === null) return EXIT.done;
  const client = clientOf(flags);
  if (flags.get('follow') !== 'true') {
    context.stdout.write(await client.logs(id));
    return EXIT.done;
  }
  await client.info(id);
  const { signal, dispose } = interruptSignal();
  const ended = await followJob(client, id, (text) => void context.stdout.write(text), signal).finally(
    dispose,
  );
  return ended === null ? EXIT.interrupted : EXIT.done;
}

const STOP_USAGE = `Usage: operant ray stop JOB [flags]

Has a job end: a run writes a checkpoint after its iteration first, for which it has a minute.`;

const STOP_DEADLINE_MS = 90_000;

export async function rayStop(context: CommandContext): Promise<number> {
  if (isHelp(context)) return help(context, STOP_USAGE, CLUSTER_FLAGS);
  const { id, rest } = takeJob(context.argv, 'stop');
  const flags = readFlags({ ...context, argv: rest }, STOP_USAGE, CLUSTER_FLAGS);
  if (flags === null) return EXIT.done;
  const client = clientOf(flags);
  if (!(await client.stop(id))) {
    const { status } = await client.info(id);
    context.stdout.write(`Job ${id} was over before: ${status}.\n`);
    return EXIT.done;
  }
  const job = await waitForEnd(client, id, STOP_DEADLINE_MS);
  context.stdout.write(
    isOver(job) ? `Job ${id}: ${job.status}.\n` : `Job ${id} is still ending: ${job.status}.\n`,
  );
  return isOver(job) ? EXIT.done : EXIT.failure;
}

const isHelp = ({ argv }: CommandContext) => argv.includes('--help') || argv.includes('-h');

function help(context: CommandContext, usage: string, flags: Parameters<typeof readFlags>[2]): number {
  readFlags(context, usage, flags);
  return EXIT.done;
}
