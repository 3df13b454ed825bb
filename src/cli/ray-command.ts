/** `operant ray`: runs on a Ray cluster, from outside of it. */
import { nearestName } from '../config/nearest.ts';
import { ConfigError } from '../errors.ts';
import { table } from '../run/text-table.ts';
import type { Command, CommandContext } from './command.ts';
import { EXIT } from './report-error.ts';

interface Action {
  readonly usage: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

const ACTIONS: Readonly<Record<string, Action>> = {
  submit: {
    usage: 'submit [flags] -- train ...',
    summary: 'send the project and have the cluster run a command of operant; its output is followed',
    load: async () => (await import('./ray-submit.ts')).raySubmit,
  },
  status: {
    usage: 'status [JOB] [flags]',
    summary: 'the jobs of the cluster, or one of them',
    load: async () => (await import('./ray-jobs.ts')).rayStatus,
  },
  logs: {
    usage: 'logs JOB [flags]',
    summary: 'what a job has written',
    load: async () => (await import('./ray-jobs.ts')).rayLogs,
  },
  stop: {
    usage: 'stop JOB [flags]',
    summary: 'have a job end, with a checkpoint',
    load: async () => (await import('./ray-jobs.ts')).rayStop,
  },
  manifest: {
    usage: 'manifest kuberay|slurm|vm [flags] [-- train ...]',
    summary: 'a file that starts a cluster, or a run on one of its own',
    load: async () => (await import('./ray-manifest.ts')).rayManifest,
  },
};

export async function rayCommand(context: CommandContext): Promise<number> {
  const [name, ...rest] = context.argv;
  if (name === undefined || name === '--help' || name === '-h') {
    (name === undefined ? context.stderr : context.stdout).write(`${overview()}\n`);
    return name === undefined ? EXIT.usage : EXIT.done;
  }
  if (!Object.hasOwn(ACTIONS, name)) {
    const near = nearestName(name, Object.keys(ACTIONS));
    const hint =
      near === undefined
        ? `There are ${Object.keys(ACTIONS).join(', ')}.`
        : `Did you mean \`operant ray ${near}\`?`;
    throw new ConfigError('CONFIG_COMMAND', `Unknown command \`ray ${name}\`. ${hint}`);
  }
  const action = await ACTIONS[name].load();
  return action({ ...context, argv: rest });
}

function overview(): string {
  const rows = Object.values(ACTIONS).map(({ usage, summary }) => [`  operant ray ${usage}`, summary]);
  return ['Usage:', '', table(rows), '', 'Each has --help. docs/ray.md tells the rest.'].join('\n');
}
