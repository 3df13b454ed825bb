/** `operant ray manifest`: files that start a cluster, or a run on one of its own. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { kuberayManifest } from '../cluster/launch/kuberay.ts';
import type { LaunchOptions } from '../cluster/launch/launch-options.ts';
import { slurmScript } from '../cluster/launch/slurm.ts';
import { launcherFile, type Provider } from '../cluster/launch/vm.ts';
import { ConfigError } from '../errors.ts';
import type { CommandContext } from './command.ts';
import { readFlags, readInteger } from './command-flags.ts';
import type { FlagSpec, FlagValues } from './flags.ts';
import { EXIT } from './report-error.ts';
import { splitCommand } from './split-command.ts';

const USAGE = `Usage: operant ray manifest kuberay|slurm|vm [flags] [-- train --env CartPole ...]

Writes a file that starts a Ray cluster with a token. kuberay: a RayJob that runs the command on a cluster of its own, or a RayCluster without one. slurm: an sbatch file with learner and hosts in one allocation. vm: a file for \`ray up\`.`;

const FLAGS: readonly FlagSpec[] = [
  { name: 'name', form: '<name>', doc: 'Of the job or cluster. [operant]' },
  {
    name: 'out',
    form: '<file>',
    doc: 'Where to write it; a file that is there is left alone. [standard output]',
  },
  { name: 'num-hosts', form: '<integer>', doc: 'Machines for rollout hosts. [2]' },
  {
    name: 'max-hosts',
    form: '<integer>',
    doc: 'kuberay, vm: as many as the autoscaler may start. [num-hosts]',
  },
  { name: 'cpus-per-host', form: '<integer>', doc: 'CPUs of each, and threads of its rollout host. [4]' },
  { name: 'memory-gib', form: '<integer>', doc: 'Memory of each. [8]' },
  { name: 'gpus', form: '<integer>', doc: "The learner's (kuberay), each task's (slurm). [0]" },
  { name: 'image', form: '<image>', doc: 'kuberay, vm: built by `docker build --target ray`. [operant-ray]' },
  {
    name: 'runs',
    form: '<claim|folder>',
    doc: 'Where run folders stay. kuberay: a PersistentVolumeClaim [operant-runs]; slurm: a shared folder [runs]; vm: a folder of each machine [/srv/operant-runs].',
  },
  { name: 'provider', form: '<aws|local>', doc: 'vm: who has the machines. [aws]' },
  { name: 'region', form: '<region>', doc: 'vm, aws. [us-east-1]' },
  {
    name: 'head-type',
    form: '<type>',
    doc: 'vm, aws: machine of the head, where the learner runs. [m7i.2xlarge]',
  },
  { name: 'host-type', form: '<type>', doc: 'vm, aws: machine of a host. [c7i.xlarge]' },
  { name: 'head-ip', form: '<address>', doc: 'vm, local: the head.' },
  { name: 'host-ips', form: '<address,...>', doc: 'vm, local: the hosts.' },
  { name: 'user', form: '<name>', doc: 'vm: who logs in there. [ubuntu]' },
];

const KINDS = ['kuberay', 'slurm', 'vm'] as const;
type Kind = (typeof KINDS)[number];
/** Flags that only one kind reads. */
const OWN: Readonly<Record<string, readonly Kind[]>> = {
  'max-hosts': ['kuberay', 'vm'],
  'memory-gib': ['kuberay', 'slurm'],
  gpus: ['kuberay', 'slurm'],
  image: ['kuberay', 'vm'],
  provider: ['vm'],
  region: ['vm'],
  'head-type': ['vm'],
  'host-type': ['vm'],
  'head-ip': ['vm'],
  'host-ips': ['vm'],
  user: ['vm'],
};

