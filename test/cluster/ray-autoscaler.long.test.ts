/** What a run asks of the autoscaler, as the head of a real Ray has it: hosts that there is no room for yet, and nothing once the run is over. */
import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { PPOConfig } from '../../src/index.ts';
import { bridgePids, findRay, kill, type RayCluster, startRayCluster } from './ray-cluster.ts';

const isRayHere = findRay() !== null;
let cluster: RayCluster;

const ASKED = `
import json, sys, ray
from ray.autoscaler.v2.utils import is_autoscaler_v2
ray.init(sys.argv[1], log_to_driver=False, logging_level="ERROR")
if is_autoscaler_v2():
    from ray.autoscaler.v2.sdk import get_cluster_status
    demands = get_cluster_status(ray.get_runtime_context().gcs_address).resource_demands.cluster_constraint_demand
    print(json.dumps([dict(each.bundle) for demand in demands for each in demand.bundles_by_count for _ in range(each.count)]))
else:
    from ray.experimental.internal_kv import _internal_kv_get
    from ray.autoscaler._private.constants import AUTOSCALER_RESOURCE_REQUEST_CHANNEL
    print((_internal_kv_get(AUTOSCALER_RESOURCE_REQUEST_CHANNEL) or b"[]").decode())
`;

/** What the head has been asked for last. The run goes on meanwhile. */
async function askedOf({ address }: RayCluster): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.env.OPERANT_PYTHON ?? '', ['-c', ASKED, address]);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

/** Two of these do not fit on a node of four CPUs. */
const build = (more: object = {}) =>
  new PPOConfig()
    .environment('CartPole')
    .envRunners({
      ...{ runners: 'ray' as const, rayAddress: cluster.address, numRolloutHosts: 2, numEnvRunners: 3 },
      ...{ numEnvs: 6, rolloutLength: 32, requestHosts: true, hostDeadlineSeconds: 60, ...more },
    })
    .training({ hiddenSizes: [16] })
    .build();

const HOSTS = [{ CPU: 3 }, { CPU: 3 }];

describe.skipIf(!isRayHere)('requestHosts, on a real Ray cluster', { timeout: 600_000 }, () => {
  beforeAll(async () => {
    cluster = await startRayCluster({ numNodes: 1 });
  }, 240_000);
  afterAll(() => cluster?.stop(), 60_000);

  test('a node that does not come: one error, and nothing is asked any more', async () => {
    await cluster.haveNodes(1);
    await expect(build({ hostWaitSeconds: 2 })).rejects.toMatchObject({
      code: 'CLUSTER_TOO_FEW_HOSTS',
      message: expect.stringMatching(
        /room for 1 hosts, and numRolloutHosts is 2, of \{"CPU":3\} each.*requestHosts/s,
      ),
    });
    expect(await askedOf(cluster)).toEqual([]);
  });

  test('the run waits for a node that it has asked for, goes on asking when its bridge is killed, and takes the request back', async () => {
    await cluster.haveNodes(1);
    expect(await askedOf(cluster)).toEqual([]);
    let isBuilt = false;
    const built = build().finally(() => {
      isBuilt = true;
    });
    await vi.waitFor(async () => expect(await askedOf(cluster)).toEqual(HOSTS), {
      timeout: 240_000,
      interval: 500,
    });
    await pause(2_000);
    expect(isBuilt).toBe(false);
    await cluster.addNode(); // what an autoscaler would do
    const algorithm = await built;
    try {
      const { metrics } = await algorithm.train();
      expect(metrics).toMatchObject({ 'cluster/numHosts': 2, 'cluster/numHostsUp': 2 });
      kill(bridgePids()[0]);
      await algorithm.train();
      expect(await askedOf(cluster)).toEqual(HOSTS);
    } finally {
      await algorithm.stop();
    }
    expect(await askedOf(cluster)).toEqual([]);
  });
});
