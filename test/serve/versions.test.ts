/** Versions beside the default: compared on recorded requests, given to a share of the sessions, made the default, rolled back. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PPOConfig } from '../../src/index.ts';
import { createPolicyServer, type PolicyServer } from '../../src/serve/policy-server.ts';
import { shippedCheckpoint } from '../reference/shipped-policies.ts';

const folder = mkdtempSync(join(tmpdir(), 'operant-versions-'));
let server: PolicyServer;
let other: string;
beforeAll(async () => {
  const algorithm = await new PPOConfig()
    .environment('CartPole-v1')
    .envRunners({ numEnvRunners: 0, numEnvs: 4, rolloutLength: 32 })
    .training({ hiddenSizes: [16], policyGain: 1 })
    .debugging({ seed: 5 })
    .build();
  other = await algorithm.save(join(folder, 'other'));
  await algorithm.stop();
  const path = await shippedCheckpoint('ppo, categorical');
  server = await createPolicyServer({
    policies: [{ name: 'cart', path, version: 'blue' }],
    port: 0,
    adminPort: 0,
    reloadMs: 0,
    timeoutMs: 60_000,
  });
});
afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const observationOf = (k: number) => [Math.sin(k), Math.cos(k), Math.sin(2 * k), k / 40];
async function ask(k: number, fields: object = {}): Promise<{ action: number; version: string }> {
  const body = JSON.stringify({ observation: observationOf(k), ...fields });
  return (await (await fetch(`${server.url}/act`, { method: 'POST', body })).json()) as never;
}
async function admin(path: string, body: object) {
  const response = await fetch(server.adminUrl + path, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, json: (await response.json()) as never };
}

test('a staged version says how often it acts as the default does, and nobody gets it', async () => {
  const path = await shippedCheckpoint('ppo, categorical');
  expect((await admin('/models/cart/stage', { path, version: 'same' })).json).toMatchObject({
    agreement: null,
  });
  for (let k = 0; k < 40; k++) await ask(k);
  expect((await admin('/models/cart/stage', { path, version: 'same' })).json).toMatchObject({ agreement: 1 });
  const { json } = await admin('/models/cart/stage', { path: other, version: 'green' });
  let numSame = 0;
  for (let k = 0; k < 40; k++) {
    const [blue, green] = [await ask(k), await ask(k, { version: 'green' })];
    numSame += Number(blue.action === green.action);
  }
  expect(json).toMatchObject({ version: 'green', agreement: numSame / 40 });
  expect((await ask(1)).version).toBe('blue');
});

test('a canary gets its share: sessions stay on their side, and requests without one are counted out', async () => {
  expect((await admin('/models/cart/canary', { version: 'green', percent: 25 })).status).toBe(200);
  const versions = await Promise.all(Array.from({ length: 40 }, () => ask(0)));
  expect(versions.filter(({ version }) => version === 'green')).toHaveLength(10);
  const sideOf = async () => {
    const sides = [];
    for (let k = 0; k < 60; k++) sides.push((await ask(0, { session: `user ${k}` })).version === 'green');
    return sides;
  };
  const at25 = await sideOf();
  expect(await sideOf()).toEqual(at25);
  expect(at25.filter(Boolean).length).toBeGreaterThan(4);
  expect(at25.filter(Boolean).length).toBeLessThan(30);
  await admin('/models/cart/canary', { version: 'green', percent: 60 });
  const at60 = await sideOf();
  expect(at25.every((isCanary, k) => !isCanary || at60[k])).toBe(true); // nobody goes back while it grows
  expect(at60.filter(Boolean).length).toBeGreaterThan(at25.filter(Boolean).length);
  expect((await server.models.list()).find(({ version }) => version === 'green')?.canaryPercent).toBe(60);
  await admin('/models/cart/canary', { version: 'green', percent: 0 });
  expect((await sideOf()).some(Boolean)).toBe(false);
});

test('switched a hundred times under load, every answer is of one version, and none fails', async () => {
  const expected = new Map<string, number[]>();
  for (const version of ['blue', 'green']) {
    const actions = [];
    for (let k = 0; k < 20; k++) actions.push((await ask(k, { version })).action);
    expected.set(version, actions);
  }
  let isDone = false;
  const client = async (k: number) => {
    const seen = new Set<string>();
    while (!isDone) {
      const { action, version } = await ask(k);
      expect(action).toBe(expected.get(version)?.[k]);
      seen.add(version);
    }
    return seen;
  };
  const clients = Array.from({ length: 8 }, (_, k) => client(k));
  for (let k = 0; k < 100; k++) {
    const version = k % 2 === 0 ? 'green' : 'blue';
    expect((await admin('/models/cart/default', { version })).status).toBe(200);
  }
  isDone = true;
  for (const seen of await Promise.all(clients)) expect(seen.size).toBeGreaterThan(0);
  expect((await ask(0)).version).toBe('blue');
});

test('a version that acts otherwise more often than is allowed never becomes the default', async () => {
  const path = await shippedCheckpoint('ppo, categorical');
  const careful = await createPolicyServer({
    policies: [{ name: 'cart', path, version: 'blue' }],
    port: 0,
    minAgreement: 1,
  });
  for (let k = 0; k < 40; k++)
    await fetch(`${careful.url}/act`, {
      method: 'POST',
      body: JSON.stringify({ observation: observationOf(k) }),
    });
  await expect(careful.models.load({ name: 'cart', path: other, version: 'green' })).rejects.toThrow(
    expect.objectContaining({ code: 'SERVE_SHADOW', message: expect.stringMatching(/minAgreement/) }),
  );
  expect((await careful.models.list()).map(({ version }) => version)).toEqual(['blue']);
  await careful.models.load({ name: 'cart', path, version: 'again' });
  expect((await careful.models.list()).find(({ isDefault }) => isDefault)?.version).toBe('again');
  await careful.close();
});

test.each([
  [{ version: 'green', percent: 101 }, 400],
  [{ version: 'none', percent: 5 }, 404],
  [{ percent: 5 }, 400],
])('refuses the canary %j', async (canary, status) => {
  expect((await admin('/models/cart/canary', canary)).status).toBe(status);
});
