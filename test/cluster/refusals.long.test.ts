/** A cluster with token authentication, whose node has no Node: each refusal is one clear error, and the token is in none. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { PPOConfig } from '../../src/index.ts';
import { findRay, type RayCluster, startRayCluster } from './ray-cluster.ts';

const TOKEN = 'a-token-of-this-test-and-of-nobody-else-0123456789';
const isRayHere = findRay() !== null;

/** A PATH with what a shell needs, and no Node. */
function pathWithoutNode(folder: string): string {
  mkdirSync(folder, { recursive: true });
  for (const name of ['sh', 'bash', 'env', 'uname', 'cat'])
    symlinkSync(join('/bin', name), join(folder, name));
  return folder;
}

describe.skipIf(!isRayHere)('a cluster with a token', { timeout: 120_000 }, () => {
  let cluster: RayCluster;
  const folder = mkdtempSync(join(tmpdir(), 'operant-path-'));
  beforeAll(async () => {
    cluster = await startRayCluster({
      numNodes: 1,
      env: { RAY_AUTH_MODE: 'token', RAY_AUTH_TOKEN: TOKEN },
      nodeEnv: { PATH: pathWithoutNode(join(folder, 'bin')) },
    });
  }, 240_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    await cluster?.stop();
    rmSync(folder, { recursive: true });
  }, 60_000);

  const build = (more: object = {}) =>
    new PPOConfig()
      .environment('CartPole')
      .envRunners({ numEnvs: 2, runners: 'ray', rayAddress: cluster.address, numEnvRunners: 1, ...more })
      .build();

  test.each([
    ['no token', undefined],
    ['another token', 'not-the-token-of-this-cluster-9876543210-9876543210'],
  ])('%s', async (_, token) => {
    vi.stubEnv('RAY_AUTH_TOKEN', token);
    const error = await build().catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'CLUSTER_TOKEN',
      message: expect.stringContaining('RAY_AUTH_TOKEN'),
    });
    expect((error as Error).message).not.toContain(token ?? TOKEN);
  });

  test('the right token, and no Node there', async () => {
    vi.stubEnv('RAY_AUTH_TOKEN', TOKEN);
    const error = await build().catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'CLUSTER_NO_NODE',
      message: expect.stringMatching(/no executable `node` on .*\(PATH .*\).*Install Node/s),
    });
    expect((error as Error).message).not.toContain(TOKEN);
  });

  test('more CPUs than any node has', async () => {
    vi.stubEnv('RAY_AUTH_TOKEN', TOKEN);
    await expect(build({ numEnvs: 64, numEnvRunners: 64 })).rejects.toMatchObject({
      code: 'CLUSTER_RESOURCES',
      message: expect.stringContaining('{"CPU":64}'),
    });
  });
});
