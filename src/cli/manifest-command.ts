/** `operant manifest`: Kubernetes manifests of a policy server. */
import { writeFile } from 'node:fs/promises';
import { ConfigError } from '../errors.ts';
import { yamlText } from '../files/yaml-text.ts';
import { type ManifestOptions, serveManifests } from '../serve/manifest.ts';
import type { CommandContext } from './command.ts';
import { readFlags, readInteger } from './command-flags.ts';
import type { FlagSpec, FlagValues } from './flags.ts';
import { EXIT } from './report-error.ts';
import { SERVE_FLAGS } from './serve-command.ts';

const USAGE = `Usage: operant manifest --image <image> --policy [NAME=]<folder>[,...] [flags] [flags of operant serve]

Writes a deployment, a service, a disruption budget and, if wanted, an autoscaler for a policy server. Paths of policies are those in the container. Flags of operant serve are handed on to it.`;

const FLAGS: readonly FlagSpec[] = [
  {
    name: 'image',
    form: '<image>',
    doc: 'An image that has operant on its path, best by digest: Dockerfile makes one.',
  },
  { name: 'name', form: '<name>', doc: 'Of all objects. [operant-serve]' },
  {
    name: 'claim',
    form: '<name>',
    doc: 'A persistent volume claim with the policies, mounted at /models. [none: they are in the image]',
  },
  { name: 'token-secret', form: '<name>', doc: 'A secret whose key token opens the server. [<name>-token]' },
  { name: 'replicas', form: '<integer>', doc: 'Pods, at least. [2]' },
  { name: 'max-replicas', form: '<integer>', doc: 'Pods, at most, with an autoscaler. [10]' },
  {
    name: 'autoscaler',
    form: '<none|hpa|keda>',
    doc: 'hpa wants an adapter for Prometheus, keda --prometheus. [none]',
  },
  {
    name: 'target-in-flight',
    form: '<integer>',
    doc: 'Requests without an answer that a pod may have. [16]',
  },
  { name: 'prometheus', form: '<url>', doc: 'Where KEDA asks.' },
  {
    name: 'session-affinity',
    form: '',
    doc: 'Clients stay with a pod by their address: for sessions of recurrent policies.',
  },
  { name: 'cpu', form: '<quantity>', doc: 'Of a pod; a process takes one core. [1]' },
  { name: 'memory', form: '<quantity>', doc: 'Of a pod. [512Mi]' },
  { name: 'out', form: '<file>', doc: 'Where to write. [stdout]' },
];

/** Set by the manifests. */
const OWN = ['port', 'host', 'admin-port', 'admin-host', 'tls-cert', 'tls-key'];
const HANDED_ON = SERVE_FLAGS.filter(({ name }) => !OWN.includes(name)).map((flag) => ({
  ...flag,
  group: 'Of operant serve',
}));

export async function manifestCommand(context: CommandContext): Promise<number> {
  const flags = readFlags(context, USAGE, [...FLAGS, ...HANDED_ON]);
  if (flags === null) return EXIT.done;
  const text = yamlText(serveManifests(readOptions(flags)));
  const out = flags.get('out');
  if (out === undefined) context.stdout.write(text);
  else await writeFile(out, text);
  return EXIT.done;
}

const MAX_PODS = 10_000;

function readOptions(flags: FlagValues): ManifestOptions {
  const image = wanted(flags, 'image');
  wanted(flags, 'policy');
  const name = readName(flags.get('name') ?? 'operant-serve');
  const autoscaler = readAutoscaler(flags);
  const replicas = readInteger(flags, 'replicas', 1, MAX_PODS) ?? 2;
  const maxReplicas = readInteger(flags, 'max-replicas', replicas, MAX_PODS) ?? Math.max(10, replicas);
  const args = HANDED_ON.flatMap(({ name: flag, form }) => {
    const value = flags.get(flag);
    if (value === undefined) return [];
    return form === '' ? [`--${value === 'true' ? '' : 'no-'}${flag}`] : [`--${flag}`, value];
  });
  return {
    ...{ name, image, args, replicas, maxReplicas, autoscaler },
    targetInFlight: readInteger(flags, 'target-in-flight', 1) ?? 16,
    prometheus: autoscaler === 'keda' ? wanted(flags, 'prometheus') : '',
    tokenSecret: flags.get('token-secret') ?? `${name}-token`,
    claim: flags.get('claim') ?? null,
    hasSessions: flags.get('session-affinity') === 'true',
    cpu: readQuantity(flags, 'cpu', '1'),
    memory: readQuantity(flags, 'memory', '512Mi'),
  };
}

function wanted(flags: FlagValues, name: string): string {
  const value = flags.get(name);
  if (value !== undefined && value !== '') return value;
  throw new ConfigError('CONFIG_FLAG', `Give --${name}: operant manifest --help says what it is.`);
}

/** Of Kubernetes: a name that is part of a host's, short enough for what pods add to it. */
function readName(name: string): string {
  if (/^[a-z]([-a-z0-9]{0,48}[a-z0-9])?$/.test(name)) return name;
  const message = `Expected --name to have at most 50 lower-case letters, digits and -, a letter first and no - last, got ${name}.`;
  throw new ConfigError('CONFIG_FLAG', message);
}

function readAutoscaler(flags: FlagValues): ManifestOptions['autoscaler'] {
  const given = flags.get('autoscaler') ?? 'none';
  if (given === 'none' || given === 'hpa' || given === 'keda') {
    const odd = ['max-replicas', 'target-in-flight'].find((name) => given === 'none' && flags.has(name));
    if (odd !== undefined)
      throw new ConfigError('CONFIG_FLAG', `--${odd} is for an autoscaler: give --autoscaler, too.`);
    if (given !== 'keda' && flags.has('prometheus'))
      throw new ConfigError('CONFIG_FLAG', '--prometheus is for --autoscaler keda.');
    return given;
  }
  throw new ConfigError('CONFIG_FLAG', `Expected --autoscaler to be none, hpa or keda, got ${given}.`);
}

function readQuantity(flags: FlagValues, name: string, byDefault: string): string {
  const value = flags.get(name) ?? byDefault;
  if (/^\d+(\.\d+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$/.test(value)) return value;
  throw new ConfigError(
    'CONFIG_FLAG',
    `Expected --${name} to be a quantity such as 500m, 1 or 512Mi, got ${value}.`,
  );
}
