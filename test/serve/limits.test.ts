/** Rates by address, and certificates that are renewed. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createPolicyServer } from '../../src/serve/policy-server.ts';
import { createRateLimit } from '../../src/serve/rate-limit.ts';
import { shippedCheckpoint } from '../reference/shipped-policies.ts';

const code = (take: () => void): string => {
  try {
    take();
    return 'taken';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test('an address may ask twice its rate at once, and its rate in the long run', () => {
  const limit = createRateLimit(2);
  const at = (now: number, address = 'a') => code(() => limit.take(address, now));
  expect([at(0), at(0), at(0), at(0), at(0)]).toEqual(['taken', 'taken', 'taken', 'taken', 'SERVE_RATE']);
  expect([at(500), at(500), at(500, 'b')]).toEqual(['taken', 'SERVE_RATE', 'taken']);
});

test('many addresses do not fill the memory', () => {
  const limit = createRateLimit(1);
  for (let k = 0; k < 30_000; k++) limit.take(String(k), 0);
  expect(limit.numAddresses).toBe(10_000);
});

test('a server with a limit answers 429', async () => {
  const policies = [{ name: 'q', path: await shippedCheckpoint('dqn') }];
  const server = await createPolicyServer({ policies, port: 0, maxRequestsPerSecond: 1 });
  const statuses: number[] = [];
  for (let k = 0; k < 12; k++) statuses.push((await fetch(`${server.url}/models`)).status);
  expect(statuses.slice(0, 2)).toEqual([200, 200]);
  expect(statuses).toContain(429);
  expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
  await server.close();
});

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}.pem`, import.meta.url));

function fingerprint(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(`${url}/health/live`, { rejectUnauthorized: false, agent: false }, (response) => {
      resolve((response.socket as TLSSocket).getPeerCertificate().fingerprint256);
      response.resume();
    }).on('error', reject);
  });
}

test('TLS, and a certificate that is renewed while the server runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'operant-tls-'));
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const put = (which: string) => {
    copyFileSync(fixture(`${which}.key`), tls.key);
    copyFileSync(fixture(`${which}.cert`), tls.cert);
  };
  put('first');
  const lines: string[] = [];
  const policies = [{ name: 'q', path: await shippedCheckpoint('dqn') }];
  const options = { policies, port: 0, reloadMs: 5, log: (line: string) => void lines.push(line) };
  const server = await createPolicyServer({ ...options, tls });
  expect(server.url).toMatch(/^https:/);
  const before = await fingerprint(server.url);
  copyFileSync(fixture('second.key'), tls.key); // for a moment the two do not fit together
  await expect.poll(() => lines.join()).toMatch(/"level":"error","event":"certificate"/);
  expect(await fingerprint(server.url)).toBe(before);
  put('second');
  await expect.poll(() => fingerprint(server.url)).not.toBe(before);
  await server.close();
  await expect(
    createPolicyServer({ ...options, tls: { ...tls, key: join(folder, 'none') } }),
  ).rejects.toThrow(/Cannot serve over TLS .* Expected two PEM files/);
  rmSync(folder, { recursive: true });
});
