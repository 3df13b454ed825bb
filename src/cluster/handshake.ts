/** A host must compute the bits that a local worker would: same Operant, same Node, same kernels, same environment. */
import { ClusterError } from '../errors.ts';
import { operantVersion } from '../machine/operant-version.ts';
import type { Hello, HostReply } from './host-messages.ts';

type Started = Extract<HostReply, { kind: 'started' }>;

/** What the learner's side is. */
export interface Expected {
  readonly kernels: 'relaxed' | 'strict';
  readonly hasFma: boolean;
}

/** @throws ClusterError `CLUSTER_MISMATCH` naming what differs, both values and what to do. */
export function checkHello(hello: Hello, expected: Expected): void {
  const major = (version: string) => version.split('.')[0];
  require(hello, 'Operant', hello.operant, operantVersion(), 'Install the same version there, or leave it to the one that is sent.');
  require(hello, 'Node (major version)', major(hello.node), major(
    process.versions.node,
  ), "Put the same major version into the hosts' image.");
  if (expected.kernels === 'relaxed')
    require(hello, 'fused multiply-add', String(hello.hasFma), String(
      expected.hasFma,
    ), 'Relaxed SIMD rounds differently there: use `--deterministic`, whose bits are the same on every machine.');
}

/** The same for what only shows when it has started. */
export function checkStarted(hello: Hello, started: Started, expected: Expected): void {
  require(hello, 'kernels', started.kernels, expected.kernels, 'Use `--deterministic`, which every Node can run.');
  const [first, ...others] = started.differingFiles;
  if (first === undefined) return;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  throw new ClusterError(
    'CLUSTER_MISMATCH',
    `Host ${hello.hostname} differs in the environment's files: ${first}${more} there is not what was sent. Something on that machine changes the folder that Ray unpacks; an environment that writes should write elsewhere.`,
  );
}

function require({ hostname }: Hello, what: string, there: string, here: string, advice: string): void {
  if (there === here) return;
  throw new ClusterError(
    'CLUSTER_MISMATCH',
    `Host ${hostname} differs in ${what}: ${there} there, ${here} here. ${advice}`,
  );
}
