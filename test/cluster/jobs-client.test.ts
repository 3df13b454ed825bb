/** What answers at an address that was meant to be a dashboard, or does not: one clear error each, and no token leaves for a stranger unasked. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createJobsClient } from '../../src/cluster/jobs/jobs-client.ts';

const TOKEN = 'a-token-of-this-test-and-of-nobody-else-0123456789';

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function withToken(token: string | undefined): void {
  vi.stubEnv('RAY_AUTH_MODE', token === undefined ? 'disabled' : 'token');
  vi.stubEnv('RAY_AUTH_TOKEN', token);
  onTestFinished(() => void vi.unstubAllEnvs());
}

const answer =
  (status: number, text: string): RequestListener =>
  (_, response) => {
    response.writeHead(status);
    response.end(text);
  };

test.each([
  [answer(404, 'no such page'), 'CLUSTER_JOBS', /no dashboard of Ray with jobs: there is no \/api\/version/],
  [answer(200, '<html>'), 'CLUSTER_JOBS', /its answer is no JSON/],
  [answer(200, '{}'), 'CLUSTER_JOBS', /it names no version of Ray/],
  [answer(500, 'Traceback\nValueError: broken'), 'CLUSTER_JOBS', /answers with 500: ValueError: broken/],
  [answer(401, 'Unauthorized'), 'CLUSTER_TOKEN', /it wants a token, and there is none here/],
])('%o', async (listener, code, message) => {
  withToken(undefined);
  const client = createJobsClient(await serve(listener), false);
  await expect(client.version()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test('nobody is there', async () => {
  withToken(undefined);
  await expect(createJobsClient('127.0.0.1:1', false).version()).rejects.toMatchObject({
    code: 'CLUSTER_UNREACHABLE',
    message: expect.stringContaining('http://127.0.0.1:1 (ECONNREFUSED)'),
  });
});

test('a token goes into the header, and neither into messages nor after a redirection', async () => {
  withToken(TOKEN);
  const seen: unknown[] = [];
  const elsewhere = await serve(({ headers }, response) => {
    seen.push(headers.authorization);
    response.end('{"ray_version":"1"}');
  });
  const client = createJobsClient(
    await serve(({ headers, url }, response) => {
      seen.push(headers.authorization, url);
      response.writeHead(302, { location: `${elsewhere}/api/version` });
      response.end();
    }),
    false,
  );
  const error = await client.version().catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'CLUSTER_JOBS' });
  expect(String(error)).not.toContain(TOKEN);
  expect(seen).toEqual([`Bearer ${TOKEN}`, '/api/version']);
});

test('another token than the cluster has', async () => {
  withToken(TOKEN);
  const client = createJobsClient(await serve(answer(403, 'Forbidden')), false);
  await expect(client.version()).rejects.toMatchObject({
    code: 'CLUSTER_TOKEN',
    message: expect.stringContaining('the token here is another one than its'),
  });
});

test('another machine wants a token, or to be told that it is meant', () => {
  withToken(undefined);
  expect(() => createJobsClient('http://ray-head.lan:8265', false)).toThrow(
    expect.objectContaining({ code: 'CLUSTER_TOKEN', message: expect.stringContaining('--insecure') }),
  );
  createJobsClient('http://ray-head.lan:8265', true);
  withToken(TOKEN);
  createJobsClient('https://ray-head.lan', false);
});

test.each(['ray://head:10001', 'http://me:secret@head:8265', 'http://'])(
  '%s is no address of a dashboard',
  (address) => {
    expect(() => createJobsClient(address, true)).toThrow(
      expect.objectContaining({ code: 'CONFIG_RAY_ADDRESS' }),
    );
  },
);

test('an address with a password is refused, and the password is not shown', () => {
  withToken(undefined);
  const create = () => createJobsClient('https://user:a-secret@cluster.example:8265', false);
  expect(create).toThrow(expect.objectContaining({ code: 'CONFIG_RAY_ADDRESS' }));
  expect(create).not.toThrow(/a-secret/);
});
