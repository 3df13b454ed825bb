/** Flags that say which cluster is meant. */
import { createJobsClient, type JobsClient } from '../cluster/jobs/jobs-client.ts';
import { ConfigError } from '../errors.ts';
import type { FlagSpec, FlagValues } from './flags.ts';

export const CLUSTER_FLAGS: readonly FlagSpec[] = [
  {
    name: 'address',
    form: '<url>',
    doc: "Ray's dashboard, http://HOST:8265. [RAY_API_SERVER_ADDRESS, else http://127.0.0.1:8265]",
    alsoCalled: ['ray-address'],
  },
  {
    name: 'insecure',
    form: '',
    doc: 'Speak to another machine without a token: whoever reaches that cluster runs code on it.',
  },
];

/** @throws ConfigError, ClusterError as {@link createJobsClient}. */
export function clientOf(flags: FlagValues): JobsClient {
  return createJobsClient(flags.get('address'), flags.get('insecure') === 'true');
}

/** A job's id in front of the flags. @throws ConfigError `CONFIG_FLAG` */
export function takeJob(argv: readonly string[], action: string): { id: string; rest: readonly string[] } {
  const [id = '-', ...rest] = argv;
  if (!id.startsWith('-')) return { id, rest };
  throw new ConfigError(
    'CONFIG_FLAG',
    `Which job? \`operant ray ${action} JOB\`; \`operant ray status\` lists them.`,
  );
}
