/** An address that is none, that nobody answers at, and that wants a token: one clear error each, without a Ray. */
import { createServer } from 'node:net';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { parseRayAddress, probeAddress, requireToken } from '../../src/cluster/ray-address.ts';
import { PPOConfig } from '../../src/index.ts';

afterEach(() => vi.unstubAllEnvs());

function thrown(run: () => unknown): object {
  try {
    run();
  } catch (error) {
    return error as object;
  }
  return {};
}

test.each([
  ['auto', null],
  ['10.0.0.7:6379', { host: '10.0.0.7', port: 6379 }],
  ['head.cluster.local:6379', { host: 'head.cluster.local', port: 6379 }],
  ['ray://10.0.0.7:10001', { host: '10.0.0.7', port: 10001 }],
  ['[::1]:6379', { host: '[::1]', port: 6379 }],
])('%s', (text, hostPort) => {
  expect(parseRayAddress(text)).toEqual({ text, hostPort });
});

test.each(['head', '10.0.0.7', '10.0.0.7:99999', 'http://10.0.0.7:8265', '10.0.0.7:6379/x', ''])(
  'no address: %s',
  (text) => {
    expect(thrown(() => parseRayAddress(text))).toMatchObject({ code: 'CONFIG_RAY_ADDRESS' });
  },
);

test('another machine needs a token, unless the user says otherwise; this one does not', () => {
  vi.stubEnv('RAY_AUTH_MODE', undefined);
  vi.stubEnv('RAY_AUTH_TOKEN', undefined);
  const far = parseRayAddress('10.0.0.7:6379');
  expect(thrown(() => requireToken(far, false))).toMatchObject({
    code: 'CLUSTER_TOKEN',
    message: expect.stringMatching(/10\.0\.0\.7:6379 is not this machine.*RAY_AUTH_TOKEN.*--insecure/s),
  });
  requireToken(far, true);
  for (const text of ['auto', 'localhost:6379', '127.0.0.1:6379', '[::1]:6379', 'ray://127.0.0.1:10001'])
    requireToken(parseRayAddress(text), false);
  // A token that Ray would not send is none.
  vi.stubEnv('RAY_AUTH_TOKEN', 'secret');
  expect(thrown(() => requireToken(far, false))).toMatchObject({ code: 'CLUSTER_TOKEN' });
  vi.stubEnv('RAY_AUTH_MODE', 'token');
  requireToken(far, false);
});

async function freeAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}

const buildAt = (rayAddress: string, more: object = {}) =>
  new PPOConfig()
    .environment('CartPole')
    .envRunners({ numEnvs: 2, runners: 'ray', rayAddress, numEnvRunners: 1, ...more })
    .build();

test('nobody answers', async () => {
  const address = await freeAddress();
  await expect(buildAt(address)).rejects.toMatchObject({
    code: 'CLUSTER_UNREACHABLE',
    message: expect.stringContaining(`Nobody answers at ${address} (ECONNREFUSED)`),
  });
});

test('somebody takes no connection', async () => {
  // Documentation's addresses lead nowhere: either no route, or no answer.
  await expect(probeAddress(parseRayAddress('192.0.2.1:6379'), 200)).rejects.toMatchObject({
    code: 'CLUSTER_UNREACHABLE',
  });
});

test('who is busy until the deadline does not take the head for gone', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.on('listening', resolve));
  const { port } = server.address() as { port: number };
  const probing = probeAddress(parseRayAddress(`127.0.0.1:${port}`), 20);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  await probing;
});

test('no Python, or one without Ray', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.on('listening', resolve));
  vi.stubEnv('OPERANT_PYTHON', '/nowhere/python');
  const { port } = server.address() as { port: number };
  await expect(buildAt(`127.0.0.1:${port}`)).rejects.toMatchObject({
    code: 'CLUSTER_NO_RAY',
    message: expect.stringMatching(/need a Python with ray and numpy: .*\/nowhere\/python.*OPERANT_PYTHON/s),
  });
});

test.each([
  [{ numRolloutHosts: 3 }, /numRolloutHosts \(3\) x numEnvRunners \(1\) must not exceed numEnvs \(2\)/],
  [{ numEnvRunners: 0 }, /numEnvRunners is 0.*threads of a host/],
  [{ inference: 'central' }, /hosts act for themselves/],
  [{ hostResources: { rollout: -1 } }, /hostResources must be positive numbers/],
  [{ requestHosts: true, numRolloutHosts: 'all' as const }, /requestHosts asks for a number of hosts/],
  [{ requestHosts: true, numEnvRunners: 'auto' as const }, /requestHosts .* numEnvRunners is 'auto'/],
  [{ hostWaitSeconds: 7 }, /hostWaitSeconds \(7\) .* set minRolloutHosts or requestHosts/],
  [{ runners: 'local' }, /rayAddress .* has no effect while runners is "?local/],
])('what cannot be on a cluster: %o', async (options, message) => {
  await expect((async () => buildAt('127.0.0.1:1', options))()).rejects.toThrow(message);
});