export async function rayManifest(context: CommandContext): Promise<number> {
  const { own, command } = splitCommand(context.argv);
  const [kind = '-', ...rest] = own;
  const isHelp = own.includes('--help') || own.includes('-h');
  if (!isHelp && !KINDS.includes(kind as Kind))
    throw new ConfigError(
      'CONFIG_COMMAND',
      `Expected \`operant ray manifest\` ${KINDS.join(', ')}, got \`${kind}\`.`,
    );
  const flags = readFlags({ ...context, argv: isHelp ? own : rest }, USAGE, FLAGS);
  if (flags === null) return EXIT.done;
  const text = write(kind as Kind, flags, command);
  const out = flags.get('out');
  if (out === undefined) context.stdout.write(text);
  else {
    if (existsSync(out))
      throw new ConfigError('CONFIG_OUT', `\`${out}\` is there already: name another file, or delete it.`);
    await writeFile(out, text);
    context.stdout.write(`${out}\n`);
  }
  return EXIT.done;
}

function write(kind: Kind, flags: FlagValues, command: readonly string[]): string {
  for (const name of flags.keys()) {
    const readers = OWN[name];
    if (readers !== undefined && !readers.includes(kind))
      throw new ConfigError(
        'CONFIG_CONFLICT',
        `--${name} has no effect on ${kind}: it is of ${readers.join(' and ')}.`,
      );
  }
  const options = readOptions(kind, flags, command);
  if (kind === 'kuberay') return kuberayManifest(options);
  if (kind === 'slurm') return slurmScript(options);
  if (command.length > 0)
    throw new ConfigError(
      'CONFIG_CONFLICT',
      '`ray up` starts a cluster and no run: leave the command away, and send it with `operant ray submit`.',
    );
  return launcherFile(options, readProvider(flags), flags.get('user') ?? 'ubuntu');
}

const RUNS: Readonly<Record<Kind, string>> = {
  kuberay: 'operant-runs',
  slurm: 'runs',
  vm: '/srv/operant-runs',
};
const NAME = /^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

function readOptions(kind: Kind, flags: FlagValues, command: readonly string[]): LaunchOptions {
  const numHosts = readInteger(flags, 'num-hosts', 1, 10_000) ?? 2;
  const maxHosts = readInteger(flags, 'max-hosts', numHosts, 10_000) ?? null;
  const name = flags.get('name') ?? 'operant';
  if (!NAME.test(name))
    throw new ConfigError(
      'CONFIG_RANGE',
      `Expected --name to be lower case letters, digits and \`-\`, 40 at most, beginning with a letter, got \`${name}\`.`,
    );
  if (command.length > 0 && command[0].startsWith('-'))
    throw new ConfigError(
      'CONFIG_COMMAND',
      `Expected a command of operant behind \`--\`, got \`${command[0]}\`.`,
    );
  return {
    ...{ name, command, numHosts, maxHosts },
    image: flags.get('image') ?? 'operant-ray',
    cpusPerHost: readInteger(flags, 'cpus-per-host', 1, 1024) ?? 4,
    memoryGiB: readInteger(flags, 'memory-gib', 1, 100_000) ?? 8,
    gpus: readInteger(flags, 'gpus', 0, 64) ?? 0,
    runs: flags.get('runs') ?? RUNS[kind],
  };
}

function readProvider(flags: FlagValues): Provider {
  const kind = flags.get('provider') ?? 'aws';
  if (kind === 'local') {
    const [head, hosts] = [flags.get('head-ip'), flags.get('host-ips')];
    if (head === undefined || hosts === undefined)
      throw new ConfigError('CONFIG_FLAG', '--provider local wants --head-ip and --host-ips.');
    return { kind, head, hosts: hosts.split(',') };
  }
  if (kind !== 'aws')
    throw new ConfigError('CONFIG_RANGE', `Expected --provider to be aws or local, got \`${kind}\`.`);
  return {
    kind,
    region: flags.get('region') ?? 'us-east-1',
    headType: flags.get('head-type') ?? 'm7i.2xlarge',
    hostType: flags.get('host-type') ?? 'c7i.xlarge',
  };
}
