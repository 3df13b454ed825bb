/** A host that would compute other bits is refused by name. */
import { expect, test } from 'vitest';
import { checkHello, checkStarted } from '../../src/cluster/handshake.ts';
import type { Hello } from '../../src/cluster/host-messages.ts';
import { operantVersion } from '../../src/machine/operant-version.ts';

const HELLO: Hello = {
  hostname: 'spot-3',
  pid: 1,
  rayNode: '',
  rayActor: '',
  operant: operantVersion(),
  node: process.versions.node,
  hasFma: true,
};
const EXPECTED = { kernels: 'relaxed', hasFma: true } as const;
const STARTED = {
  kind: 'started',
  kernels: 'relaxed',
  differingFiles: [],
  failures: [],
  restarted: [],
} as const;

test('the same is taken; a minor version of Node is the same', () => {
  const [major] = process.versions.node.split('.');
  checkHello({ ...HELLO, node: `${major}.99.0` }, EXPECTED);
  checkStarted(HELLO, STARTED, EXPECTED);
  checkHello({ ...HELLO, hasFma: false }, { ...EXPECTED, kernels: 'strict' });
});

test.each<[Partial<Hello>, RegExp]>([
  [{ operant: '0.0.9' }, /^Host spot-3 differs in Operant: 0\.0\.9 there, /],
  [{ node: '18.1.0' }, /differs in Node \(major version\): 18 there, \d+ here/],
  [{ hasFma: false }, /fused multiply-add: false there, true here.*--deterministic/],
])('another host: %o', (other, message) => {
  expect(() => checkHello({ ...HELLO, ...other }, EXPECTED)).toThrow(
    expect.objectContaining({ code: 'CLUSTER_MISMATCH', message: expect.stringMatching(message) }),
  );
});

test.each([
  [{ kernels: 'strict' }, /differs in kernels: strict there, relaxed here/],
  [
    { differingFiles: ['project/a.py', 'project/b.py'] },
    /environment's files: project\/a\.py and 1 more there is not/,
  ],
])('started otherwise: %o', (other, message) => {
  expect(() => checkStarted(HELLO, { ...STARTED, ...other }, EXPECTED)).toThrow(message);
});
